#!/usr/bin/env python3
"""Makes tests/models/goldens/unet3d*.safetensors and high_resolution3d.safetensors: weights, input, targets, logits, loss and every gradient of narrow 3-D networks,
computed by PyTorch in float64 from definitions of its own. Kern must reproduce them.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/models/make_volumes_golden.py
"""
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from make_unet1d_golden import save


class Unit(nn.Module):
    def __init__(self, i, o, norm):
        super().__init__()
        self.conv = nn.Conv3d(i, o, 3, 1, 1)
        self.norm = nn.BatchNorm3d(o) if norm else None

    def forward(self, x):
        x = self.conv(x)
        return F.relu(self.norm(x) if self.norm else x)


class Double(nn.Sequential):
    def __init__(self, i, o, norm):
        super().__init__(Unit(i, o, norm), Unit(o, o, norm))


class UNet(nn.Module):
    def __init__(self, i, o, channels, norm):
        super().__init__()
        self.down, self.decode = nn.ModuleList(), nn.ModuleList()
        for c in channels:
            self.down.append(Double(i, c, norm))
            i = c
        for c in channels[-2::-1]:
            self.decode.append(Double(i + c, c, norm))
            i = c
        self.head = nn.ModuleList([nn.Conv3d(i, o, 1)])

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool3d(x, 2) if level else x)
            skips.append(x)
        for block, skip in zip(self.decode, skips[-2::-1]):
            x = block(torch.cat([F.interpolate(x, scale_factor=2), skip], 1))
        return self.head[0](x)


class ConvNorm(nn.Module):
    def __init__(self, conv, o):
        super().__init__()
        self.conv, self.norm = conv, nn.BatchNorm3d(o)

    def forward(self, x):
        return self.norm(self.conv(x))


def conv_norm(i, o, k, s=1, bias=False):
    return ConvNorm(nn.Conv3d(i, o, k, s, k // 2, bias=bias), o)


class Block(nn.Module):
    def __init__(self, first, middle, last, shortcut=None):
        super().__init__()
        self.first, self.middle, self.last, self.shortcut = first, middle, last, shortcut

    def forward(self, x):
        y = F.silu(self.first(x))
        if self.middle:
            y = F.silu(self.middle(y))
        return F.silu(self.last(y) + (self.shortcut(x) if self.shortcut else x))


def basic(c):
    return Block(conv_norm(c, c, 3), None, conv_norm(c, c, 3))


class Exchange(nn.Module):
    def __init__(self, c, blocks):
        super().__init__()
        self.fine = nn.ModuleList(basic(c) for _ in range(blocks))
        self.coarse = nn.ModuleList(basic(2 * c) for _ in range(blocks))
        self.up, self.down = conv_norm(2 * c, c, 1), conv_norm(c, 2 * c, 3, 2)

    def forward(self, fine, coarse):
        for a, b in zip(self.fine, self.coarse):
            fine, coarse = a(fine), b(coarse)
        return F.silu(fine + F.interpolate(self.up(coarse), scale_factor=2)), F.silu(self.down(fine) + coarse)


class HighResolution(nn.Module):
    def __init__(self, i, o, c, bottlenecks, modules, blocks):
        super().__init__()
        self.full = nn.ModuleList([conv_norm(i, c, 3), conv_norm(c, c, 3)])
        self.half_ = nn.ModuleList([conv_norm(c, 2 * c, 3, 2), conv_norm(2 * c, 2 * c, 3)])
        self.stem = nn.ModuleList([conv_norm(2 * c, 2 * c, 3)])
        self.bottlenecks = nn.ModuleList(
            Block(conv_norm(w, 2 * c, 1), conv_norm(2 * c, 2 * c, 3), conv_norm(2 * c, 8 * c, 1), conv_norm(w, 8 * c, 1) if w != 8 * c else None)
            for w in [2 * c] + [8 * c] * (bottlenecks - 1))
        self.fine, self.coarse = nn.ModuleList([conv_norm(8 * c, c, 3)]), nn.ModuleList([conv_norm(8 * c, 2 * c, 3, 2)])
        self.modules_ = nn.ModuleList(Exchange(c, blocks) for _ in range(modules))
        self.back = nn.ModuleList([ConvNorm(nn.ConvTranspose3d(5 * c, c, 4, 2, 1, bias=False), c)])
        self.out = nn.ModuleList([conv_norm(2 * c, c, 3, bias=True), conv_norm(c, c, 3, bias=True)])
        self.head = nn.ModuleList([nn.Conv3d(c, o, 3, 1, 1)])

    def forward(self, x):
        full = F.silu(self.full[1](F.silu(self.full[0](x))))
        half = F.silu(self.half_[1](F.silu(self.half_[0](full))))
        x = F.silu(self.stem[0](half))
        for block in self.bottlenecks:
            x = block(x)
        fine, coarse = F.silu(self.fine[0](x)), F.silu(self.coarse[0](x))
        for module in self.modules_:
            fine, coarse = module(fine, coarse)
        x = torch.cat([fine, F.interpolate(coarse, scale_factor=2), half], 1)
        x = torch.cat([F.silu(self.back[0](x)), full], 1)
        for conv in self.out:
            x = F.silu(conv(x))
        return self.head[0](x)


def channels_last(t):
    """PyTorch's [K,C,T,R,S] (and transposed [C,K,T,R,S]) filters and [N,C,D,H,W] arrays become [K,T,R,S,C], [C,T,R,S,K] and [N,D,H,W,C]."""
    a = t.detach().numpy()
    return np.ascontiguousarray(np.moveaxis(a, 1, 4)) if a.ndim == 5 else a


def named(name):
    return name.replace("running_var", "running_variance").replace("modules_.", "modules.").replace("half_.", "half.")


def make(path, net, shape, classes, seed):
    torch.manual_seed(seed)
    net = net.double().train()
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if "num_batches" in name:
                continue
            if name.endswith("running_mean"):
                t.normal_(0, 0.3)
            elif name.endswith("running_var"):
                t.uniform_(0.5, 1.5)
            elif t.ndim == 5:  # loud enough for deep layers to matter
                t.normal_(0, (3.0 / t[0].numel()) ** 0.5)
            elif t.ndim == 1:
                t.add_(torch.randn_like(t) * 0.2)
            t.copy_(t.float().double())  # what the file can hold exactly
    state = {name: t.clone() for name, t in net.state_dict().items() if "num_batches" not in name}
    x = torch.randn(shape, dtype=torch.float64).float().double().requires_grad_()
    logits = net(x)
    target = torch.randint(0, classes, (shape[0], *logits.shape[2:]))
    loss = F.cross_entropy(logits, target)
    loss.backward()
    out = {"x": channels_last(x), "target": target.numpy(), "logits": channels_last(logits), "loss": loss.detach().numpy().reshape(1),
           "dx": channels_last(x.grad)}
    for name, t in state.items():
        out["weight." + named(name)] = channels_last(t)
    for name, p in net.named_parameters():
        out["grad." + named(name)] = channels_last(p.grad)
    save(path, out, {"torch": torch.__version__, "training": "1"})


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).parent / "goldens"
    make(folder / "unet3d.safetensors", UNet(1, 2, [2, 3, 4], True), (2, 1, 4, 8, 4), 2, 1)
    make(folder / "unet3d_published.safetensors", UNet(2, 2, [2, 4], False), (1, 2, 4, 2, 6), 2, 2)
    make(folder / "high_resolution3d.safetensors", HighResolution(1, 2, 2, 2, 2, 1), (2, 1, 8, 12, 8), 2, 3)
    print("full size:", sum(p.numel() for p in HighResolution(1, 1, 8, 4, 6, 4).parameters()), "parameters")
