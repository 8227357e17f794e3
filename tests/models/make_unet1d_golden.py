#!/usr/bin/env python3
"""Makes tests/models/goldens/unet1d*.safetensors: weights, input, targets, logits, loss and every gradient of the residual
1-D U-Net, computed by PyTorch in float64 from a definition of its own. Kern must reproduce them.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/models/make_unet1d_golden.py
"""
import json
import pathlib
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    def __init__(self, i, o, k, s, conv_only):
        super().__init__()
        self.conv = nn.Conv1d(i, o, k, s, k // 2)
        self.conv_only = conv_only
        if not conv_only:
            self.norm, self.act = nn.InstanceNorm1d(o), nn.PReLU()

    def forward(self, x):
        x = self.conv(x)
        return x if self.conv_only else self.act(self.norm(x))


class Residual(nn.Module):
    def __init__(self, i, o, k, s, n, last_conv_only=False):
        super().__init__()
        self.units = nn.ModuleList(
            Unit(i if j == 0 else o, o, k, s if j == 0 else 1, last_conv_only and j + 1 == n) for j in range(n))
        self.shortcut = (nn.Conv1d(i, o, k, s, k // 2) if s != 1 else nn.Conv1d(i, o, 1) if i != o else nn.Identity())

    def forward(self, x):
        y = x
        for unit in self.units:
            y = unit(y)
        return y + self.shortcut(x)


class Up(nn.Module):
    def __init__(self, i, o, k, s, top):
        super().__init__()
        self.conv = nn.ConvTranspose1d(i, o, k, s, k // 2, s - 1)
        self.norm, self.act = nn.InstanceNorm1d(o), nn.PReLU()
        self.unit = Residual(o, o, k, 1, 1, top)

    def forward(self, x):
        return self.unit(self.act(self.norm(self.conv(x))))


class UNet(nn.Module):
    def __init__(self, i, o, channels, strides, k=3, n=3):
        super().__init__()
        L = len(strides)
        self.down = nn.ModuleList(Residual(i if l == 0 else channels[l - 1], channels[l], k, strides[l], n) for l in range(L))
        self.bottom = nn.ModuleList([Residual(channels[L - 1], channels[L], k, 1, n)])
        self.up = nn.ModuleList(
            Up(channels[l] + (channels[L] if l == L - 1 else channels[l]), o if l == 0 else channels[l - 1], k, strides[l], l == 0)
            for l in range(L))

    def forward(self, x):
        skips = []
        for d in self.down:
            x = d(x)
            skips.append(x)
        x = self.bottom[0](x)
        for l in reversed(range(len(self.up))):
            x = self.up[l](torch.cat([skips[l], x], 1))
        return x


def channels_last(name, t):
    """PyTorch's [K,C,S] (and transposed [C,K,S]) filters and [N,C,L] arrays become [K,S,C], [C,S,K] and [N,L,C]."""
    a = t.detach().numpy()
    return np.ascontiguousarray(np.moveaxis(a, 1, 2)) if a.ndim == 3 else a


def save(path, tensors, metadata):
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name in sorted(tensors):
        a = tensors[name]
        a = a.astype(np.int32) if a.dtype.kind == "i" else a.astype(np.float32)
        header[name] = {"dtype": "I32" if a.dtype.kind == "i" else "F32", "shape": list(a.shape), "data_offsets": [offset, offset + a.nbytes]}
        blobs.append(a.tobytes())
        offset += a.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(blobs))
    print(path, path.stat().st_size, "bytes")


def make(path, i, o, channels, strides, length, seed):
    torch.manual_seed(seed)
    net = UNet(i, o, channels, strides).double()
    with torch.no_grad():
        for p in net.parameters():  # what the file can hold exactly
            p.copy_(p.float().double())
    x = torch.randn(2, i, length, dtype=torch.float64).float().double().requires_grad_()
    target = torch.randint(-1, o, (2, length))
    weight = torch.linspace(0.5, 1.5, o, dtype=torch.float64).float().double()
    logits = net(x)
    loss = F.cross_entropy(logits, target, weight=weight, ignore_index=-1)
    loss.backward()
    out = {"x": channels_last("x", x), "target": target.numpy(), "class_weight": weight.numpy(), "logits": channels_last("y", logits),
           "loss": loss.detach().numpy().reshape(1), "dx": channels_last("dx", x.grad)}
    for name, p in net.named_parameters():
        out["weight." + name] = channels_last(name, p)
        out["grad." + name] = channels_last(name, p.grad)
    save(path, out, {"torch": torch.__version__, "channels": ",".join(map(str, channels)), "strides": ",".join(map(str, strides)),
                     "in": str(i), "out": str(o)})


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "goldens"
    make(folder / "unet1d.safetensors", 1, 5, [1, 2, 4, 8], [1, 1, 1], 37, 1)
    make(folder / "unet1d_strided.safetensors", 2, 3, [4, 6, 8], [2, 2], 40, 2)
    full = UNet(1, 5, [1, 4, 8, 16, 32, 64, 128], [1] * 6)
    print("full size:", sum(p.numel() for p in full.parameters()), "parameters")
