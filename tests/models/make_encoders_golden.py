#!/usr/bin/env python3
"""Makes tests/models/goldens/{mobilenet_v2,mobilenet_unet}_{torch,tensorflow}.safetensors, mobilenet_fpn.safetensors and vgg16_unet.safetensors: weights, input,
targets, logits, loss and every gradient of narrow variants of these networks, computed by PyTorch in float64 from definitions of its
own. Kern must reproduce them.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/models/make_encoders_golden.py
"""
import pathlib

import numpy as np
import torch
from make_unet1d_golden import save
from torch import nn
from torch.nn import functional as F

STAGES = [(1, 4, 1, 1), (2, 4, 2, 2), (3, 5, 1, 2), (2, 5, 2, 1)]  # expansion, channels, blocks, stride
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow's "same" does: what is odd goes to the end."""

    def forward(self, x):
        pads = []
        for size, k, s in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1]):
            total = max(0, (-(-size // s) - 1) * s + k - size)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, None, self.stride, 0, 1, self.groups)


def conv(tf, i, o, k, s, groups=1):
    return SameConv(i, o, k, s, groups=groups, bias=False) if tf else nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False)


def norm(tf, c):
    return nn.BatchNorm2d(c, eps=1e-3, momentum=0.01) if tf else nn.BatchNorm2d(c)


def conv_norm(tf, i, o, k, s, groups=1):
    return nn.Sequential(conv(tf, i, o, k, s, groups), norm(tf, o), nn.ReLU6())


class Inverted(nn.Module):
    def __init__(self, tf, i, o, s, t):
        super().__init__()
        parts = [conv_norm(tf, i, i * t, 1, 1)] if t > 1 else []
        self.conv = nn.Sequential(*parts, conv_norm(tf, i * t, i * t, 3, s, i * t), conv(tf, i * t, o, 1, 1), norm(tf, o))
        self.stride, self.adds = s, s == 1 and i == o

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNet(nn.Module):
    def __init__(self, tf, stem, last, classes, stages=STAGES):
        super().__init__()
        parts, c = [conv_norm(tf, 3, stem, 3, 2)], stem
        for t, o, n, s in stages:
            for j in range(n):
                parts.append(Inverted(tf, c, o, s if j == 0 else 1, t))
                c = o
        if classes:
            parts.append(conv_norm(tf, c, last, 1, 1))
            self.classifier = nn.Sequential(nn.Identity(), nn.Linear(last, classes))
        self.features, self.tf = nn.Sequential(*parts), tf

    def scaled(self, x):
        return 2 * x - 1 if self.tf else (x - torch.tensor(MEAN).double().view(1, 3, 1, 1)) / torch.tensor(DEVIATION).double().view(1, 3, 1, 1)

    def forward(self, x):
        return self.classifier(self.features(self.scaled(x)).mean((2, 3)))

    def taps(self, x):
        x, taps = self.scaled(x), []
        for part in self.features:
            if isinstance(part, Inverted) and part.stride == 2:
                taps.append(part.conv[0](x))
            x = part(x)
        return taps + [x]


def doubled(tf, t, x):
    """A transposed convolution 3x3 of stride 2, cropped at its end (TensorFlow) or its beginning (PyTorch)."""
    y = F.conv_transpose2d(x, t.weight, t.bias, 2)
    return y[:, :, :-1, :-1] if tf else y[:, :, 1:, 1:]


class Up(nn.Module):
    def __init__(self, tf, i, o):
        super().__init__()
        self.conv, self.norm, self.tf = nn.ConvTranspose2d(i, o, 3, 2, bias=False), norm(tf, o), tf

    def forward(self, x):
        return F.relu(self.norm(doubled(self.tf, self.conv, x)))


class MobileUNet(nn.Module):
    def __init__(self, tf, stem, channels, out):
        super().__init__()
        self.encoder, self.tf = MobileNet(tf, stem, 0, 0), tf
        widths, c = [4 * 2, 4 * 3], 5
        self.up = nn.ModuleList()
        for o, skip in zip(channels[::-1], widths[::-1]):
            self.up.append(Up(tf, c, o))
            c = o + skip
        self.head = nn.ModuleList([nn.ConvTranspose2d(c, out, 3, 2)])

    def forward(self, x):
        *skips, x = self.encoder.taps(x)
        for up, skip in zip(self.up, skips[::-1]):
            x = torch.cat([up(x), skip], 1)
        return doubled(self.tf, self.head[0], x)


class MobileFpn(nn.Module):
    """Laterals, top-down sums, and the merge of Panoptic FPN; of three levels."""

    def __init__(self, stem, pyramid, merged, out):
        super().__init__()
        self.encoder = MobileNet(False, stem, 0, 0, [*STAGES, (2, 6, 1, 2)])
        self.lateral = nn.ModuleList(nn.Conv2d(c, pyramid, 1) for c in (4 * 3, 5 * 2, 6))
        self.merge = nn.ModuleList(nn.ModuleList(Merge(merged if j else pyramid, merged) for j in range(max(1, i))) for i in range(3))
        self.head = nn.ModuleList([nn.Conv2d(merged, out, 1)])

    def forward(self, x):
        size, taps = x.shape[2:], self.encoder.taps(x)[1:]
        p = [None, None, self.lateral[2](taps[2])]
        for i in (1, 0):
            p[i] = self.lateral[i](taps[i]) + linear(p[i + 1], taps[i].shape[2:])
        quarter, eighth = taps[0].shape[2:], taps[1].shape[2:]
        y = self.merge[0][0](p[0]) + linear(self.merge[1][0](p[1]), quarter)
        y = y + linear(self.merge[2][1](linear(self.merge[2][0](p[2]), eighth)), quarter)
        return linear(self.head[0](y), size)


def linear(x, size):
    return F.interpolate(x, size=size, mode="bilinear")


class Merge(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(i, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class Double(nn.Sequential):
    def __init__(self, i, o):
        super().__init__(nn.Conv2d(i, o, 3, 1, 1), nn.Conv2d(o, o, 3, 1, 1))

    def forward(self, x):
        return self[1](F.relu(self[0](x)))


class Vgg(nn.Module):
    def __init__(self, channels):
        super().__init__()
        parts, c = [], 3
        for o, n in zip(channels, [2, 2, 3, 3]):
            for _ in range(n):
                parts += [nn.Conv2d(c, o, 3, 1, 1), nn.ReLU()]
                c = o
            parts.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*parts)

    def forward(self, x):
        x, taps = (x - torch.tensor(MEAN).double().view(1, 3, 1, 1)) / torch.tensor(DEVIATION).double().view(1, 3, 1, 1), []
        for part in self.features:
            if isinstance(part, nn.MaxPool2d):
                taps.append(x)
            x = part(x)
        return taps + [x]


class VggUNet(nn.Module):
    def __init__(self, channels, out):
        super().__init__()
        self.encoder = Vgg(channels)
        w = 2 * channels[-1]
        self.bottleneck = nn.ModuleList([nn.Conv2d(channels[-1], w, 3, 1, 1), nn.Conv2d(w, w, 3, 1, 1)])
        self.up, self.decode = nn.ModuleList(), nn.ModuleList()
        for level in (3, 2, 1, 0):
            if level % 2:
                self.up.append(nn.ConvTranspose2d(w, w, 2, 2))
            self.decode.append(Double(w + channels[level], channels[level]))
            w = channels[level]
        self.last_up, self.head = nn.ModuleList([nn.ConvTranspose2d(w, w, 2, 1)]), nn.ModuleList([Double(w, out)])

    def forward(self, x):
        size = x.shape[2:]
        *skips, x = self.encoder(x)
        for c in self.bottleneck:
            x = F.relu(c(x))
        for i, skip in enumerate(skips[::-1]):
            x = self.up[i // 2](x) if i % 2 == 0 else F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            x = F.relu(self.decode[i](torch.cat([x, skip], 1)))
        x = F.interpolate(F.relu(self.last_up[0](x)), size=size, mode="bilinear", align_corners=True)
        return self.head[0](x)


def channels_last(t):
    """PyTorch's [K,C,R,S] (and transposed [C,K,R,S]) filters and [N,C,H,W] arrays become [K,R,S,C], [C,R,S,K] and [N,H,W,C]."""
    a = t.detach().numpy()
    return np.ascontiguousarray(np.moveaxis(a, 1, 3)) if a.ndim == 4 else a


def make(path, net, shape, classes, training, seed):
    torch.manual_seed(seed)
    net = net().double().train(training)
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if "num_batches" in name:
                continue
            if name.endswith("running_mean"):
                t.normal_(0, 0.3)
            elif name.endswith("running_var"):
                t.uniform_(0.5, 1.5)
            elif t.ndim == 4:  # loud enough for deep layers to matter, and for ReLU6 to be reached
                t.normal_(0, (3.0 / t[0].numel()) ** 0.5)
            elif t.ndim == 1:
                t.add_(torch.randn_like(t) * 0.2)
            t.copy_(t.float().double())  # what the file can hold exactly
    state = {name: t.clone() for name, t in net.state_dict().items() if "num_batches" not in name}
    x = torch.rand(shape, dtype=torch.float64).float().double().requires_grad_()
    logits = net(x)
    target = torch.randint(0, classes, (shape[0], *logits.shape[2:]))
    loss = F.cross_entropy(logits, target)
    loss.backward()
    out = {"x": channels_last(x), "target": target.numpy(), "logits": channels_last(logits), "loss": loss.detach().numpy().reshape(1),
           "dx": channels_last(x.grad)}
    for name, t in state.items():
        out["weight." + name.replace("running_var", "running_variance")] = channels_last(t)
    for name, p in net.named_parameters():
        out["grad." + name] = channels_last(p.grad)
    save(path, out, {"torch": torch.__version__, "training": str(int(training))})


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "goldens"
    for tf, origin in ((False, "torch"), (True, "tensorflow")):
        make(folder / f"mobilenet_v2_{origin}.safetensors", lambda: MobileNet(tf, 4, 6, 3), (2, 3, 19, 22), 3, False, 1)
        make(folder / f"mobilenet_unet_{origin}.safetensors", lambda: MobileUNet(tf, 4, [4, 5], 3), (2, 3, 16, 24), 3, True, 2)
    make(folder / "mobilenet_fpn.safetensors", lambda: MobileFpn(4, 4, 3, 3), (2, 3, 32, 48), 3, True, 4)
    make(folder / "vgg16_unet.safetensors", lambda: VggUNet([3, 4, 4, 5], 3), (1, 3, 32, 16), 3, True, 3)
