#!/usr/bin/env python3
"""Prediction by Kern beside onnxruntime and OpenVINO on the CPU: alternating in one run, the same threads, f32.

  benchmarks/compare_onnx.py --kern build/release/kern [--before OTHER_KERN] [--models c,d,C,e,ae,vae] [--batches 1,8] [--json out.json]

The graphs are written here with onnx.helper, layer by layer as PyTorch exports these models (channels first, batch norms
as nodes of their own, which both engines fold). Each round times Kern (`kern bench steps mode=predict`), the other build
of Kern if one is given, and every engine; shown are the medians of all steps and the median of the rounds' ratios
engine / Kern. Needs onnx, onnxruntime and NumPy; OpenVINO is used where it is installed.
"""
import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

try:
    import openvino
except ImportError:
    openvino = None


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(1)

    def weight(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def normal(self, *shape, scale):
        return self.weight((self.random.standard_normal(shape) * scale).astype(np.float32))

    def op(self, kind, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def conv(self, x, i, o, k, stride=1, pad=0, groups=1, bias=True, dims=2):
        scale = (i // groups * k**dims)**-0.5
        w = [self.normal(o, i // groups, *[k] * dims, scale=scale)] + ([self.normal(o, scale=scale)] if bias else [])
        return self.op("Conv", x, *w, kernel_shape=[k] * dims, strides=[stride] * dims, pads=[pad] * 2 * dims, group=groups)

    def up(self, x, i, o, k, stride, pad=0, added=0, bias=True, dims=2):
        scale = (i * k**dims / stride**dims)**-0.5
        w = [self.normal(i, o, *[k] * dims, scale=scale)] + ([self.normal(o, scale=scale)] if bias else [])
        return self.op("ConvTranspose", x, *w, kernel_shape=[k] * dims, strides=[stride] * dims, pads=[pad] * 2 * dims,
                       output_padding=[added] * dims)

    def norm(self, x, c):
        one = lambda low, high: self.weight(self.random.uniform(low, high, c).astype(np.float32))
        return self.op("BatchNormalization", x, one(0.5, 1.5), one(-1, 1), one(-1, 1), one(0.5, 2))

    def relu6(self, x):
        return self.op("Clip", x, self.weight(np.float32(0)), self.weight(np.float32(6)))

    def linear(self, x, i, o):
        return self.op("Gemm", x, self.normal(o, i, scale=i**-0.5), self.normal(o, scale=i**-0.5), transB=1)

    def model(self, x_shape, y, y_shape):
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "g", [value("x", x_shape)], [value(y, y_shape)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        return model


def unet2d(g, x, channels, i, out):
    act = lambda x, a, b: g.op("Relu", g.norm(g.conv(x, a, b, 3, pad=1), b))
    double = lambda x, a, b: act(act(x, a, b), b, b)
    skips = []
    for level, c in enumerate(channels):
        x = double(g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]) if level else x, i, c)
        skips.append(x)
        i = c
    for c, skip in zip(channels[-2::-1], skips[-2::-1]):
        x = double(g.op("Concat", g.up(x, i, c, 2, 2), skip, axis=1), 2 * c, c)
        i = c
    return g.conv(x, i, out, 1)


def unet1d(g, x, channels=(1, 4, 8, 16, 32, 64, 128), out=5, units=3):
    def unit(x, i, o, plain=False, up=False):
        x = (g.up(x, i, o, 3, 1, 1, dims=1) if up else g.conv(x, i, o, 3, pad=1, dims=1))
        if plain:
            return x
        ones, zeros = g.weight(np.ones(o, np.float32)), g.weight(np.zeros(o, np.float32))
        return g.op("PRelu", g.op("InstanceNormalization", x, ones, zeros), g.weight(np.full((1, 1), 0.25, np.float32)))

    def residual(x, i, o, n, plain=False):
        y = x
        for j in range(n):
            y = unit(y, o if j else i, o, plain and j == n - 1)
        return g.op("Add", y, g.conv(x, i, o, 1, dims=1) if i != o else x)

    skips, i = [], 1
    for o in channels[:-1]:
        x = residual(x, i, o, units)
        skips.append(x)
        i = o
    x, below = residual(x, i, channels[-1], units), channels[-1]
    for level in range(len(channels) - 2, -1, -1):
        to = channels[level - 1] if level else out
        x = residual(unit(g.op("Concat", skips.pop(), x, axis=1), channels[level] + below, to, up=True), to, to, 1, level == 0)
        below = to
    return x


def mobilenet_unet(g, x, out=2, channels=(64, 128, 256, 512)):
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    shape = lambda values: g.weight(np.array(values, np.float32).reshape(1, 3, 1, 1))
    x = g.op("Div", g.op("Sub", x, shape([0.485, 0.456, 0.406])), shape([0.229, 0.224, 0.225]))
    act = lambda x, i, o, k, stride=1, groups=1: g.relu6(
        g.norm(g.conv(x, i, o, k, stride, k // 2, groups, bias=False), o))
    x, c, skips = act(x, 3, 32, 3, 2), 32, []
    for factor, o, count, stride in stages:
        for j in range(count):
            s, wide = stride if j == 0 else 1, c * factor
            y = act(x, c, wide, 1) if factor > 1 else x
            if s == 2:
                skips.append((y, wide))
            y = g.norm(g.conv(act(y, wide, wide, 3, s, wide), wide, o, 1, bias=False), o)
            x, c = g.op("Add", x, y) if s == 1 and c == o else y, o
    for o, (skip, width) in zip(channels[::-1], skips[::-1]):
        x = g.op("Concat", g.op("Relu", g.norm(g.up(x, c, o, 3, 2, 1, 1, bias=False), o)), skip, axis=1)
        c = o + width
    return g.up(x, c, out, 3, 2, 1, 1)


def conv_autoencoder(g, x, channels=(32, 64, 128), last=16):
    i = 3
    for o in channels:
        x, i = g.op("Relu", g.norm(g.conv(x, i, o, 3, 2, 1), o)), o
    for o in (*channels[-2::-1], last):
        x, i = g.op("Relu", g.norm(g.up(x, i, o, 4, 2, 1), o)), o
    return g.op("Sigmoid", g.conv(x, i, 3, 3, pad=1))


def dense(g, x, widths):
    for j, (i, o) in enumerate(zip(widths, widths[1:])):
        x = g.linear(x, i, o)
        if j + 2 < len(widths):
            x = g.op("Relu", x)
    return g.op("Sigmoid", x)


def vae(g, x):
    # The spread is an output of the network that scoring reads too.
    h = g.op("Relu", g.linear(x, 2352, 512))
    code, spread = g.linear(h, 512, 16), g.linear(h, 512, 16)
    y = dense(g, code, (16, 128, 512, 2352))
    return g.op("Concat", y, code, spread, axis=1)


def make(model, n):
    g = Graph()
    if model == "c":
        return g.model([n, 3, 128, 128], unet2d(g, "x", (16, 32, 64, 128), 3, 2), [n, 2, 128, 128]), (n, 3, 128, 128)
    if model == "d":
        return g.model([n, 1, 1100], unet1d(g, "x"), [n, 5, 1100]), (n, 1, 1100)
    if model == "C":
        return g.model([n, 3, 224, 224], mobilenet_unet(g, "x"), [n, 2, 224, 224]), (n, 3, 224, 224)
    if model == "e":
        return g.model([n, 3, 64, 64], conv_autoencoder(g, "x"), [n, 3, 64, 64]), (n, 3, 64, 64)
    if model == "ae":
        return g.model([n, 2352], dense(g, "x", (2352, 512, 128, 16, 128, 512, 2352)), [n, 2352]), (n, 2352)
    if model == "vae":
        return g.model([n, 2352], vae(g, "x"), [n, 2384]), (n, 2352)
    sys.exit(f"there is no graph for model {model}; there are c, d, C, e, ae, vae")


class OnnxRuntime:
    def __init__(self, model, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(self, x):
        self.session.run(None, {"x": x})


class OpenVino:
    def __init__(self, model, threads):
        core = openvino.Core()
        self.compiled = core.compile_model(core.read_model(model.SerializeToString(), b""), "CPU",
                                           {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                                            "INFERENCE_PRECISION_HINT": "f32"})
        self.request = self.compiled.create_infer_request()

    def run(self, x):
        self.request.infer({0: x}, share_inputs=True)


def steps(engine, x, repeats):
    for _ in range(5):
        engine.run(x)
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        engine.run(x)
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def kern_steps(kern, args, model, batch):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([kern, "bench", "steps", f"models={model}", "mode=predict", f"batch={batch}", "device=cpu", "warmup=5",
                        f"repeats={args.repeats}", f"threads={args.threads}", "--json", out.name],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.load(open(out.name))[f"{model}.milliseconds"]


def quartiles(values):
    return tuple(float(v) for v in np.percentile(values, (25, 50, 75)))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--kern", default="build/release/kern")
    ap.add_argument("--before", default="", help="another build of Kern")
    ap.add_argument("--models", default="c,d,C,e,ae,vae")
    ap.add_argument("--batches", default="1,8")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--repeats", type=int, default=15, help="timed steps of a round")
    ap.add_argument("--json", default="")
    args = ap.parse_args()
    processor = next((l.split(": ")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")),
                     platform.processor())
    versions = f"onnxruntime {onnxruntime.__version__}" + (f", openvino {openvino.__version__}" if openvino else "")
    print(f"prediction, {args.threads} threads, f32, {processor}; {versions}; {args.rounds} rounds of {args.repeats} steps; "
          "milliseconds: quartiles", flush=True)
    rows = []
    for model in args.models.split(","):
        for batch in map(int, args.batches.split(",")):
            graph, shape = make(model, batch)
            x = np.random.default_rng(2).random(shape, dtype=np.float32)
            engines = {"onnxruntime": OnnxRuntime(graph, args.threads)}
            if openvino:
                engines["openvino"] = OpenVino(graph, args.threads)
            times = {name: [] for name in ("kern", *(["before"] if args.before else []), *engines)}
            ratios = {name: [] for name in times if name != "kern"}
            for _ in range(args.rounds):
                of_round = {"kern": kern_steps(args.kern, args, model, batch)}
                if args.before:
                    of_round["before"] = kern_steps(args.before, args, model, batch)
                for name, engine in engines.items():
                    of_round[name] = steps(engine, x, args.repeats)
                for name, t in of_round.items():
                    times[name] += t
                    if name != "kern":
                        ratios[name].append(statistics.median(t) / statistics.median(of_round["kern"]))
            row = dict(model=model, batch=batch, times={n: quartiles(t) for n, t in times.items()},
                       ratios={n: quartiles(r) for n, r in ratios.items()})
            rows.append(row)
            print(f"{model:4} {batch:3}  " + "  ".join("%s %.3f (%.3f-%.3f)" % (n, q[1], q[0], q[2])
                                                     for n, q in row["times"].items()) + "   ratios: " +
                  ", ".join("%s %.2f" % (n, r[1]) for n, r in row["ratios"].items()), flush=True)
    if args.json:
        json.dump(dict(threads=args.threads, processor=processor, versions=versions, date=time.strftime("%Y-%m-%d"), rows=rows),
                  open(args.json, "w"), indent=1)


if __name__ == "__main__":
    sys.exit(main())
