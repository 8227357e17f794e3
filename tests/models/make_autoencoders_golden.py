#!/usr/bin/env python3
"""Makes tests/models/goldens/{ae,vae,conv_ae,conv_ae_fc}.safetensors: weights, images, reconstructions, loss and every gradient of small
variants of the auto-encoders of the anomalies, in evaluation (the code is its mean), computed by PyTorch in float64 from definitions
of its own. Images are flattened channels last.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/models/make_autoencoders_golden.py
"""
import pathlib

import torch
from make_encoders_golden import channels_last
from make_unet1d_golden import save
from torch import nn
from torch.nn import functional as F

C, H, W = 3, 8, 12
VALUES = C * H * W


def flat(x):
    return x.permute(0, 2, 3, 1).flatten(1)


def image(x, c=C, h=H, w=W):
    return x.reshape(-1, h, w, c).permute(0, 3, 1, 2)


def chain(*widths):
    return nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = chain(VALUES, 7, 5, 3, 5, 7, VALUES)

    def forward(self, x):
        y = flat(x)
        for i, layer in enumerate(self.layers):
            y = layer(y) if i + 1 == len(self.layers) else F.relu(layer(y))
        return torch.sigmoid(image(y)), 0


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.mean, self.spread = chain(VALUES, 7), chain(7, 3), chain(7, 3)
        self.decode = chain(3, 5, 7, VALUES)

    def forward(self, x):
        h = F.relu(self.encode[0](flat(x)))
        mean, log_sigma = self.mean[0](h), self.spread[0](h)
        kl = ((2 * log_sigma).exp() + mean ** 2 - 2 * log_sigma - 1).sum() / 2
        y = mean
        for i, layer in enumerate(self.decode):
            y = layer(y) if i + 1 == len(self.decode) else F.relu(layer(y))
        return torch.sigmoid(image(y)), kl


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(C, 5, 3, 1, 1), nn.Conv2d(5, 4, 3, 1, 1)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(4, 5, 2, 2), nn.ConvTranspose2d(5, C, 2, 2)])

    def forward(self, x):
        for conv in self.down:
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return torch.sigmoid(self.up[1](F.relu(self.up[0](x)))), 0


class ConvVae(nn.Module):
    def __init__(self):
        super().__init__()
        n = 2 * (H // 2) * (W // 2)
        self.conv, self.hidden, self.mean, self.spread = nn.Conv2d(C, 2, 3, 2, 1), nn.Linear(n, 6), nn.Linear(6, 3), nn.Linear(6, 3)
        self.widen, self.out = nn.Linear(3, n), nn.Linear(n, VALUES)

    def forward(self, x):
        mean = self.mean(F.relu(self.hidden(flat(F.relu(self.conv(x))))))
        return torch.sigmoid(image(self.out(F.relu(self.widen(mean))))), 0


def make(path, net, seed):
    torch.manual_seed(seed)
    net = net().double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_((2 * p).float().double())  # what the file can hold exactly
    x = torch.rand(2, C, H, W, dtype=torch.float64).float().double().requires_grad_()
    y, kl = net(x)
    loss = (((y - x) ** 2).sum() + kl) / len(x)
    loss.backward()
    out = {"x": channels_last(x), "image": channels_last(y), "loss": loss.detach().numpy().reshape(1), "dx": channels_last(x.grad)}
    for name, p in net.named_parameters():
        out["weight." + name] = channels_last(p)
        if p.grad is not None:  # a width without divergence and without drawing gets none
            out["grad." + name] = channels_last(p.grad)
    save(path, out, {"torch": torch.__version__})


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "goldens"
    for name, net, seed in (("ae", Dense, 1), ("vae", Vae, 2), ("conv_ae", Pooled, 3), ("conv_ae_fc", ConvVae, 4)):
        make(folder / f"{name}.safetensors", net, seed)
