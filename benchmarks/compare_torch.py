#!/usr/bin/env python3
"""Kern beside PyTorch on the CPU: whole steps, alternating in one run, the same threads.

  benchmarks/compare_torch.py --kern build/release/kern [--models b,c,d,D,e] [--variants eager,compile,bf16] [--mode train|predict] [--batch N] [--side N] [--json out.json]

--peer names a file that defines make(id) -> (module, x, y, loss) for the models of `kern bench steps`; peer_torch.py beside this one
has them all. Models whose numbers of parameters differ are not compared. Each round runs
some steps of Kern (`kern bench steps`), then as many of PyTorch in every variant and layout; after all rounds the medians with
quartiles of all steps and, for each round, the ratio PyTorch / Kern are shown. Of a variant the layout counts that was the
better one in the first round; the other is left out from then on. Kern computes in f32. Variants:
  eager    f32, as PyTorch comes
  compile  f32, torch.compile, which needs a C++ compiler
  bf16     torch.autocast(torch.bfloat16)
Needs PyTorch and nothing else.
"""
import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time


def quartiles(values):
    v = sorted(values)
    at = lambda share: v[int(share * (len(v) - 1))] + (share * (len(v) - 1) % 1) * (
        v[min(int(share * (len(v) - 1)) + 1, len(v) - 1)] - v[int(share * (len(v) - 1))])
    return at(0.25), statistics.median(v), at(0.75)


def kern_steps(args, model, repeats):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([args.kern, "bench", "steps", f"models={model}", f"mode={args.mode}", f"batch={args.batch}", f"side={args.side}",
                        "warmup=3", f"repeats={repeats}", f"threads={args.threads}", "--json", out.name],
                       check=True, stdout=subprocess.DEVNULL)
        figures = json.load(open(out.name))
    return figures[f"{model}.milliseconds"], figures[f"{model}.peak_mib"], figures[f"{model}.parameters"]


class Torch:
    """One model in one variant and layout, kept between rounds as a user's process would keep it."""

    def __init__(self, torch, peer, args, model, variant, channels_last):
        self.torch, self.predict = torch, args.mode == "predict"
        self.bf16, self.warm = variant == "bf16", False
        torch.manual_seed(0)
        self.net, self.x, self.y, self.loss = peer.make(model, 0, args.side)
        if args.batch:
            reps = (args.batch + self.x.shape[0] - 1) // self.x.shape[0]
            same = self.y is self.x
            self.x = self.x.repeat(reps, *[1] * (self.x.dim() - 1))[:args.batch]
            self.y = self.x if same else self.y.repeat(reps, *[1] * (self.y.dim() - 1))[:args.batch]
        if channels_last:
            same = self.y is self.x
            layout = torch.channels_last if self.x.dim() == 4 else torch.channels_last_3d
            self.net = self.net.to(memory_format=layout)
            self.x = self.x.to(memory_format=layout)
            self.y = self.x if same else self.y
        self.net.train(not self.predict)
        self.optimiser = torch.optim.Adam(self.net.parameters(), 1e-3)
        self.called = torch.compile(self.net) if variant == "compile" else self.net

    def forward(self):
        with self.torch.autocast("cpu", self.torch.bfloat16, enabled=self.bf16):
            return self.called(self.x) if self.predict else self.loss(self.called(self.x), self.y)

    def step(self):
        if self.predict:
            with self.torch.inference_mode():
                self.forward()
            return
        loss = self.forward()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        loss.item()

    def steps(self, repeats):
        for _ in range(1 if self.warm else 3):
            self.step()
        self.warm = True
        times = []
        for _ in range(repeats):
            begin = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - begin) * 1e3)
        return times


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--kern", default="build/release/kern")
    ap.add_argument("--peer", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer_torch.py"))
    ap.add_argument("--models", default="b,c,d,D,e")
    ap.add_argument("--variants", default="eager")
    ap.add_argument("--mode", default="train", choices=("train", "predict"))
    ap.add_argument("--batch", type=int, default=0, help="0: what is usual for the model")
    ap.add_argument("--side", type=int, default=0, help="of an image or a volume, or a signal's length; 0: what is usual for the model")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--repeats", type=int, default=6, help="timed steps of a round")
    ap.add_argument("--json", default="")
    args = ap.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    import torch
    torch.set_num_threads(args.threads)
    spec = importlib.util.spec_from_file_location("peer", args.peer)
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    processor = next((l.split(": ")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")),
                     platform.processor())
    info = subprocess.run([args.kern, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{args.mode}, {args.threads} threads, f32, {processor}; {info}; torch {torch.__version__}; "
          f"{args.rounds} rounds of {args.repeats} steps, alternating; milliseconds: lower quartile, median, upper")
    rows = []
    for model in args.models.split(","):
        torch.compiler.reset()
        sides = {}  # of PyTorch, by variant and layout
        for variant in args.variants.split(","):
            sides[variant, "default"] = Torch(torch, peer, args, model, variant, False)
            if sides[variant, "default"].x.dim() in (4, 5):
                sides[variant, "channels_last"] = Torch(torch, peer, args, model, variant, True)
        theirs = sum(p.numel() for p in next(iter(sides.values())).net.parameters())
        kern, peak = [], 0
        times = {key: [] for key in sides}
        ratios = {variant: [] for variant, _ in sides}
        for _ in range(args.rounds):
            ours, peak, parameters = kern_steps(args, model, args.repeats)
            if parameters != theirs:
                sys.exit(f"model {model} has {parameters} parameters in Kern and {theirs} in {args.peer}: they are not the same")
            kern += ours
            of_round = {key: side.steps(args.repeats) for key, side in sides.items()}
            for variant in ratios:
                better = min((k for k in sides if k[0] == variant), key=lambda k: statistics.median(of_round[k]))
                sides = {k: side for k, side in sides.items() if k[0] != variant or k == better}
                times[better] += of_round[better]
                ratios[variant].append(statistics.median(of_round[better]) / statistics.median(ours))
        three = lambda q: "%8.2f %8.2f %8.2f" % tuple(q)
        for variant, layout in sides:
            torch_times = quartiles(times[variant, layout])
            row = dict(model=model, variant=variant, layout=layout, kern=quartiles(kern), torch=torch_times,
                       ratio=statistics.median(times[variant, layout]) / statistics.median(kern),
                       ratio_of_rounds=quartiles(ratios[variant]), ratio_of_least=min(times[variant, layout]) / min(kern),
                       kern_peak_mib=peak)
            rows.append(row)
            print(f"{model:2}  kern {three(row['kern'])}   torch {variant} ({layout}) {three(torch_times)}   "
                  f"torch/kern {row['ratio']:.2f}, by rounds {three(row['ratio_of_rounds'])}, of the least {row['ratio_of_least']:.2f}",
                  flush=True)
    if args.json:
        json.dump(dict(mode=args.mode, batch=args.batch, side=args.side, threads=args.threads, processor=processor, kern=info,
                       torch=torch.__version__, date=time.strftime("%Y-%m-%d"), rows=rows), open(args.json, "w"), indent=1)


if __name__ == "__main__":
    sys.exit(main())
