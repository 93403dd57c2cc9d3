"""Whole runs on JPEG files in turn. See tests/bench/compare_photographs."""

import argparse
import json
import os
import statistics
from importlib.metadata import version
from pathlib import Path

import torch

from machine import processor
from photograph_runs import BATCH, rate_of_lightly, rate_of_negatron
from photographs import HEIGHT, WIDTH, write_photographs


def contenders(paths, precision, workers):
    """(name, workers, rate at a size of views over some steps)"""
    yield "Negatron", "its own choice", lambda side, steps: rate_of_negatron(paths[0].parent, precision, side, steps)
    for name, on_tensors in (("lightly, views by PIL", False), ("lightly, views by v2", True)):
        for count in workers:
            yield name, count, (
                lambda side, steps, t=on_tensors, w=count: rate_of_lightly(paths, precision, t, w, side, steps))


def print_table(side, results):
    ours = results[0]["median"]
    print(f"\nviews of {side} x {side}\n\n| | loader threads or workers | images/s | least to most | Negatron is |")
    print("|---|---|---|---|---|")
    for result in results:
        print(f"| {result['name']} | {result['workers']} | {result['median']:.1f} | {result['least']:.1f} to "
              f"{result['most']:.1f} | {ours / result['median']:.2f}x |", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/compare_photographs")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"))
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16", help="fp32 where the CPU has no bf16")
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 2])
    arguments = parser.parse_args()
    images, rounds, sizes = (256, 1, {64: 4}) if arguments.quick else (1024, 3, {64: 12, 224: 6})
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    paths = write_photographs(arguments.out / "photographs", images)
    print(f"ResNet-18, {arguments.precision}, batches of {BATCH}, JPEGs of {WIDTH} x {HEIGHT}, {cores} cores, "
          f"{processor()}, torch {version('torch')}, lightly {version('lightly')}, "
          f"torchvision {version('torchvision')}", flush=True)
    tables = {}
    for side, steps in sizes.items():
        rivals = list(contenders(paths, arguments.precision, arguments.workers))
        rates = [[rate(side, steps) for _, _, rate in rivals] for _ in range(rounds)]
        tables[side] = [{"name": name, "workers": workers, "median": statistics.median(column), "least": min(column),
                         "most": max(column)} for (name, workers, _), column in zip(rivals, zip(*rates))]
        print_table(side, tables[side])
    (arguments.out / "photographs.json").write_text(json.dumps(tables, indent=1))


main()
