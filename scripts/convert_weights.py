#!/usr/bin/env python3
"""Weights of an encoder from PyTorch, Keras or numpy into a safetensors file that `encoder.weights=` takes.

    scripts/convert_weights.py mobilenet_v2.pth mobilenet_v2.safetensors
    scripts/convert_weights.py mobilenet_v2_weights.h5 mobilenet_v2.safetensors
    scripts/convert_weights.py weights.npz out.safetensors --origin tensorflow

Takes .pth/.pt (a state dict, or a checkpoint that holds one; needs torch), .h5 of keras.applications' MobileNetV2 and VGG16 (needs h5py),
.npz and .safetensors (numpy alone). Names stay what they are but for Keras's, which become torchvision's, with its filters [R,S,C,K] as
[K,C,R,S]. The file says in its metadata how the weights want to be used: where even sizes are padded, how the input is scaled, the
norm's eps. Prints what it did, and ends with 1 and a sentence where it cannot.
"""
import argparse
import json
import pathlib
import struct
import sys

import numpy as np

KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1"}
TORCH = {"padding": "PyTorch (stride-2: 1 before, 1 after)", "input": "RGB ImageNet mean and deviation", "norm_eps": "1e-05"}
TENSORFLOW = {"padding": "TensorFlow SAME (stride-2: 0 before, 1 after)", "input": "RGB x/127.5-1", "norm_eps": "0.001"}
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
KERAS_MEAN = np.array([123.68, 116.779, 103.939]) / 255  # nearly the same numbers


def fail(sentence):
    sys.exit("convert_weights: " + sentence)


def read_torch(path):
    try:
        import torch
    except ImportError:
        fail("reading .pth files needs PyTorch: pip install torch")
    held = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(held, dict) and isinstance(held.get(key), dict):
            held = held[key]
    if not isinstance(held, dict) or not held or not all(hasattr(t, "numpy") for t in held.values()):
        fail(f"{path} holds no dictionary of tensors; save model.state_dict()")
    arrays = {name: t.float().numpy() if t.is_floating_point() else t.numpy() for name, t in held.items()}
    while arrays and all(name.startswith("module.") for name in arrays):  # DataParallel's
        arrays = {name[len("module."):]: a for name, a in arrays.items()}
    return arrays


def read_safetensors(path):
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + length])
    metadata, arrays = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        if entry["dtype"] not in KINDS:
            fail(f"{path}: tensor '{name}' is {entry['dtype']}; save it as F32")
        begin, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(raw[8 + length + begin:8 + length + end], KINDS[entry["dtype"]]).reshape(entry["shape"])
    return arrays, metadata


def read_keras(path):
    """Layers of keras.applications by name -> {"kernel": array, ...}."""
    try:
        import h5py
    except ImportError:
        fail("reading .h5 files needs h5py: pip install h5py")
    layers = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            parts = name.split("/")
            layers.setdefault(parts[-2], {})[parts[-1].split(":")[0]] = item[()]

    with h5py.File(path, "r") as file:
        (file["model_weights"] if "model_weights" in file else file).visititems(visit)
    return layers


def keras_mobilenet(layers):
    def place(layer):
        """torchvision's name of a Keras layer and whether it is a norm."""
        fixed = {"Conv1": ("features.0.0", 0), "bn_Conv1": ("features.0.1", 1), "Conv_1": ("features.18.0", 0),
                 "Conv_1_bn": ("features.18.1", 1), "predictions": ("classifier.1", 0), "Logits": ("classifier.1", 0)}
        if layer in fixed:
            return fixed[layer]
        first = layer.startswith("expanded_conv_")
        if not first and not layer.startswith("block_"):
            return None
        number, what = ("0", layer[len("expanded_conv_"):]) if first else layer[len("block_"):].split("_", 1)
        inner = {"expand": "0.0", "expand_BN": "0.1", "depthwise": "1.0", "depthwise_BN": "1.1", "project": "2", "project_BN": "3"}
        if first:  # without expansion everything moves up
            inner = {"depthwise": "0.0", "depthwise_BN": "0.1", "project": "1", "project_BN": "2"}
        return (f"features.{int(number) + 1}.conv.{inner[what]}", what.endswith("BN")) if what in inner else None

    out = {}
    for layer, arrays in layers.items():
        at = place(layer)
        if not at:
            fail(f"the Keras layer '{layer}' is not one of MobileNetV2")
        name, is_norm = at
        if is_norm:
            for theirs, ours in (("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"), ("moving_variance", "running_var")):
                out[f"{name}.{ours}"] = arrays[theirs]
        elif "depthwise_kernel" in arrays or arrays["kernel"].shape[3:] == (1,) and layer.endswith("depthwise"):
            out[name + ".weight"] = arrays.get("depthwise_kernel", arrays.get("kernel")).transpose(2, 3, 0, 1)  # [R,S,C,1]
        else:
            kernel = arrays["kernel"]
            out[name + ".weight"] = kernel.T if kernel.ndim == 2 else kernel.transpose(3, 2, 0, 1)
            if "bias" in arrays:
                out[name + ".bias"] = arrays["bias"]
    return out


def keras_vgg(layers):
    """Keras's VGG16 was trained on BGR images of 0..255 less a mean: the first filters take that over, so that the input is
    torchvision's, and its bias the small difference of the means."""
    out, at = {}, 0
    for block, count in enumerate((2, 2, 3, 3, 3), 1):
        for conv in range(1, count + 1):
            arrays = layers.get(f"block{block}_conv{conv}")
            if not arrays:
                fail(f"the Keras file has no layer 'block{block}_conv{conv}': it is not VGG16's")
            kernel = arrays["kernel"]
            if at == 0:
                kernel = kernel[:, :, ::-1] * (255 * DEVIATION)[None, None, :, None]
                arrays["bias"] = arrays["bias"] + np.einsum("rsck,c->k", kernel, (MEAN - KERAS_MEAN) / DEVIATION)
            out[f"features.{at}.weight"] = kernel.transpose(3, 2, 0, 1)
            out[f"features.{at}.bias"] = arrays["bias"]
            at += 2
        at += 1
    return out


def write(path, arrays, metadata):
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name in sorted(arrays):
        a = np.ascontiguousarray(arrays[name], "<f4")
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [offset, offset + a.nbytes]}
        blobs.append(a.tobytes())
        offset += a.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    partial = path.with_name(path.name + ".part")
    with open(partial, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        file.writelines(blobs)
    partial.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--origin", choices=("torch", "tensorflow"), help="where .pth, .npz and .safetensors weights were trained; "
                        "default: what the file says, else torch")
    arguments = parser.parse_args()
    source, said = arguments.source, {}
    if not source.is_file():
        fail(f"there is no file {source}")
    if source.suffix in (".pth", ".pt"):
        arrays = read_torch(source)
    elif source.suffix == ".npz":
        with np.load(source) as held:
            arrays = dict(held)
    elif source.suffix == ".safetensors":
        arrays, said = read_safetensors(source)
    elif source.suffix in (".h5", ".hdf5"):
        layers = read_keras(source)
        vgg = "block1_conv1" in layers
        arrays = keras_vgg(layers) if vgg else keras_mobilenet(layers)
        arguments.origin = "torch" if vgg else "tensorflow"  # VGG16 has no stride of 2, and its input is made torchvision's
    else:
        fail(f"{source.name}: takes .pth, .pt, .h5, .npz and .safetensors")
    arrays = {name: a for name, a in arrays.items() if not name.endswith("num_batches_tracked")}
    for name, a in arrays.items():
        if a.dtype.kind not in "fiu" or not np.isfinite(a).all():
            fail(f"tensor '{name}' holds values that are no finite numbers")
    own = TENSORFLOW if arguments.origin == "tensorflow" else TORCH
    metadata = {"format": "pt", "source": source.name, **own, **({} if arguments.origin else said)}
    write(arguments.target, arrays, metadata)
    values = sum(a.size for a in arrays.values())
    print(f"{arguments.target}: {len(arrays)} tensors, {values} values; padding: {metadata['padding']}; input: {metadata['input']}")


if __name__ == "__main__":
    main()
