"""Loaders in turn on the same files. See tests/bench/compare_loader."""

import argparse
import json
import os
import statistics
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import torch

from machine import processor
from photograph_views import make_loader
from photographs import HEIGHT, WIDTH, write_photographs

SIDE, BATCH = 224, 64
NOT_COUNTED = 2
"""Batches that fill queues and start workers."""


def rate_of_negatron(folder, threads, batches):
    done = subprocess.run(["build/tests/bench/loader_bench", str(folder), str(threads), str(SIDE), str(BATCH), "moco-v2",
                           str(batches)], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0])


def rate_of_torchvision(paths, on_tensors, workers, batches):
    loader, taken, begin = make_loader(paths, on_tensors, SIDE, BATCH, workers), 0, None
    while True:
        for _ in loader:
            taken += 1
            if taken == NOT_COUNTED:
                begin = time.perf_counter()
            if taken == NOT_COUNTED + batches:
                return batches * BATCH / (time.perf_counter() - begin)


def contenders(folder, paths, cores, workers):
    """(name, workers, rate of some batches)"""
    ours = [("Negatron", threads, lambda batches, t=threads: rate_of_negatron(folder, t, batches))
            for threads in range(1, cores + 1)]
    theirs = [(name, count, lambda batches, t=on_tensors, w=count: rate_of_torchvision(paths, t, w, batches))
              for name, on_tensors in (("torchvision, PIL", False), ("torchvision v2, tensors", True))
              for count in workers]
    return ours + theirs


def print_table(results, cores):
    best = {}
    for result in results:
        if result["median"] > best.get(result["name"], {"median": 0})["median"]:
            best[result["name"]] = result
    ours = best["Negatron"]["median"]
    print(f"two views of {SIDE} x {SIDE} from JPEGs of {WIDTH} x {HEIGHT}, {cores} cores, {processor()}, "
          f"torch {version('torch')}, torchvision {version('torchvision')}, pillow {version('pillow')}\n")
    print("| | threads or workers | images/s | least to most | Negatron's best is |")
    print("|---|---|---|---|---|")
    for result in results:
        mark = "**" if result is best[result["name"]] else ""
        print(f"| {result['name']} | {result['workers']} | {mark}{result['median']:.0f}{mark} | "
              f"{result['least']:.0f} to {result['most']:.0f} | {ours / result['median']:.2f}x |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"))
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2, 3])
    arguments = parser.parse_args()
    images, batches, rounds = (256, 3, 1) if arguments.quick else (1024, 12, 3)
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    folder = arguments.out / "photographs"
    paths = write_photographs(folder, images)
    rivals = contenders(folder, paths, cores, arguments.workers)
    rates = [[rate(batches) for _, _, rate in rivals] for _ in range(rounds)]
    results = [{"name": name, "workers": workers, "median": statistics.median(column), "least": min(column),
                "most": max(column)} for (name, workers, _), column in zip(rivals, zip(*rates))]
    print_table(results, cores)
    (arguments.out / "loader.json").write_text(json.dumps(results, indent=1))


main()
