#!/usr/bin/env python3
"""Makes tests/training/goldens/methods.safetensors: one step of each semi-supervised method, losses and the gradients of every
network, computed by PyTorch in float64. Kern must reproduce them.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/training/make_methods_golden.py
"""
import pathlib
import sys

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "models"))
from make_discriminator_golden import Discriminator, last  # noqa: E402
from make_unet1d_golden import UNet, save  # noqa: E402

K, N, L = 3, 2, 40


def network(i, o, channels, seed):
    torch.manual_seed(seed)
    return UNet(i, o, channels, [1] * (len(channels) - 1), n=1)


def exact(net, factor=1.0):
    """In float64, with values that the file can hold; larger than at the start, so that the network is sure of something."""
    net = net.double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_((factor * p).float().double())
    return net


def clear(*nets):
    for net in nets:
        net.zero_grad(set_to_none=True)


out = {}


def keep(method, loss, **nets):
    out[f"{method}.loss"] = np.array([loss.item()])
    for name, net in nets.items():
        for p_name, p in net.named_parameters():
            g = torch.zeros_like(p) if p.grad is None else p.grad
            out[f"{method}.{name}.grad.{p_name}"] = last(g)


def crossing(logits, labels, **more):
    return F.cross_entropy(logits, labels, ignore_index=-1, **more)


def pseudo(p, present, threshold, confidence=None):
    top, label = p.max(1)
    sure = (top if confidence is None else confidence) > threshold
    return torch.where(sure & (present == 0), label, torch.full_like(label, -1))


def moved(labels, origin):
    return torch.where(origin < 0, torch.full_like(labels, -1), labels.gather(1, origin.clamp(min=0)))


def step_of_adversary(method, f, d, one_map, data):
    x, labels, u, present, weight = data
    clear(f, d)

    def all_are(truth, z, there):
        if one_map:
            loss = F.binary_cross_entropy_with_logits(z[:, 0], torch.full_like(z[:, 0], float(truth)), reduction="none")
            return loss[there >= 0].mean()
        return crossing(z, torch.where(there < 0, there, torch.full_like(there, int(truth))))

    fl, fu = f(x), f(u)
    pl, pu = fl.softmax(1), fu.softmax(1)
    zu = d(pu)
    passing = 0.5 * (all_are(True, d(pl), labels) + all_are(True, zu, present))
    with torch.no_grad():
        confidence = torch.sigmoid(zu[:, 0] if one_map else zu[:, 1] - zu[:, 0])
        ranked = confidence.flatten().sort().values
        threshold = float(ranked[N * L // 2 - 1 : N * L // 2 + 1].mean())  # half of the positions, and none near it
        own = pseudo(pu, present, threshold, confidence)
    loss = crossing(fl, labels, weight=weight) + 0.01 * passing + 0.1 * crossing(fu, own)
    loss.backward()
    for p in d.parameters():  # the network's loss moves nothing of the discriminator
        p.grad = None
    with torch.no_grad():
        hot = F.one_hot(labels.clamp(min=0), K).transpose(1, 2).double()
        hot = torch.where((labels >= 0)[:, None, :], hot, pl)
    evaluating = 0.5 * (all_are(True, d(hot), labels)
                     + 0.5 * (all_are(False, d(pl.detach()), labels) + all_are(False, d(pu.detach()), present)))
    evaluating.backward()
    keep(method, loss, f=f, d=d)
    out[f"{method}.evaluating"] = np.array([evaluating.item()])
    out[f"{method}.threshold"] = np.array([threshold])
    out[f"{method}.own"] = own.numpy()
    for name, p in d.named_parameters():
        out[f"{method}.weight.{name}"] = last(p)


if __name__ == "__main__":
    f, g = exact(network(1, K, [3, 4], 1), 2), exact(network(1, K, [3, 4], 2), 2)
    torch.manual_seed(3)
    values = lambda: torch.randn(N, 1, L, dtype=torch.float64).float().double()
    x, u, strong = values(), values(), values()
    labels, truth = torch.randint(-1, K, (N, L)), torch.randint(-1, K, (N, L))
    present = torch.zeros(N, L, dtype=torch.int64)
    present[1, 31:] = -1
    origin = torch.arange(L).flip(0).repeat(N, 1)
    origin[0, 5:9] = -1
    weight = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float64)
    for name, t in {"x": x, "u": u, "strong": strong}.items():
        out[name] = last(t)
    for name, t in {"labels": labels, "truth": truth, "present": present, "origin": origin, "class_weight": weight}.items():
        out[name] = t.numpy()
    for name, net in {"f": f, "g": g}.items():
        for p_name, p in net.named_parameters():
            out[f"weight.{name}.{p_name}"] = last(p)

    # Mean teacher: g teaches, 2.5 of 5 epochs into the ramp.
    clear(f, g)
    with torch.no_grad():
        taught = g(u).softmax(1)
        there = moved(present, origin) >= 0
        aim = taught.gather(2, origin.clamp(min=0)[:, None, :].expand(-1, K, -1))
    said = f(strong).softmax(1)
    consistency = ((said - aim) ** 2).transpose(1, 2)[there].mean()
    loss = crossing(f(x), labels, weight=weight) + 10 * np.exp(-5 * 0.25) * consistency
    loss.backward()
    keep("mean_teacher", loss, f=f)

    # FixMatch, of threshold 0.6.
    clear(f)
    with torch.no_grad():
        target = moved(pseudo(f(u).softmax(1), present, 0.6), origin)
        all_positions = (moved(present, origin) >= 0).sum()
    unlabelled = F.cross_entropy(f(strong), target, ignore_index=-1, reduction="sum") / all_positions
    loss = crossing(f(x), labels, weight=weight) + 1.5 * unlabelled
    loss.backward()
    keep("fixmatch", loss, f=f)
    out["fixmatch.target"] = target.numpy()

    # Cross pseudo supervision, the ramp done.
    clear(f, g)
    fl, gl, fu, gu = f(x), g(x), f(u), g(u)
    other = lambda z, there: pseudo(z.detach(), torch.where(there < 0, there, torch.zeros_like(there)), -np.inf)
    cross = (crossing(fl, other(gl, labels)) + crossing(gl, other(fl, labels)) + crossing(fu, other(gu, present))
             + crossing(gu, other(fu, present)))
    loss = crossing(fl, labels, weight=weight) + crossing(gl, labels, weight=weight) + 0.7 * cross
    loss.backward()
    keep("cps", loss, f=f, g=g)

    data = (x, labels, u, present, weight)
    step_of_adversary("adversarial_unet", f, exact(network(K, 2, [2, 3], 4)), False, data)
    torch.manual_seed(5)
    step_of_adversary("adversarial_fcn", f, exact(Discriminator(K, [2, 3, 2, 3], 1), 3), True, data)
    save(pathlib.Path(__file__).parent / "goldens" / "methods.safetensors", out, {"torch": torch.__version__})
