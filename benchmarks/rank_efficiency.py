#!/usr/bin/env python3
"""What part of N ranks' work is training rather than waiting for the sum of gradients: a computation, no measurement.

    benchmarks/rank_efficiency.py            the tables of docs/many_machines.md, as Markdown
    benchmarks/rank_efficiency.py --hidden 0.5

Every rank keeps its batch (weak scaling). A step on N ranks takes the step on one, and what of the sum is not hidden
behind it. The sum moves 2 (N - 1) / N times the gradients (4 bytes a parameter) through the narrowest link, as a ring or
Kern's two exchanges do, and waits for its messages. In a cell: the share in percent with nothing of the sum hidden, and
with all of it that --hidden of a step can cover; below 80 in bold.
"""
import argparse
import math

# Milliseconds of a step on one rank and its parameters: docs/benchmarks.md.
# Two threads of an AMD EPYC, measured: b, c, d, D, e and C of 2026-11-24, g and h of 2026-11-25.
CPU = {"b": (60.8, 478_243), "c": (24.2, 483_458), "d": (50.0, 202_564), "D": (9.1, 17_870), "e": (17.7, 266_499),
       "C": (298.5, 6_470_594), "g": (124.0, 1_460_993), "h": (151.0, 562_625)}
# An H100 in bf16, projected by `kern bench ledger` from bytes and operations of the recorded step; no GPU has run it.
GPU = {"a": (19.754, 31_042_434), "C": (1.180, 6_470_594), "d": (0.308, 202_564), "e": (0.115, 266_499),
       "f": (3.147, 38_834_199)}

# Links, by data sheet: bytes a second in one direction for a rank, times what of it a sum usually sees.
USUAL = 0.8
NVLINK = 450e9 * USUAL  # fourth generation, 900 GB/s in both directions; 8 GPUs of a machine
INFINIBAND = 50e9 * USUAL  # 400 Gbit/s: for each GPU, or one for the machine; rings go through all there are
ETHERNET = {10: 1.25e9 * USUAL, 25: 3.125e9 * USUAL}  # of a machine, with one rank
# Seconds, assumed: a kernel of NCCL, a message over NVLink, one over the network (NCCL adds up small arrays in trees: log2 N
# messages up, as many down); an exchange over Ethernet, and each further message that a rank sends in it.
NCCL_START, NVLINK_MESSAGE, INFINIBAND_MESSAGE = 8e-6, 2e-6, 5e-6
ETHERNET_EXCHANGE, ETHERNET_MESSAGE = 50e-6, 2e-6
HOST_ADDITION = 4e9  # bytes a second that a processor adds up, of all ranks' values

IN_A_MACHINE = 8


def gpu_sum(ranks, values, adapters):
    local = min(ranks, IN_A_MACHINE)
    link = NVLINK if ranks <= IN_A_MACHINE else min(NVLINK, adapters * INFINIBAND)
    waits = 2 * math.log2(local) * NVLINK_MESSAGE + 2 * math.log2(ranks / local) * INFINIBAND_MESSAGE
    return 2 * (ranks - 1) / ranks * 4 * values / link + NCCL_START + waits


def cpu_sum(ranks, values, link):
    exchange = ETHERNET_EXCHANGE + (ranks - 1) * ETHERNET_MESSAGE
    return 2 * ((ranks - 1) / ranks * 4 * values / link + exchange) + 4 * values / HOST_ADDITION


def table(title, models, ranks, seconds, hidden):
    print(f"{title}\n")
    print("| id | gradients, MB | step, ms | " + " | ".join(f"{n:,}" for n in ranks) + " |")
    print("| --- | ---: | ---: |" + " ---: |" * len(ranks))
    for name, (ms, values) in models.items():
        cells = []
        for n in ranks:
            step, sum_ = ms / 1e3, seconds(n, values)
            share = step / (step + sum_)
            covered = step / (step + max(0.0, sum_ - hidden * step))
            text = f"{100 * share:.0f} / {100 * covered:.0f}"
            cells.append(f"**{text}**" if covered < 0.8 else text)
        print(f"| {name} | {4 * values / 1e6:.2f} | {ms:g} | " + " | ".join(cells) + " |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=float, default=0.5, help="share of a step that a sum can run beside (0.5)")
    hidden = parser.parse_args().hidden
    counts = [2 ** k for k in range(1, 11)]
    for adapters, each in ((IN_A_MACHINE, "GPU"), (1, "machine")):
        table(f"GPUs, 8 a machine over NVLink, 400 Gbit/s for each {each}:", GPU, counts,
              lambda n, values: gpu_sum(n, values, adapters), hidden)
    for gigabits, link in ETHERNET.items():
        table(f"Machines without GPUs, {gigabits} Gbit/s Ethernet:", CPU, counts,
              lambda n, values: cpu_sum(n, values, link), hidden)


if __name__ == "__main__":
    main()
