"""Predictions of models that the program ``kern`` trained, on NumPy arrays and files.

    >>> import kern
    >>> kern.models()                                    # what comes with Kern
    ['faults_sections']
    >>> faults = kern.load("faults_sections")
    >>> faults.predict("survey.sgy").probability         # doctest: +SKIP
    >>> wells = kern.load("runs/wells")                  # doctest: +SKIP
    >>> wells.predict({"GR": gr}, depth=depth).labels    # doctest: +SKIP

A model of every task has ``predict()``, which takes files or arrays and the keys of ``kern TASK predict`` by the same names,
and gives the same bits as the program. Training is the program's: ``kern TASK train``.

Messages. What the caller can mend is a :class:`Error` with a sentence; what can go on is a :class:`KernWarning` by the module
``warnings``; notes go to ``logging.getLogger("kern")``.

Threads. Other Python threads run while Kern computes. Predictions that are asked for at the same time wait for each other, for each
uses all cores (``set_threads`` changes that; results do not depend on it).
"""

from __future__ import annotations

import csv
import json
import os
import pathlib
import re
import threading
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence, Union, overload

import numpy as np

from . import _kern
from ._kern import Error, InternalError, KernWarning

_kern.set_models_folder(pathlib.Path(__file__).resolve().parent / "models")

__version__: str = _kern.version
__all__ = ["AnomaliesModel", "AnomalyPrediction", "Error", "FaultsModel", "FaultsPrediction", "ImagePrediction", "ImagesModel",
           "InternalError", "KernWarning", "Model", "Run", "WellPrediction", "WellsModel", "load", "machine", "models",
           "set_threads"]

PathLike = Union[str, "os.PathLike[str]"]


def _given(**keys: Any) -> dict[str, Any]:
    """Those that the caller gave: everything else keeps the program's default."""
    return {name: value for name, value in keys.items() if value is not None}


def _pixels(image: Any) -> np.ndarray:
    array = np.ascontiguousarray(image)
    if array.dtype != np.uint8:
        raise TypeError(f"an image is an array of uint8, 0 to 255, got {array.dtype}")
    if array.ndim not in (2, 3):
        raise Error(f"an image is [height, width] or [height, width, 3], got {array.ndim} dimensions")
    return array


class Model:
    """A trained model. Made by :func:`load`.

    Attributes:
        file: the model file.
        task: "wells", "images", "faults" or "anomalies".
    """

    task = ""

    def __init__(self, file: pathlib.Path, inner: Any) -> None:
        self.file = file
        self._inner = inner

    def __repr__(self) -> str:
        return f"<kern.{type(self).__name__} {self.architecture} of {self.file}>"

    @property
    def architecture(self) -> str:
        """The network's name, as the key ``model=`` of the training has it."""
        return str(self._inner.architecture)

    @property
    def card(self) -> dict[str, Any]:
        """What ``kern info model=FILE`` shows: task, network, data, version, and the training's figures as ``figures.NAME``."""
        return dict(json.loads(_kern.model_card(self.file)))

    def network(self, x: np.ndarray) -> np.ndarray:
        """What the network itself gives, without what a prediction does before and after it.

        Args:
            x: float32 ``[N, ..., C]``, channels last: ``[N, L, C]`` of wells, ``[N, H, W, C]`` of images and sections (traces by samples).

        Returns:
            float32; logits of the same positions, or what an anomaly detector's network gives. In Kern's own memory, not copied.

        Raises:
            Error: a shape that the network does not take, or a network of more than one output.
        """
        y: np.ndarray = self._inner.network(np.ascontiguousarray(x, dtype=np.float32))
        return y


class _ClassesModel(Model):
    """A model that chooses among classes."""

    @property
    def classes(self) -> list[str]:
        """Names, in the order of ``probabilities``."""
        return [name for name, _ in self._inner.classes]

    @property
    def colours(self) -> list[str]:
        """Of the classes, as "#rrggbb"."""
        return [colour for _, colour in self._inner.classes]


@dataclass(frozen=True)
class WellPrediction:
    """A class for every row of a well.

    Attributes:
        well: its name in a table, or the file's.
        depth: float64 ``[L]``, as the file or the caller has it.
        depth_unit: "m", "ft", or "" where nothing says.
        labels: int32 ``[L]``, index into the model's ``classes``; -1 for a row without enough curves, or without depth.
        probabilities: float32 ``[L, K]``; NaN where ``labels`` is -1.
    """

    well: str
    depth: np.ndarray
    depth_unit: str
    labels: np.ndarray
    probabilities: np.ndarray


class WellsModel(_ClassesModel):
    """Facies, or any other classes, in well logs. See :func:`load`."""

    task = "wells"

    @property
    def curves(self) -> list[str]:
        """The curves that it reads; "GR|GAMMA" is one by two names."""
        return list(self._inner.curves)

    @property
    def codes(self) -> list[float]:
        """What stands in a predicted LAS file for each class."""
        return list(self._inner.codes)

    @property
    def step(self) -> float:
        """The distance between samples that it was trained on, in ``step_unit``."""
        return float(self._inner.step)

    @property
    def step_unit(self) -> str:
        """"m", "ft", or "" where the training wells did not say."""
        return str(self._inner.step_unit)

    @overload
    def predict(self, data: Mapping[str, Any], depth: Any = None, *, depth_unit: str = "", min_curves: int | None = None,
                null_values: Sequence[float] | None = None, monotone: str | None = None,
                remove_short: int | None = None) -> WellPrediction: ...
    @overload
    def predict(self, data: PathLike, depth: Any = None, *, depth_unit: str = "", min_curves: int | None = None,
                null_values: Sequence[float] | None = None, monotone: str | None = None,
                remove_short: int | None = None) -> WellPrediction | list[WellPrediction]: ...
    def predict(self, data: PathLike | Mapping[str, Any], depth: Any = None, *, depth_unit: str = "", min_curves: int | None = None,
                null_values: Sequence[float] | None = None, monotone: str | None = None,
                remove_short: int | None = None) -> WellPrediction | list[WellPrediction]:
        """The class of every row.

        Args:
            data: a LAS or CSV file, or curves by name (``{"GR": array, ...}``, each ``[L]``, NaN where nothing was measured). A curve of
                the model that is not there counts as missing throughout. Arrays are copied once; those
                that are not contiguous float32 are converted before.
            depth: with curves, ``[L]``, ascending. Where they are not a step of the model apart the well is resampled, and every row takes
                what was found at the nearest sample.
            depth_unit: with curves, "m" or "ft"; "" where it is the model's.
            min_curves, null_values, monotone, remove_short: keys of ``kern wells predict``.

        Returns:
            One prediction for curves or a LAS file; of a table a list, one for each well.

        Raises:
            Error: no such file, no LAS or CSV, curves that the model cannot do without, depths that do not ascend, a key out of range.
        """
        keys = _given(min_curves=min_curves, null_values=null_values, monotone=monotone, remove_short=remove_short)
        if isinstance(data, (str, os.PathLike)):
            found = [WellPrediction(well, rows, unit, labels, p)
                     for well, unit, rows, labels, p in self._inner.predict_file(os.fspath(data), keys)]
            return found[0] if re.search(r"\.las$", os.fspath(data), re.IGNORECASE) else found
        names = list(data)
        curves = [np.ascontiguousarray(data[name], dtype=np.float32) for name in names]
        if depth is None:
            raise Error("depth= is missing: predict(curves, depth) needs the depth of every sample")
        well, unit, rows, labels, p = self._inner.predict_curves(names, curves, np.ascontiguousarray(depth, dtype=np.float64),
                                                                 depth_unit, keys)
        return WellPrediction(well, rows, unit, labels, p)


@dataclass(frozen=True)
class ImagePrediction:
    """A class for every pixel.

    Attributes:
        labels: uint8 ``[H, W]``, index into the model's ``classes``.
        probabilities: float32 ``[H, W, K]``.
    """

    labels: np.ndarray
    probabilities: np.ndarray


class ImagesModel(_ClassesModel):
    """Segments of images. See :func:`load`."""

    task = "images"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that it was trained on."""
        height, width = self._inner.size
        return height, width

    def predict(self, data: PathLike | np.ndarray, *, threshold: float | None = None, window: str | None = None,
                overlap: float | None = None, flips: str | None = None,
                scales: Sequence[float] | None = None) -> ImagePrediction:
        """The class of every pixel, at the image's own size.

        Args:
            data: an image file (JPEG, PNG, BMP, TIFF, GIF), or uint8 ``[H, W]`` or ``[H, W, 3]`` (red, green, blue). Grey and colours
                become each other as the model needs.
            threshold, window, overlap, flips, scales: keys of ``kern images predict``.

        Raises:
            Error: no such file, no image, a key out of range.
        """
        keys = _given(threshold=threshold, window=window, overlap=overlap, flips=flips, scales=scales)
        if isinstance(data, (str, os.PathLike)):
            return ImagePrediction(*self._inner.predict_file(os.fspath(data), keys))
        return ImagePrediction(*self._inner.predict_pixels(_pixels(data), keys))


@dataclass(frozen=True)
class FaultsPrediction:
    """Faults in a section ``[traces, samples]`` or a cube ``[inlines, crosslines, samples]``.

    Attributes:
        probability: float32 of the section or cube, 0 to 1; 0 where no trace is.
        thinned: the same along the crest of each fault, else 0; None with ``thin=False``.
        dip, azimuth: degrees, where the probability reaches the threshold; None unless asked for.
        sticks: float64 ``[points, 4]``: x, y, z, number of the stick; none of an image.
        inlines, crosslines: int32, the numbers of the lines.
        z: float64 ``[samples]`` in ``unit``: "ms", "m", "ft" or "sample".
        traces: int64, of each position the trace's index in the SEG-Y file, -1 where there is none; None where the input was no SEG-Y.
        scale: what the amplitudes were divided by.
    """

    probability: np.ndarray
    thinned: np.ndarray | None = None
    dip: np.ndarray | None = None
    azimuth: np.ndarray | None = None
    sticks: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    inlines: np.ndarray | None = None
    crosslines: np.ndarray | None = None
    z: np.ndarray | None = None
    unit: str = "sample"
    traces: np.ndarray | None = None
    scale: float = 1.0


class FaultsModel(Model):
    """Faults in seismic. ``kern.load("faults_sections")`` comes with Kern; see :func:`load`."""

    task = "faults"

    @property
    def threshold(self) -> float:
        """From which probability on a sample counts as a fault: the best F1 of the validation."""
        return float(self._inner.threshold)

    @property
    def average_precision(self) -> float:
        """Of the validation."""
        return float(self._inner.average_precision)

    @property
    def dimensions(self) -> int:
        """2: it takes sections, and cubes line by line; 3: cubes."""
        return int(self._inner.dimensions)

    def predict(self, data: PathLike | np.ndarray, *, passes: str | None = None, flips: bool | None = None,
                scales: Sequence[float] | None = None, two_scales: bool | None = None, tile: int | None = None, margin: int | None = None, agc: float | None = None,
                threshold: float | None = None, memory: int | None = None, thin: bool | None = None, dip: bool | None = None,
                azimuth: bool | None = None, sticks: int | None = None, least_piece: int | None = None,
                velocity: float | None = None, **places: Any) -> FaultsPrediction:
        """The probability of a fault at every sample.

        Args:
            data: a SEG-Y file, a ``.npy`` file, an image of a section (its columns are the traces), or an array ``[traces, samples]`` or
                ``[inlines, crosslines, samples]``. What is not SEG-Y becomes such a file in the folder for temporary files meanwhile, as the
                program does it: a sample is a millisecond, neighbouring traces are a metre apart.
            passes, flips, ..., velocity: keys of ``kern faults predict``; None keeps its default.
            places: where a SEG-Y file keeps its numbers, by the program's keys (``il=``, ``xl=``, ``x=``, ``y=``).

        Raises:
            Error: no such file, no SEG-Y, prestack, too few lines for the model, a key out of range.
            KeyboardInterrupt: Ctrl-C, within a line or a tile.
        """
        keys = _given(passes=passes, flips=flips, scales=scales, two_scales=two_scales, tile=tile, margin=margin, agc=agc, threshold=threshold,
                      memory=memory, thin=thin, dip=dip, azimuth=azimuth, sticks=sticks, least_piece=least_piece,
                      velocity=velocity, **places)
        here = threading.current_thread() is threading.main_thread()
        if not isinstance(data, (str, os.PathLike)):
            found = self._inner.predict_array(np.ascontiguousarray(data, dtype=np.float32), keys, here)
        elif _kern.is_image_name(os.fspath(data)):
            return FaultsPrediction(self._inner.predict_image(os.fspath(data), keys))
        else:
            found = self._inner.predict_file(os.fspath(data), keys, here)
        text = found.pop("sticks")
        points = np.array([[float(v) for v in line.split()] for line in text.splitlines()]).reshape(-1, 4)
        return FaultsPrediction(sticks=points, **found)


@dataclass(frozen=True)
class AnomalyPrediction:
    """How unusual an image is.

    Attributes:
        score: the larger the more unusual.
        threshold: what it is compared with.
        map: float32 ``[H, W]`` of the image as the model sees it (``AnomaliesModel.size``), the larger the more unusual.
    """

    score: float
    threshold: float
    map: np.ndarray

    @property
    def anomaly(self) -> bool:
        """Whether the score is above the threshold."""
        return self.score > self.threshold


class AnomaliesModel(Model):
    """Defects on images of one kind. See :func:`load`."""

    task = "anomalies"

    @property
    def threshold(self) -> float | None:
        """By the rule of the training; None as long as that is not finished."""
        threshold: float | None = self._inner.threshold
        return threshold

    @property
    def rules(self) -> dict[str, float]:
        """The thresholds that the training found, by rule."""
        return dict(self._inner.rules)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images as the network sees them, and of maps."""
        height, width = self._inner.size
        return height, width

    @overload
    def predict(self, data: PathLike | np.ndarray, *,  # type: ignore[overload-overlap]
                threshold: float | None = None, rule: str | None = None) -> AnomalyPrediction: ...
    @overload
    def predict(self, data: Iterable[PathLike | np.ndarray], *, threshold: float | None = None,
                rule: str | None = None) -> list[AnomalyPrediction]: ...
    def predict(self, data: PathLike | np.ndarray | Iterable[PathLike | np.ndarray], *, threshold: float | None = None,
                rule: str | None = None) -> AnomalyPrediction | list[AnomalyPrediction]:
        """Scores of images.

        Args:
            data: an image file or array (uint8 ``[H, W]`` or ``[H, W, 3]``), or several of one kind.
            threshold, rule: keys of ``kern anomalies predict``.

        Returns:
            One prediction for one image; a list for several.

        Raises:
            Error: no such file, no image, an image of a size that the model does not take, a model without a threshold.
        """
        keys = _given(threshold=threshold, rule=rule)
        one = isinstance(data, (str, os.PathLike, np.ndarray))
        images: list[Any] = [data] if isinstance(data, (str, os.PathLike, np.ndarray)) else list(data)
        files = [os.fspath(image) for image in images if isinstance(image, (str, os.PathLike))]
        if files and len(files) < len(images):
            raise Error("images are either all files or all arrays: predict them in two calls")
        if files:
            line, scored = self._inner.predict_files(files, keys)
        else:
            line, scored = self._inner.predict_pixels([_pixels(image) for image in images], keys)
        found = [AnomalyPrediction(score, line, heat) for score, heat in scored]
        return found[0] if one else found


def models() -> list[str]:
    """The names of the models that come with Kern, for :func:`load`."""
    return list(_kern.shipped_models())


def load(model: PathLike, device: str = "auto") -> WellsModel | ImagesModel | FaultsModel | AnomaliesModel:
    """A trained model, ready to predict.

    Args:
        model: the folder of a run, a model file, or the name of one that comes with Kern (:func:`models`).
        device: "cpu", "cuda", or "auto": a GPU where there is one and this package was built for it.

    Raises:
        Error: no such model, a file that is damaged or no model of Kern's, no such device.
    """
    file = pathlib.Path(_kern.find_model_file(os.fspath(model)))
    task = _kern.task_of(file)
    kinds: dict[str, Any] = {"wells": (WellsModel, _kern.load_wells), "images": (ImagesModel, _kern.load_images),
                             "faults": (FaultsModel, _kern.load_faults), "anomalies": (AnomaliesModel, _kern.load_anomalies)}
    if task not in kinds:
        raise Error(f"{file} is a model of the task '{task}', which this version does not know")
    kind, loader = kinds[task]
    loaded: WellsModel | ImagesModel | FaultsModel | AnomaliesModel = kind(file, loader(file, device))
    return loaded


class Run:
    """The folder of a training, as ``kern TASK train run=FOLDER`` made it.

    Attributes:
        folder: where it is.

    Raises:
        Error: there is no run in the folder.
    """

    def __init__(self, folder: PathLike) -> None:
        self.folder = pathlib.Path(folder)
        if not (self.folder / "run.json").is_file():
            raise Error(f"{self.folder} is no run folder: it holds no run.json")

    def __repr__(self) -> str:
        return f"<kern.Run {self.folder}>"

    def _text(self, name: str) -> str:
        file = self.folder / name
        if not file.is_file():
            raise Error(f"{file} is not there: the training has not come so far")
        return file.read_text(encoding="utf-8")

    @property
    def finished(self) -> bool:
        """Whether the training came to its own end."""
        return bool(json.loads(self._text("run.json")).get("state") == "finished")

    @property
    def config(self) -> dict[str, Any]:
        """Every key that was in force (config.yaml): True, numbers, texts, lists, tables, None."""
        return dict(_kern.read_yaml(self._text("config.yaml"), str(self.folder / "config.yaml")))

    @property
    def metrics(self) -> dict[str, Any]:
        """The columns of metrics.csv, a value an epoch: float64 arrays (NaN where nothing stands), or lists of texts."""
        rows = list(csv.reader(self._text("metrics.csv").splitlines()))
        columns: dict[str, Any] = {}
        for i, name in enumerate(rows[0] if rows else []):
            values = [row[i] for row in rows[1:]]
            try:
                columns[name] = np.array([float(v) if v else np.nan for v in values])
            except ValueError:
                columns[name] = values
        return columns

    @property
    def result(self) -> dict[str, Any]:
        """What the training found out (result.json)."""
        return dict(json.loads(self._text("result.json")))

    @property
    def card(self) -> dict[str, Any]:
        """The model's card, as :attr:`Model.card`."""
        return dict(json.loads(_kern.model_card(_kern.find_model_file(str(self.folder)))))

    def model(self, device: str = "auto") -> WellsModel | ImagesModel | FaultsModel | AnomaliesModel:
        """The best model of the run; see :func:`load`."""
        return load(self.folder, device)


def machine() -> dict[str, Any]:
    """What this build is and what this machine offers, as ``kern info`` shows it."""
    return dict(json.loads(_kern.machine()))


def set_threads(count: int) -> None:
    """CPU threads of Kern, for the whole process; at first as many as there are cores. Results do not depend on it.

    Raises:
        Error: a count below 1.
    """
    _kern.set_threads(count)
