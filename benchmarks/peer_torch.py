"""The models of `kern bench steps` in PyTorch, for benchmarks/compare_torch.py: make(id, batch, side) -> (module, x, y, loss).

Definitions of our own, as one would write them in PyTorch; compare_torch.py checks that they have as many parameters as Kern's.
"""
import torch
from torch import nn
from torch.nn import functional as F

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class ImageNetScaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))

    def forward(self, x):
        return (x - self.mean) / self.deviation


# a, b, c: U-Nets with batch norm
def conv_norm(i, o, dropout=0.0):
    return [nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True)] + ([nn.Dropout2d(dropout)] if dropout else [])


def block(i, o, dropout):
    return nn.Sequential(*conv_norm(i, o, dropout), *conv_norm(o, o, dropout))


class UNet2d(nn.Module):
    def __init__(self, i, out, channels, dropout=0.0, head_conv=False):
        super().__init__()
        self.down = nn.ModuleList(block(a, b, dropout) for a, b in zip([i, *channels], channels))
        steps = list(zip(channels[:0:-1], channels[-2::-1]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in steps)
        self.decode = nn.ModuleList(block(2 * b, b, dropout) for _, b in steps)
        c = channels[0]
        self.head = nn.Sequential(*(conv_norm(c, c) if head_conv else []), nn.Conv2d(c, out, 1))

    def forward(self, x):
        skips = []
        for i, down in enumerate(self.down):
            x = down(F.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for up, decode, skip in zip(self.up, self.decode, skips[-2::-1]):
            x = decode(torch.cat([up(x), skip], 1))
        return self.head(x)


# d, D: residual U-Nets of stride 1
def unit(conv, i, o, plain=False):
    c = conv(i, o, 3, padding=1)
    return c if plain else nn.Sequential(c, nn.InstanceNorm1d(o), nn.PReLU())


class Residual(nn.Module):
    def __init__(self, i, o, units, plain_end=False):
        super().__init__()
        widths = [i] + [o] * units
        self.units = nn.Sequential(*(unit(nn.Conv1d, a, o, plain_end and j == units - 1) for j, a in enumerate(widths[:-1])))
        self.skip = nn.Conv1d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x):
        return self.units(x) + self.skip(x)


class UNet1d(nn.Module):
    def __init__(self, i, out, channels, units):
        super().__init__()
        self.down = nn.ModuleList(Residual(a, b, units) for a, b in zip([i, *channels], channels[:-1]))
        self.bottom = Residual(channels[-2], channels[-1], units)
        self.up, below = nn.ModuleList(), channels[-1]
        for level in range(len(channels) - 2, -1, -1):
            to = channels[level - 1] if level else out
            self.up.append(nn.Sequential(unit(nn.ConvTranspose1d, channels[level] + below, to), Residual(to, to, 1, level == 0)))
            below = to

    def forward(self, x):
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.bottom(x)
        for up in self.up:
            x = up(torch.cat([skips.pop(), x], 1))
        return x


# C: MobileNetV2-U-Net
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def conv_relu6(i, o, k, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o), nn.ReLU6(inplace=True))


class Inverted(nn.Module):
    def __init__(self, i, o, stride, expansion):
        super().__init__()
        wide = i * expansion
        self.expand = conv_relu6(i, wide, 1) if expansion > 1 else nn.Identity()
        self.project = nn.Sequential(conv_relu6(wide, wide, 3, stride, wide), nn.Conv2d(wide, o, 1, bias=False), nn.BatchNorm2d(o))
        self.stride, self.adds = stride, stride == 1 and i == o

    def forward(self, x):
        wide = self.expand(x)
        y = self.project(wide)
        return (x + y if self.adds else y), wide


class MobileNetUNet(nn.Module):
    def __init__(self, out, channels=(64, 128, 256, 512)):
        super().__init__()
        self.scaled, self.stem, c = ImageNetScaled(), conv_relu6(3, 32, 3, 2), 32
        self.blocks, skips = nn.ModuleList(), []
        for expansion, o, count, stride in STAGES:
            for j in range(count):
                if j == 0 and stride == 2:
                    skips.append(c * expansion)
                self.blocks.append(Inverted(c, o, stride if j == 0 else 1, expansion))
                c = o
        self.up = nn.ModuleList()
        for o, skip in zip(channels[::-1], skips[::-1]):
            self.up.append(nn.Sequential(nn.ConvTranspose2d(c, o, 3, 2, 1, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)))
            c = o + skip
        self.head = nn.ConvTranspose2d(c, out, 3, 2, 1, 1)

    def forward(self, x):
        x, skips = self.stem(self.scaled(x)), []
        for b in self.blocks:
            y, wide = b(x)
            if b.stride == 2:
                skips.append(wide)
            x = y
        for up, skip in zip(self.up, skips[::-1]):
            x = torch.cat([up(x), skip], 1)
        return self.head(x)


# f: VGG16-U-Net, two blocks frozen
def double(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(o, o, 3, padding=1))


class VggUNet(nn.Module):
    def __init__(self, out, channels=(64, 128, 256, 512)):
        super().__init__()
        self.scaled, self.encoder, c = ImageNetScaled(), nn.ModuleList(), 3
        for level, (o, count) in enumerate(zip(channels, (2, 2, 3, 3))):
            convs = []
            for j in range(count):
                convs += [nn.Conv2d(c if j == 0 else o, o, 3, padding=1), nn.ReLU(inplace=True)]
            self.encoder.append(nn.Sequential(*convs))
            c = o
            if level < 2:
                self.encoder[level].requires_grad_(False)
        w = 2 * c
        self.bottleneck = nn.Sequential(nn.Conv2d(c, w, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(w, w, 3, padding=1),
                                        nn.ReLU(inplace=True), nn.Dropout(0.1))
        self.up, self.decode = nn.ModuleList(), nn.ModuleList()
        for level in (3, 2, 1, 0):
            self.up.append(nn.ConvTranspose2d(w, w, 2, 2) if level % 2 else
                           nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True))
            self.decode.append(nn.Sequential(double(w + channels[level], channels[level]), nn.ReLU(inplace=True)))
            w = channels[level]
        self.last_up, self.head = nn.ConvTranspose2d(w, w, 2, 1), double(w, out)

    def forward(self, x):
        size, x, skips = x.shape[2:], self.scaled(x), []
        for level in self.encoder:
            skips.append(level(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottleneck(x)
        for up, decode, skip in zip(self.up, self.decode, skips[::-1]):
            x = decode(torch.cat([up(x), skip], 1))
        return self.head(F.interpolate(F.relu(self.last_up(x)), size=size, mode="bilinear", align_corners=True))


# e and the four originals of the anomalies
class ConvAutoencoder(nn.Sequential):
    def __init__(self, channels=(32, 64, 128), last=16):
        layers, c = [], 3
        for o in channels:
            layers += [nn.Conv2d(c, o, 3, 2, 1), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
            c = o
        for o in (*channels[-2::-1], last):
            layers += [nn.ConvTranspose2d(c, o, 4, 2, 1), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
            c = o
        super().__init__(*layers, nn.Conv2d(c, 3, 3, padding=1), nn.Sigmoid())


def chain(*widths):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU(inplace=True)]
    return layers[:-1]


def dense_autoencoder():
    return nn.Sequential(nn.Flatten(), *chain(2352, 512, 128, 16, 128, 512, 2352), nn.Sigmoid(), nn.Unflatten(1, (3, 28, 28)))


class Drawn(nn.Module):
    """A code drawn in training, its mean in evaluation. kl: the divergence from N(0, 1) is kept for the loss."""

    def __init__(self, encode, hidden, code, decode, kl):
        super().__init__()
        self.encode, self.mean, self.spread, self.decode = encode, nn.Linear(hidden, code), nn.Linear(hidden, code), decode
        self.kl, self.divergence = kl, None

    def forward(self, x):
        h = self.encode(x)
        mean, spread = self.mean(h), self.spread(h)
        if self.kl:  # spread is log sigma
            self.divergence = 0.5 * ((2 * spread).exp() + mean.square() - 2 * spread - 1).sum() / len(x)
        sigma = spread.exp() if self.kl else (0.5 * spread).exp()
        return self.decode(mean + torch.randn_like(mean) * sigma if self.training else mean)


def vae():
    return Drawn(nn.Sequential(nn.Flatten(), nn.Linear(2352, 512), nn.ReLU(inplace=True)), 512, 16,
                 nn.Sequential(*chain(16, 128, 512, 2352), nn.Sigmoid(), nn.Unflatten(1, (3, 28, 28))), True)


def pooled_autoencoder():
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(16, 4, 3, padding=1),
                         nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.ConvTranspose2d(4, 16, 2, 2), nn.ReLU(inplace=True),
                         nn.ConvTranspose2d(16, 3, 2, 2), nn.Sigmoid())


def conv_vae():
    return Drawn(nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(1176, 512), nn.ReLU(inplace=True)),
                 512, 32, nn.Sequential(*chain(32, 1176, 2352), nn.Sigmoid(), nn.Unflatten(1, (3, 28, 28))), False)


# g, h: networks of volumes, of one logit
def conv_norm3d(i, o, k=3, stride=1, act=None, bias=False):
    return nn.Sequential(nn.Conv3d(i, o, k, stride, k // 2, bias=bias), nn.BatchNorm3d(o), *([act(inplace=True)] if act else []))


class UNet3d(nn.Module):
    def __init__(self, channels=(16, 32, 64, 128)):
        super().__init__()
        unit = lambda i, o: nn.Sequential(conv_norm3d(i, o, 3, 1, nn.ReLU, True), conv_norm3d(o, o, 3, 1, nn.ReLU, True))
        self.down = nn.ModuleList(unit(a, b) for a, b in zip((1, *channels), channels))
        self.decode = nn.ModuleList(unit(a + b, b) for a, b in zip(channels[:0:-1], channels[-2::-1]))
        self.head = nn.Conv3d(channels[0], 1, 1)

    def forward(self, x):
        skips = []
        for i, down in enumerate(self.down):
            x = down(F.max_pool3d(x, 2) if i else x)
            skips.append(x)
        for decode, skip in zip(self.decode, skips[-2::-1]):
            x = decode(torch.cat([F.interpolate(x, scale_factor=2), skip], 1))
        return self.head(x)


class Residual3d(nn.Module):
    def __init__(self, branch, drop, shortcut=None):
        super().__init__()
        self.branch, self.shortcut, self.drop = branch, shortcut, drop

    def forward(self, x):
        y = self.branch(x)
        if self.training and self.drop > 0:  # the branch of a sample, whole
            y = y * torch.empty(len(y), 1, 1, 1, 1).bernoulli_(1 - self.drop).div_(1 - self.drop)
        return F.silu(y + (self.shortcut(x) if self.shortcut else x), inplace=True)


def residual3d(c, drop):
    return Residual3d(nn.Sequential(conv_norm3d(c, c, act=nn.SiLU), conv_norm3d(c, c)), drop)


def bottleneck3d(i, c, o, drop):
    branch = nn.Sequential(conv_norm3d(i, c, 1, act=nn.SiLU), conv_norm3d(c, c, act=nn.SiLU), conv_norm3d(c, o, 1))
    return Residual3d(branch, drop, conv_norm3d(i, o, 1) if i != o else None)


class StreamExchange3d(nn.Module):
    def __init__(self, c, drops):
        super().__init__()
        self.fine, self.coarse = (nn.Sequential(*(residual3d(w, d) for d in drops)) for w in (c, 2 * c))
        self.up, self.down = conv_norm3d(2 * c, c, 1), conv_norm3d(c, 2 * c, 3, 2)

    def forward(self, fine, coarse):
        fine, coarse = self.fine(fine), self.coarse(coarse)
        return F.silu(fine + F.interpolate(self.up(coarse), scale_factor=2)), F.silu(self.down(fine) + coarse)


class HighResolution3d(nn.Module):
    def __init__(self, c=8, drop=0.1):
        super().__init__()
        drops = [drop * i / 27 for i in range(28)]
        self.at_full = nn.Sequential(conv_norm3d(1, c, act=nn.SiLU), conv_norm3d(c, c, act=nn.SiLU))
        self.at_half = nn.Sequential(conv_norm3d(c, 2 * c, 3, 2, nn.SiLU), conv_norm3d(2 * c, 2 * c, act=nn.SiLU))
        self.stem = nn.Sequential(conv_norm3d(2 * c, 2 * c, act=nn.SiLU),
                                  *(bottleneck3d(8 * c if i else 2 * c, 2 * c, 8 * c, drops[i]) for i in range(4)))
        self.fine, self.coarse = conv_norm3d(8 * c, c, act=nn.SiLU), conv_norm3d(8 * c, 2 * c, 3, 2, nn.SiLU)
        self.exchanges = nn.ModuleList(StreamExchange3d(c, drops[4 + 4 * i:8 + 4 * i]) for i in range(6))
        self.back = nn.Sequential(nn.ConvTranspose3d(5 * c, c, 4, 2, 1, bias=False), nn.BatchNorm3d(c), nn.SiLU(inplace=True))
        self.out = nn.Sequential(conv_norm3d(2 * c, c, act=nn.SiLU, bias=True), conv_norm3d(c, c, act=nn.SiLU, bias=True), nn.Conv3d(c, 1, 3, 1, 1))

    def forward(self, x):
        full = self.at_full(x)
        half = self.at_half(full)
        x = self.stem(half)
        fine, coarse = self.fine(x), self.coarse(x)
        for exchange in self.exchanges:
            fine, coarse = exchange(fine, coarse)
        x = self.back(torch.cat([fine, F.interpolate(coarse, scale_factor=2), half], 1))
        return self.out(torch.cat([x, full], 1))


def balanced_cross_entropy(y, t):
    ones = t.mean()
    return F.binary_cross_entropy_with_logits(y, t, weight=t * (1 - ones) + (1 - t) * ones)


def dice(y, t):
    p = torch.sigmoid(y)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


VOLUMES = {"g": (UNet3d, balanced_cross_entropy), "h": (HighResolution3d, dice)}
SEGMENTATION = {  # module, input, classes
    "a": (lambda: UNet2d(1, 2, [64, 128, 256, 512, 1024]), (8, 1, 512, 512), 2),
    "b": (lambda: UNet2d(3, 35, [32, 64, 128], 0.3, True), (4, 3, 128, 128), 35),
    "b256": (lambda: UNet2d(3, 35, [32, 64, 128], 0.3, True), (6, 3, 256, 256), 35),
    "c": (lambda: UNet2d(3, 2, [16, 32, 64, 128]), (4, 3, 128, 128), 2),
    "C": (lambda: MobileNetUNet(2), (8, 3, 224, 224), 2),
    "d": (lambda: UNet1d(1, 5, [1, 4, 8, 16, 32, 64, 128], 3), (16, 1, 1100), 5),
    "D": (lambda: UNet1d(5, 2, [1, 4, 8, 16, 32, 64], 1), (16, 5, 1100), 2),
    "f": (lambda: VggUNet(35), (4, 3, 224, 224), 35),
}
RECONSTRUCTION = {"ae": dense_autoencoder, "vae": vae, "conv_ae": pooled_autoencoder, "conv_ae_fc": conv_vae}


def make(model, batch=0, side=0):
    """batch: samples; side: of an image or a volume, or a signal's length; 0: what is usual for the model, as in `kern bench steps`."""
    g = torch.Generator().manual_seed(1)
    if model in SEGMENTATION:
        net, shape, classes = SEGMENTATION[model]
        shape = (batch or shape[0], shape[1], *(side or s for s in shape[2:]))
        return net(), torch.rand(shape, generator=g), torch.randint(0, classes, (shape[0], *shape[2:]), generator=g), F.cross_entropy
    if model in VOLUMES:
        net, loss = VOLUMES[model]
        shape = (batch or 1, 1, *[side or 64] * 3)
        return net(), torch.rand(shape, generator=g), torch.randint(0, 2, shape, generator=g).float(), loss
    if model == "e":
        x = torch.rand(batch or 32, 3, side or 64, side or 64, generator=g)
        return ConvAutoencoder(), x, x, F.mse_loss
    net, x = RECONSTRUCTION[model](), torch.rand(batch or 128, 3, 28, 28, generator=g)

    def loss(y, target):  # of an image: squared errors summed, and the divergence where the model has one
        divergence = getattr(net, "divergence", None)
        return F.mse_loss(y, target, reduction="sum") / len(y) + (0 if divergence is None else divergence)

    return net, x, x, loss
