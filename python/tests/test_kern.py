"""The package against the program: KERN_PROGRAM names it. Models are trained here for an epoch, but the shipped one.

    KERN_PROGRAM=build/kern python -m unittest discover python/tests
"""
import csv
import logging
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
import zlib

import kern
import numpy as np

PROGRAM = os.environ.get("KERN_PROGRAM", "build/kern")
_folder = None


def setUpModule():
    global _folder
    _folder = tempfile.TemporaryDirectory()


def tearDownModule():
    _folder.cleanup()


def path(name):
    return pathlib.Path(_folder.name) / name


def run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 1):  # 1: kern anomalies predict found some
        raise AssertionError(" ".join(arguments) + "\n" + done.stdout + done.stderr)
    if done.returncode == 1 and "anomalies" not in arguments:
        raise AssertionError(" ".join(arguments) + "\n" + done.stdout + done.stderr)
    return done


def write_png(file, image):
    """uint8 [H,W] or [H,W,3]."""
    height, width = image.shape[:2]
    rows = b"".join(b"\0" + image[y].tobytes() for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0 if image.ndim == 2 else 2, 0, 0, 0)
    pathlib.Path(file).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def read_png(file):
    """One channel of 8 bits or less: uint8 [H,W]."""
    data, at, packed = pathlib.Path(file).read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth = struct.unpack(">IIB", body[:9])
        elif kind == b"IDAT":
            packed += body
        at += 12 + size
    raw, stride = zlib.decompress(packed), (width * depth + 7) // 8
    above, rows = bytearray(stride), []
    for y in range(height):
        how, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            a, b, c = (line[x - 1] if x else 0), above[x], (above[x - 1] if x else 0)
            p = a + b - c
            paeth = a if abs(p - a) <= min(abs(p - b), abs(p - c)) else b if abs(p - b) <= abs(p - c) else c
            line[x] = (line[x] + (0, a, b, (a + b) // 2, paeth)[how]) & 255
        above = line
        rows.append(line)
    packed_rows = np.array(rows, np.uint8)
    if depth == 8:
        return packed_rows
    bits = np.unpackbits(packed_rows, axis=1)[:, :width * depth].reshape(height, width, depth)
    return (bits * (1 << np.arange(depth - 1, -1, -1))).sum(2).astype(np.uint8)


def read_las(file):
    """{curve: values} of an unwrapped LAS file, NaN for its NULL."""
    names, rows, part, null = [], [], "", None
    for line in pathlib.Path(file).read_text().splitlines():
        if line.startswith("~"):
            part = line[1]
        elif part == "W" and line.strip().startswith("NULL"):
            null = float(line.split(".", 1)[1].split(":")[0])
        elif part == "C" and line.strip() and not line.startswith("#"):
            names.append(line.split(".", 1)[0].strip())
        elif part == "A":
            rows.append([float(v) for v in line.split()])
    values = np.array(rows)
    values[:, 1:][values[:, 1:] == null] = np.nan
    return dict(zip(names, values.T))


def segy_samples(file, samples):
    """[traces, samples] of a SEG-Y file of big-endian IEEE floats."""
    data = pathlib.Path(file).read_bytes()
    traces = np.frombuffer(data[3600:], np.uint8).reshape(-1, 240 + 4 * samples)[:, 240:]
    return np.ascontiguousarray(traces).view(">f4").astype(np.float32)


def equal_bits(a, b):
    return a.shape == b.shape and np.array_equal(np.ascontiguousarray(a).view(np.uint32), np.ascontiguousarray(b).view(np.uint32))


class Wells(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("wells", "synthesize", f"out={path('wells')}", "wells=6", "samples=200")
        run("wells", "train", f"data={path('wells')}", "label=FACIES", f"run={path('wells_run')}", "epochs=2", "model=unet_strided",
            "channels=[4,8]", "strides=[2]", "residual_units=1", "window=64", "batch=2", "quiet=true")
        cls.model = kern.load(path("wells_run"))
        cls.las = sorted(path("wells").glob("*.las"))[0]

    def test_a_table_is_predicted_with_the_programs_bits(self):
        las = read_las(self.las)
        table = path("table.csv")
        with open(table, "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["well_id", "depth", "GR"])
            for d, v in zip(las["DEPT"], las["GR"]):
                out.writerow(["A", d, "" if np.isnan(v) else v])
        run("wells", "predict", f"model={path('wells_run')}", f"data={table}", f"out={path('wells_out')}", "device=cpu")
        with open(path("wells_out") / "table_predicted.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        (found,) = self.model.predict(table)
        classes = self.model.classes
        theirs = np.array([[row["P_" + name] or "nan" for name in classes] for row in rows], dtype=np.float32)
        self.assertTrue(equal_bits(theirs, found.probabilities))
        codes = [self.model.codes[k] if k >= 0 else np.nan for k in found.labels]
        np.testing.assert_array_equal([float(row["FACIES_PRED"] or "nan") for row in rows], codes)
        self.assertEqual(found.well, "A")
        # The same curves as arrays.
        of_arrays = self.model.predict({"gr": las["GR"]}, las["DEPT"], depth_unit="m")
        self.assertTrue(equal_bits(found.probabilities, of_arrays.probabilities))
        np.testing.assert_array_equal(found.labels, of_arrays.labels)

    def test_a_las_file(self):
        run("wells", "predict", f"model={path('wells_run')}", f"data={self.las}", f"out={path('las_out')}", "device=cpu")
        theirs = read_las(path("las_out") / self.las.name)
        found = self.model.predict(self.las)
        np.testing.assert_array_equal(theirs["FACIES_PRED"], [self.model.codes[k] if k >= 0 else np.nan for k in found.labels])
        np.testing.assert_array_equal(theirs["DEPT"], found.depth)
        self.assertEqual(found.probabilities.shape, (len(found.depth), len(self.model.classes)))
        np.testing.assert_allclose(np.nansum(found.probabilities, 1)[found.labels >= 0], 1, atol=1e-5)

    def test_missing_curves_and_other_steps(self):
        las = read_las(self.las)
        with self.assertRaisesRegex(kern.Error, "has no values of GR"):
            self.model.predict({"RHOB": las["GR"]}, las["DEPT"])
        with self.assertRaisesRegex(kern.Error, "must ascend"):
            self.model.predict({"GR": las["GR"]}, las["DEPT"][::-1])
        with self.assertRaisesRegex(kern.Error, "values, and the depths are"):
            self.model.predict({"GR": las["GR"][1:]}, las["DEPT"])
        with self.assertRaisesRegex(kern.Error, "depth="):
            self.model.predict({"GR": las["GR"]})
        half = self.model.predict({"GR": las["GR"][::2]}, las["DEPT"][::2])  # resampled to the model's step
        self.assertEqual(len(half.labels), len(las["DEPT"][::2]))
        self.assertTrue((half.labels >= 0).any())

    def test_network_alone(self):
        x = np.zeros((2, 64, 1), np.float32)
        y = self.model.network(x)
        self.assertEqual(y.shape, (2, 64, len(self.model.classes)))
        self.assertFalse(y.flags.owndata)  # Kern's memory
        with self.assertRaises(kern.Error):
            self.model.network(np.zeros((2, 64, 5), np.float32))

    def test_run_folder(self):
        trained = kern.Run(path("wells_run"))
        self.assertTrue(trained.finished)
        self.assertEqual(trained.config["epochs"], 2)
        self.assertEqual(trained.config["channels"], [4, 8])
        self.assertIs(trained.config["quiet"], True)
        self.assertEqual(len(trained.metrics["epoch"]), 2)
        self.assertTrue(np.isfinite(trained.metrics["train_loss"]).all())
        self.assertIn("accuracy", trained.result)
        self.assertEqual(trained.card["task"], "wells")
        self.assertIn("figures.accuracy", trained.card)
        self.assertEqual(trained.model().architecture, "unet_strided")
        with self.assertRaisesRegex(kern.Error, "no run folder"):
            kern.Run(path("wells"))


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        random = np.random.default_rng(1)
        (path("photos") / "images").mkdir(parents=True)
        (path("photos") / "masks").mkdir()
        for i in range(8):
            image = random.integers(0, 90, (40, 52, 3), dtype=np.uint8)
            y, x = random.integers(4, 20, 2)
            image[y:y + 14, x:x + 20] += 120
            mask = np.zeros((40, 52), np.uint8)
            mask[y:y + 14, x:x + 20] = 1
            write_png(path("photos") / f"images/{i}.png", image)
            write_png(path("photos") / f"masks/{i}.png", mask)
        run("images", "train", f"data={path('photos')}", f"run={path('images_run')}", "epochs=1", "batch=2", "channels=[4,8]", "size=24,32",
            "masks=nonzero", "quiet=true", "device=cpu")
        cls.model, cls.image, cls.file = kern.load(path("images_run")), image, path("photos") / "images/7.png"

    def test_bits_of_the_program(self):
        run("images", "predict", f"model={path('images_run')}", f"data={self.file}", f"out={path('images_out')}", "probabilities=true",
            "device=cpu")
        found = self.model.predict(self.file)
        np.testing.assert_array_equal(read_png(path("images_out") / "7.png"), found.labels)
        shown = np.floor(255 * np.clip(found.probabilities[..., 1], 0, 1).astype(np.float64) + 0.5)
        np.testing.assert_array_equal(read_png(path("images_out") / "7_probability.png"), shown)
        of_array = self.model.predict(self.image)
        self.assertTrue(equal_bits(found.probabilities, of_array.probabilities))
        np.testing.assert_array_equal(found.labels, of_array.labels)
        self.assertEqual(found.labels.dtype, np.uint8)

    def test_keys_and_errors(self):
        none = self.model.predict(self.image, threshold=1.0, window="tiles", flips="both")
        self.assertEqual(none.labels.max(), 0)
        with self.assertRaisesRegex(kern.Error, "window must be one of"):
            self.model.predict(self.image, window="tile")
        with self.assertRaises(TypeError):
            self.model.predict(self.image.astype(np.float32))
        with self.assertRaisesRegex(kern.Error, "channels"):
            self.model.predict(np.zeros((4, 4, 2), np.uint8))
        with self.assertRaises(kern.Error):
            self.model.predict(path("nothing.png"))
        grey = self.model.predict(self.image[..., 0])
        self.assertEqual(grey.labels.shape, self.image.shape[:2])


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("faults", "synthesize", f"out={path('seismic')}", "volumes=1", "seed=3", "inlines=18", "crosslines=40", "samples=64", "sheet=0")
        (cls.segy,) = path("seismic").glob("amplitude_*.sgy")
        cls.cube = segy_samples(cls.segy, 64).reshape(18, 40, 64)
        cls.model = kern.load("faults_sections")

    def test_the_shipped_model(self):
        self.assertIn("faults_sections", kern.models())
        self.assertEqual(self.model.task, "faults")
        self.assertEqual(self.model.card["task"], "faults")
        self.assertIn("faults_sections", str(self.model.file))

    def test_segy_with_the_programs_bits(self):
        run("faults", "predict", str(self.segy), f"out={path('faults_out')}", "dip=true", "azimuth=true", "images=false", "page=false",
            "device=cpu")
        out = path("faults_out") / self.segy.stem
        found = self.model.predict(self.segy, dip=True, azimuth=True)
        self.assertEqual(found.probability.shape, (18, 40, 64))
        for name, mine in (("faults", found.probability), ("thin", found.thinned), ("dip", found.dip), ("azimuth", found.azimuth)):
            self.assertTrue(equal_bits(segy_samples(out / f"{name}.sgy", 64), mine.reshape(-1, 64)), name)
        self.assertGreater(found.probability.max(), 0.3)
        np.testing.assert_array_equal(found.traces, np.arange(18 * 40).reshape(18, 40))
        self.assertEqual(len(found.z), 64)
        theirs = [line.split() for line in (out / "sticks.txt").read_text().splitlines()]
        np.testing.assert_array_equal(np.array(theirs, dtype=float).reshape(-1, 4), found.sticks)

    def test_arrays_with_the_bits_of_npy_files(self):
        for name, array in (("cube", self.cube), ("section", self.cube[9])):
            np.save(path(name + ".npy"), array)
            run("faults", "predict", str(path(name + ".npy")), f"out={path('npy_out')}", "images=false", "page=false", "device=cpu")
            theirs = np.load(path("npy_out") / name / "faults.npy")
            self.assertTrue(equal_bits(theirs, self.model.predict(array).probability), name)
            self.assertTrue(equal_bits(theirs, self.model.predict(path(name + ".npy"), thin=False).probability), name)
        self.assertIsNone(self.model.predict(self.cube[9], thin=False, sticks=0).thinned)

    def test_an_image_of_a_section(self):
        section = self.cube[9]
        grey = np.clip(128 - 40 * section.T / section.std(), 0, 255).astype(np.uint8)
        write_png(path("section.png"), grey)
        run("faults", "predict", str(path("section.png")), f"out={path('png_out')}", "device=cpu")
        found = self.model.predict(path("section.png"))
        self.assertEqual(found.probability.shape, (40, 64))
        shown = np.floor(255 * np.clip(found.probability.T, 0, 1).astype(np.float32) + np.float32(0.5))
        np.testing.assert_array_equal(read_png(path("png_out") / "section/probability.png"), shown)

    def test_errors_are_sentences(self):
        for call, words in ((lambda: self.model.predict(np.zeros((2, 2, 2, 2), np.float32)), "4 dimensions"),
                            (lambda: self.model.predict(self.cube, threshold=3), "threshold must be"),
                            (lambda: self.model.predict(self.cube, passes="inline"), "passes must be"),
                            (lambda: self.model.predict(self.cube, nonsense=1), "nonsense"),
                            (lambda: self.model.predict("nothing.sgy"), "no file nothing.sgy"),
                            (lambda: kern.load("nothing"), "nothing"),
                            (lambda: kern.load("faults_sections", device="tpu"), "device must be")):
            with self.assertRaisesRegex(kern.Error, words):
                call()
        with self.assertWarnsRegex(kern.KernWarning, "every amplitude is above 0"):
            self.model.predict(np.full((20, 32), 2500, np.float32) + np.arange(32, dtype=np.float32))

    def test_threads(self):
        """Others run meanwhile, several predictions wait for each other, and all give the same."""
        alone = self.model.predict(self.cube).probability
        results, ticks, done = [], [0], threading.Event()

        def tick():
            while not done.wait(0.001):
                ticks[0] += 1

        watch = threading.Thread(target=tick)
        watch.start()
        workers = [threading.Thread(target=lambda: results.append(self.model.predict(self.cube).probability)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        done.set()
        watch.join()
        self.assertEqual(len(results), 3)
        for result in results:
            self.assertTrue(equal_bits(alone, result))
        self.assertGreater(ticks[0], 3)
        kern.set_threads(1)
        self.assertTrue(equal_bits(alone, self.model.predict(self.cube).probability))
        with self.assertRaises(kern.Error):
            kern.set_threads(0)


class Interruption(unittest.TestCase):
    def test_ctrl_c_ends_a_long_prediction(self):
        code = """
import kern, numpy
model = kern.load("faults_sections")
cube = numpy.random.default_rng(0).normal(size=(400, 200, 200)).astype(numpy.float32)
print("begins", flush=True)
try:
    model.predict(cube)
except KeyboardInterrupt:
    print("ended", model.predict(cube[0]).probability.shape)
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "begins\n")
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.stdout.read(), "ended (200, 200)\n")


class Anomalies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("anomalies", "synthesize", f"out={path('belt')}", "training=40", "validation=20", "test=6", "validation_spills=10", "test_spills=6")
        run("anomalies", "train", f"data={path('belt')}", "model=ae", "channels=32", "code=4", "epochs=2", "batch=16", "quiet=true",
            "resamples=50", "panels=2", f"run={path('belt_run')}", "device=cpu")
        cls.model = kern.load(path("belt_run"))
        cls.files = sorted((path("belt") / "test").rglob("*.png"))

    def test_scores_with_the_programs_bits(self):
        folder = os.path.commonpath(self.files)
        run("anomalies", "predict", f"model={path('belt_run')}", f"data={folder}", f"csv={path('verdicts.csv')}", "device=cpu")
        with open(path("verdicts.csv"), newline="") as file:
            rows = {row["file"]: row for row in csv.DictReader(file)}
        self.assertEqual(len(rows), len(self.files))
        found = self.model.predict(self.files)
        for file, mine in zip(self.files, found):
            theirs = rows[str(file)]
            self.assertEqual(float(theirs["score"]), mine.score)
            self.assertEqual(float(theirs["threshold"]), mine.threshold)
            self.assertEqual(theirs["verdict"] == "anomaly", mine.anomaly)
        alone = self.model.predict(self.files[0])
        self.assertEqual(alone.score, found[0].score)
        self.assertEqual(alone.map.shape, self.model.size)

    def test_keys_and_errors(self):
        self.assertTrue(self.model.predict(self.files[0], threshold=-1e9).anomaly)
        (rule, line), *_ = self.model.rules.items()
        self.assertEqual(self.model.predict(self.files[0], rule=rule).threshold, line)
        with self.assertRaisesRegex(kern.Error, "no threshold by the rule"):
            self.model.predict(self.files[0], rule="nothing")
        with self.assertRaisesRegex(kern.Error, "channels"):
            self.model.predict([np.zeros((28, 48, 2), np.uint8)])
        with self.assertRaises(kern.Error):
            self.model.predict(path("nothing.png"))


class Module(unittest.TestCase):
    def test_notes_go_to_logging(self):
        with self.assertLogs("kern", logging.INFO) as logged:
            kern.load("faults_sections")
            logging.getLogger("kern").info("one at least")
        self.assertTrue(logged.output)

    def test_machine(self):
        self.assertEqual(kern.machine()["version"], kern.__version__)

    def test_warnings_can_be_errors(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error", kern.KernWarning)
            with self.assertRaises(kern.KernWarning):
                kern.load("faults_sections").predict(np.full((20, 32), 2500, np.float32) + np.arange(32, dtype=np.float32))


if __name__ == "__main__":
    unittest.main()
