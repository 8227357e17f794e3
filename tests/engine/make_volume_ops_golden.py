#!/usr/bin/env python3
"""Makes tests/engine/goldens/volume_ops.safetensors: for each op on volumes its inputs, its output, a gradient that arrives there and the
gradients of the inputs, computed by PyTorch in float64. Kern must reproduce them.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/engine/make_volume_ops_golden.py
"""
import pathlib
import sys

import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "models"))
from make_unet1d_golden import save
from make_volumes_golden import channels_last

out = {}


def exact(*shape):
    return torch.randn(shape, dtype=torch.float64).float().double()


def record(name, f, *inputs):
    inputs = [i.requires_grad_() for i in inputs]
    y = f(*inputs)
    dy = exact(*y.shape)
    y.backward(dy)
    out[name + ".y"], out[name + ".dy"] = channels_last(y), channels_last(dy)
    for number, i in enumerate(inputs):
        out[f"{name}.{number}"], out[f"{name}.d{number}"] = channels_last(i), channels_last(i.grad)


if __name__ == "__main__":
    torch.manual_seed(1)
    record("conv3d", lambda x, w, b: F.conv3d(x, w, b, (2, 1, 2), (1, 0, 2), (1, 2, 1), 2), exact(2, 4, 5, 6, 4), exact(6, 2, 3, 2, 3), exact(6))
    record("conv3d_same", lambda x, w, b: F.conv3d(x, w, b, 1, 1), exact(2, 3, 4, 3, 5), exact(2, 3, 3, 3, 3), exact(2))
    record("conv3d_planes", lambda x, w, b: F.conv3d(x, w, b, (1, 2, 1), (0, 1, 1)), exact(2, 3, 4, 5, 4), exact(2, 3, 1, 3, 3), exact(2))
    record("conv_transpose3d", lambda x, w, b: F.conv_transpose3d(x, w, b, (2, 1, 2), (1, 0, 1), (1, 0, 0), 2, (1, 2, 1)),
           exact(2, 4, 3, 2, 3), exact(4, 3, 3, 2, 4), exact(6))
    record("conv_transpose3d_doubling", lambda x, w, b: F.conv_transpose3d(x, w, b, 2, 1), exact(1, 3, 2, 3, 2), exact(3, 2, 4, 4, 4), exact(2))
    few = lambda *shape: torch.randint(0, 3, shape).double()  # maxima that are equal
    record("max_pool3d", lambda x: F.max_pool3d(x, 2), few(2, 3, 4, 6, 5))
    record("max_pool3d_overlapping", lambda x: F.max_pool3d(x, (3, 2, 3), (2, 1, 2), (1, 0, 1)), few(2, 2, 5, 4, 6))
    record("avg_pool3d", lambda x: F.avg_pool3d(x, (3, 2, 3), (2, 1, 2), (1, 0, 1)), exact(2, 2, 5, 4, 6))
    record("avg_pool3d_inside", lambda x: F.avg_pool3d(x, (3, 2, 3), (2, 1, 2), (1, 0, 1), count_include_pad=False), exact(2, 2, 5, 4, 6))
    record("nearest", lambda x: F.interpolate(x, (5, 4, 7)), exact(2, 2, 3, 2, 4))
    record("trilinear", lambda x: F.interpolate(x, (5, 4, 7), mode="trilinear"), exact(2, 2, 3, 2, 4))
    record("trilinear_corners", lambda x: F.interpolate(x, (5, 4, 7), mode="trilinear", align_corners=True), exact(2, 2, 3, 2, 4))
    record("trilinear_by_1.5", lambda x: F.interpolate(x, scale_factor=1.5, mode="trilinear", recompute_scale_factor=False), exact(1, 2, 3, 4, 3))
    record("pad3d", lambda x: F.pad(x, (1, 0, 2, 1, 0, 3)), exact(1, 2, 3, 2, 4))
    record("batch_norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True), exact(2, 3, 2, 3, 4), exact(3), exact(3))
    record("instance_norm", lambda x, w, b: F.instance_norm(x, None, None, w, b), exact(2, 3, 2, 3, 4), exact(3), exact(3))
    record("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), exact(2, 4, 2, 3, 2), exact(4), exact(4))
    save(pathlib.Path(__file__).parent / "goldens" / "volume_ops.safetensors", out, {"torch": torch.__version__})
