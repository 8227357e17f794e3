#!/usr/bin/env python3
"""PyTorch's side of `kern bench steps` on a GPU: one training step of each model, as users write it and as well as it can be had.

  benchmarks/peer_torch_cuda.py [--models b256,C,d] [--variants eager,amp,graph,compile] [--json lines.jsonl]
  benchmarks/peer_torch_cuda.py --serve        requests come on standard input, a line of JSON each (scripts/gpu_check asks so)

Models are those of peer_torch.py. Variants, each with the layout and the optimiser that suit it:

  f32            no tensor cores, cudnn.benchmark
  eager          as a user writes it: TF32 in products and convolutions, Adam as it comes
  benchmark      the same with cudnn.benchmark and the fused Adam
  channels_last  the same in channels_last
  amp            autocast to bf16, channels_last, cudnn.benchmark, fused Adam
  graph          amp's whole step recorded as a CUDA graph and replayed
  compile        amp under torch.compile(mode="reduce-overhead"), which needs a C compiler

Every figure is a line of JSON: milliseconds of a step, for each timed block of steps between two synchronisations of the device, by the wall
clock; the loss is not read in between. --dry-run: small images, few steps; with --device cpu it runs without a GPU (what is
recorded there is called again, and compile stops before the code generator). Needs PyTorch 2 and nothing else.
"""
import argparse
import json
import math
import os
import shutil
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

MODELS = ["b256", "C", "d", "a", "f", "D", "e", "b", "c"]
# name: (bf16, TF32, channels_last, cudnn.benchmark, fused Adam)
VARIANTS = {
    "f32": (False, False, False, True, True),
    "eager": (False, True, False, False, False),
    "benchmark": (False, True, False, True, True),
    "channels_last": (False, True, True, True, True),
    "amp": (True, True, True, True, True),
    "graph": (True, True, True, True, True),
    "compile": (True, True, True, True, True),
}
STEPS_OF_A_BLOCK = {"a": 4, "f": 10, "C": 20, "b256": 20}  # else 50: a tenth of a second or so on a GPU of 2023


class CannotRun(Exception):
    """A variant that this machine has not: said, and no fault."""


class Trained:
    """One model in one variant, kept as a user's process would keep it."""

    def __init__(self, torch, request, variant, device):
        import peer_torch

        self.torch, self.device, self.variant = torch, device, variant
        self.bf16, self.tf32, channels_last, self.benchmark, fused = VARIANTS[variant]
        torch.manual_seed(0)
        self.net, self.x, self.y, self.loss = peer_torch.make(request["model"], request.get("batch", 0), request.get("side", 0))
        self.parameters = sum(p.numel() for p in self.net.parameters())
        wanted = request.get("parameters")
        if wanted and wanted != self.parameters:
            raise ValueError(f"model {request['model']} has {self.parameters} parameters here and {wanted} in Kern: they are not the same model")
        same = self.y is self.x
        layout = {"memory_format": torch.channels_last} if channels_last and self.x.dim() == 4 else {}
        self.net = self.net.to(device, **layout).train()
        self.x = self.x.to(device, **layout)
        self.y = self.x if same else self.y.to(device)
        trained = [p for p in self.net.parameters() if p.requires_grad]
        options = {"fused": True} if fused else {}
        if variant == "graph" and device == "cuda":
            options["capturable"] = True
        self.optimiser = torch.optim.Adam(trained, 1e-3, **options)
        self.called = self.net
        if variant == "compile":
            self.called = self.compiled(request)
        self.replayed = None

    def compiled(self, request):
        if self.device == "cpu":  # a dry run
            return self.torch.compile(self.net, backend="aot_eager")
        if not any(c and shutil.which(c) for c in (os.environ.get("CC"), "cc", "gcc", "clang")):
            raise CannotRun("no C compiler is here, which torch.compile needs")
        return self.torch.compile(self.net, mode="reduce-overhead")

    def work(self):
        with self.torch.autocast(self.device, self.torch.bfloat16, enabled=self.bf16):
            loss = self.loss(self.called(self.x), self.y)
        loss.backward()
        self.optimiser.step()
        self.last = loss.detach()

    def step(self):
        if self.replayed:
            self.replayed()
            return
        if self.variant == "compile" and self.device == "cuda":
            self.torch.compiler.cudagraph_mark_step_begin()
        self.optimiser.zero_grad(set_to_none=True)
        self.work()

    def record(self):
        """As PyTorch's notes on CUDA graphs have it: warmed up on a side stream, gradients made anew inside the graph."""
        if self.device == "cpu":
            self.replayed = lambda: (self.optimiser.zero_grad(set_to_none=True), self.work())
            return
        cuda = self.torch.cuda
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):
            for _ in range(3):
                self.step()
        cuda.current_stream().wait_stream(side)
        graph = cuda.CUDAGraph()
        self.optimiser.zero_grad(set_to_none=True)
        with cuda.graph(graph):
            self.work()
        self.replayed = graph.replay

    def wait(self):
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def times(self, warmup, repeats, block):
        backends = self.torch.backends
        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = self.tf32
        backends.cudnn.benchmark = self.benchmark
        if self.variant == "graph" and not self.replayed:
            self.record()
        for _ in range(warmup):
            self.step()
        times = []
        for _ in range(repeats):
            self.wait()
            begin = time.perf_counter()
            for _ in range(block):
                self.step()
            self.wait()
            times.append((time.perf_counter() - begin) * 1e3 / block)
        loss = float(self.last.float())
        if not math.isfinite(loss):
            raise ValueError(f"the loss is {loss}")
        return times, loss


class Peer:
    def __init__(self, device):
        import torch

        if device == "cuda" and not torch.cuda.is_available():
            raise SystemExit("peer_torch_cuda.py: PyTorch finds no GPU here (--device cpu --dry-run runs without one)")
        self.torch, self.device, self.model, self.kept = torch, device, None, {}
        self.machine = {"torch": torch.__version__, "device": device}
        if device == "cuda":
            self.machine.update(device=torch.cuda.get_device_name(), cudnn=torch.backends.cudnn.version(), cuda=torch.version.cuda)

    def forget(self):
        self.kept.clear()
        self.torch.compiler.reset()
        if self.device == "cuda":
            self.torch.cuda.empty_cache()

    def answer(self, request):
        """A dictionary for every variant that was asked for."""
        which = (request["model"], request.get("batch", 0), request.get("side", 0))
        if which != self.model:
            self.forget()
            self.model = which
        for variant in request["variants"]:
            line = {"model": request["model"], "variant": variant, "batch": request.get("batch", 0), "side": request.get("side", 0)}
            try:
                if self.device == "cuda":
                    self.torch.cuda.reset_peak_memory_stats()
                if variant not in self.kept:
                    self.kept[variant] = Trained(self.torch, request, variant, self.device)
                trained = self.kept[variant]
                block = request.get("block") or STEPS_OF_A_BLOCK.get(request["model"], 50)
                times, loss = trained.times(request.get("warmup", 10), request.get("repeats", 7), block)
                line.update(parameters=trained.parameters, milliseconds=times, median_ms=statistics.median(times), block=block, loss=loss)
                if self.device == "cuda":
                    line["peak_mib"] = self.torch.cuda.max_memory_allocated() / 2**20
            except CannotRun as why:
                line["skipped"] = str(why)
            except Exception as e:  # one variant's fault is not the others'
                line["error"] = f"{type(e).__name__}: {e}"[:500]
                self.kept.pop(variant, None)
            yield line | self.machine


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--models", default=",".join(MODELS))
    ap.add_argument("--variants", default=",".join(VARIANTS))
    ap.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    ap.add_argument("--batch", type=int, default=0)
    ap.add_argument("--side", type=int, default=0)
    ap.add_argument("--warmup", type=int, default=10)
    ap.add_argument("--repeats", type=int, default=20, help="timed blocks of steps")
    ap.add_argument("--block", type=int, default=0, help="steps between two looks at the clock; 0: a tenth of a second or so")
    ap.add_argument("--dry-run", action="store_true", help="batch 1, side 64, one block of one step")
    ap.add_argument("--serve", action="store_true", help="answer requests on standard input")
    ap.add_argument("--json", help="lines are added to this file too")
    args = ap.parse_args()
    if args.dry_run:
        args.batch, args.side, args.warmup, args.repeats, args.block = 1, 64, 1, 1, 1
    peer = Peer(args.device)
    file = open(args.json, "a") if args.json else None

    def show(line):
        for to in (sys.stdout, file):
            if to:
                print(json.dumps(line), file=to, flush=True)

    if args.serve:
        show({"ready": True} | peer.machine)
        for request in sys.stdin:
            for line in peer.answer(json.loads(request)):
                show(line)
            show({"answered": True})
        return 0
    failed = False
    for model in args.models.split(","):
        request = dict(model=model, variants=args.variants.split(","), batch=args.batch, side=args.side, warmup=args.warmup,
                       repeats=args.repeats, block=args.block)
        for line in peer.answer(request):
            show(line)
            failed = failed or "error" in line
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
