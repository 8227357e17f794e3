#!/usr/bin/env python3
"""Writes las_golden.tsv: what lasio 0.32 reads in real LAS files, as a summary that las_test.cpp compares with.

    python -m venv venv && venv/bin/pip install lasio==0.32
    venv/bin/python tests/data/las_golden.py ../shared/data > tests/data/las_golden.tsv

A line per file (name, rows, curves), then one per curve, indented by a tab: name, numbers that are no NULL, their sum, the
first and the last of them. LAS 3 and files that lasio does not read, or in which it finds no rows, are left out.
"""
import logging
import math
import pathlib
import sys

import lasio

logging.disable(logging.CRITICAL)


def number(value):
    try:
        v = float(value)
    except ValueError:
        return math.nan
    return v if math.isfinite(v) else math.nan


def summary(path):
    raw = path.read_bytes()
    try:
        raw.decode("utf-8")
        encoding = "utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8"
    except UnicodeDecodeError:
        encoding = "cp1252"
    las = lasio.read(str(path), mnemonic_case="preserve", encoding=encoding, autodetect_encoding=False)
    version = las.sections["Version"]
    if "VERS" in version and float(version.VERS.value) >= 3:
        return
    rows = len(las.curves[0].data) if las.curves else 0
    if rows == 0:
        return
    well = las.sections["Well"]
    null = number(well.NULL.value) if "NULL" in well else math.nan
    yield [rows, len(las.curves)]
    for i, curve in enumerate(las.curves):
        values = [number(v) for v in curve.data]
        values = [v for v in values if not math.isnan(v) and not (i > 0 and v == null)]
        yield ["", curve.mnemonic, len(values), repr(math.fsum(values))] + [repr(v) for v in values[:1] + values[-1:]]


def main():
    root = pathlib.Path(sys.argv[1])
    folders = ["las_parser/lasio", "las_parser/mannville_problem", "wells/force2020"]
    for path in sorted(p for f in folders for p in (root / f).rglob("*") if p.suffix.lower() == ".las"):
        try:
            lines = list(summary(path))
        except Exception:
            continue
        for i, line in enumerate(lines):
            print(*([path.relative_to(root).as_posix()] if i == 0 else []), *line, sep="\t")


main()
