#!/usr/bin/env python3
"""Makes tests/models/goldens/lstm_tagger*.safetensors: weights, input, targets, logits, loss and every gradient of the
LSTM tagger without its dropout, computed by torch.nn.LSTM in float64. Kern must reproduce them.

    python3 -m venv .venv && .venv/bin/pip install torch numpy && .venv/bin/python tests/models/make_lstm_tagger_golden.py
"""
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

from make_unet1d_golden import save


class Tagger(nn.Module):
    def __init__(self, i, o, hidden, layers, bidirectional):
        super().__init__()
        self.lstm = nn.LSTM(i, hidden, layers, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(hidden * (2 if bidirectional else 1), o)

    def forward(self, x):
        return self.head(torch.relu(self.lstm(x)[0]))


def make(path, i, o, hidden, layers, bidirectional, shape, seed):
    torch.manual_seed(seed)
    net = Tagger(i, o, hidden, layers, bidirectional).double()
    with torch.no_grad():
        for p in net.parameters():  # larger than at the start, so that gates leave the middle; what the file can hold
            p.copy_((2 * p).float().double())
    x = torch.randn(*shape, i, dtype=torch.float64).float().double().requires_grad_()
    target = torch.randint(-1, o, shape)
    logits = net(x)
    loss = F.cross_entropy(logits.transpose(1, 2), target, ignore_index=-1)
    loss.backward()
    out = {"x": x.detach().numpy(), "target": target.numpy(), "logits": logits.detach().numpy(),
           "loss": loss.detach().numpy().reshape(1), "dx": x.grad.numpy()}
    for name, p in net.named_parameters():
        out["weight." + name] = p.detach().numpy()
        out["grad." + name] = p.grad.numpy()
    save(path, out, {"torch": torch.__version__, "in": str(i), "out": str(o), "hidden": str(hidden), "layers": str(layers),
                     "bidirectional": str(int(bidirectional))})


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "goldens"
    make(folder / "lstm_tagger.safetensors", 1, 5, 9, 3, False, (3, 13), 1)
    make(folder / "lstm_tagger_bidirectional.safetensors", 3, 4, 7, 2, True, (2, 11), 2)
    print("full size:", sum(p.numel() for p in Tagger(1, 5, 256, 3, False).parameters()), "parameters")
