#!/usr/bin/env python3
"""Makes tests/models/goldens/discriminator*.safetensors and windowed_mlp.safetensors: weights, input, targets, logits, loss and
every gradient of the fully convolutional discriminator (Hung et al. 2018) and of the fully connected network on windows,
computed by PyTorch in float64 from a definition of its own. Kern must reproduce them.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/models/make_discriminator_golden.py
"""
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from make_unet1d_golden import save


def last(t):
    """Channels, PyTorch's second dimension, to the end: activations and filters alike."""
    a = t.detach().numpy()
    return np.ascontiguousarray(np.moveaxis(a, 1, -1)) if a.ndim > 2 else a


class Discriminator(nn.Module):
    def __init__(self, classes, channels, dimensions):
        super().__init__()
        conv = nn.Conv1d if dimensions == 1 else nn.Conv2d
        widths = [classes, *channels, 1]
        self.convolutions = nn.ModuleList(conv(i, o, 4, 2, 1) for i, o in zip(widths, widths[1:]))

    def forward(self, x):
        y = x
        for i, conv in enumerate(self.convolutions):
            y = conv(y if i == 0 else F.leaky_relu(y, 0.2))
        return F.interpolate(y, x.shape[2:], mode="linear" if x.dim() == 3 else "bilinear", align_corners=False)


class Mlp(nn.Module):
    """As its name says: a linear layer over each window, then linear layers."""

    def __init__(self, i, o, radius, hidden):
        super().__init__()
        self.radius = radius
        self.window = nn.ModuleList([nn.Linear((2 * radius + 1) * i, hidden[0])])
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(hidden, hidden[1:]))
        self.head = nn.ModuleList([nn.Linear(hidden[-1], o)])

    def forward(self, x):  # [N,C,L] -> [N,K,L]
        windows = F.pad(x, (self.radius, self.radius)).unfold(2, 2 * self.radius + 1, 1)  # [N,C,L,S]
        y = torch.relu(self.window[0](windows.permute(0, 2, 3, 1).flatten(2)))  # samples, then channels
        for layer in self.hidden:
            y = torch.relu(layer(y))
        return self.head[0](y).transpose(1, 2)


def make(path, net, shape, loss_of, metadata, reshape, seed):
    torch.manual_seed(seed)
    net = net.double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn_like(p).mul(0.3).float().double())
    x = torch.randn(*shape, dtype=torch.float64).float().double().requires_grad_()
    logits = net(x)
    target, loss = loss_of(logits)
    loss.backward()
    out = {"x": last(x), "target": target, "logits": last(logits), "loss": loss.detach().numpy().reshape(1), "dx": last(x.grad)}
    for name, p in net.named_parameters():
        out["weight." + name] = reshape(name, last(p))
        out["grad." + name] = reshape(name, last(p.grad))
    save(path, out, {"torch": torch.__version__, **metadata})


def bce(logits):
    target = (torch.rand_like(logits) < 0.5).double()
    return last(target), F.binary_cross_entropy_with_logits(logits, target)


def cross_entropy(logits):
    target = torch.randint(-1, logits.shape[1], (logits.shape[0], *logits.shape[2:]))
    return target.numpy(), F.cross_entropy(logits, target, ignore_index=-1)


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "goldens"
    same = lambda name, a: a
    make(folder / "discriminator1d.safetensors", Discriminator(3, [4, 5, 6, 7], 1), (2, 3, 71), bce, {"channels": "4,5,6,7"}, same, 1)
    make(folder / "discriminator2d.safetensors", Discriminator(2, [3, 4, 3, 5], 2), (1, 2, 33, 40), bce, {"channels": "3,4,3,5"}, same, 2)
    filters = lambda name, a: a.reshape(a.shape[0], 7, 2) if name == "window.0.weight" else a
    make(folder / "windowed_mlp.safetensors", Mlp(2, 4, 3, [6, 5]), (2, 2, 23), cross_entropy, {}, filters, 3)
    full = Discriminator(21, [64, 128, 256, 512], 2)
    print("2-D, 21 classes:", sum(p.numel() for p in full.parameters()), "parameters")
