#!/usr/bin/env python3
"""Opens pairs of SEG-Y files with segyio and says of each whether the second has the headers of the first, but for the sample format
(bytes 3225-3226), the weighting factor (bytes 169-170 of every trace) and one line of the text header that names Kern: "same", "refused" (segyio does not open the first), or the difference.

usage: segyio_headers.py FILE PREDICTED [FILE PREDICTED ...]
Exit code 77: segyio is not installed.
"""
import sys
import warnings

try:
    import segyio
except ImportError:
    sys.exit(77)

warnings.simplefilter("ignore")
FORMAT, WEIGHT = segyio.BinField.Format, segyio.TraceField.TraceWeightingFactor


def opened(path):
    for endian in ("big", "little"):
        try:
            return segyio.open(path, strict=False, endian=endian)
        except Exception:
            continue
    return None


def compare(a, b):
    if a is None:  # what it dislikes in the first, an unknown sample format say, may be mended in the second
        return "refused"
    if b is None:
        return "segyio opens the first only"
    with a, b:
        if a.tracecount != b.tracecount or len(a.samples) != len(b.samples):
            return f"{a.tracecount} traces of {len(a.samples)} and {b.tracecount} of {len(b.samples)}"
        for i in range(1 + a.ext_headers):
            rows = [t[k:k + 80] for t in (a.text[i], b.text[i]) for k in range(0, 3200, 80)]
            changed = [new for old, new in zip(rows[:40], rows[40:]) if old != new]
            if len(changed) > (i == 0):  # one line that was free says what was done
                return f"text header {i}"
        for key in a.bin:
            if key != FORMAT and a.bin[key] != b.bin[key]:
                return f"binary header {key}: {a.bin[key]} and {b.bin[key]}"
        for t in range(a.tracecount):
            x, y = dict(a.header[t]), dict(b.header[t])
            x[WEIGHT] = y[WEIGHT] = 0
            if x != y:
                return f"header of trace {t}: " + ", ".join(f"{k} {x[k]} and {y[k]}" for k in x if x[k] != y[k])
            v = b.trace[t]
            if not ((v >= 0).all() and (v <= 1).all()):
                return f"trace {t} is no probability"
    return "same"


names = sys.argv[1:]
for before, after in zip(names[::2], names[1::2]):
    print(compare(opened(before), opened(after)))
