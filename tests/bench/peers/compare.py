"""Runs all contenders of each problem in turn, after their answers agreed. See tests/bench/compare."""

import argparse
import json
import os
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from contenders import contenders
from machine import processor
from picture import draw
from problem import Problem

WIDTH, TAU = 128, 0.2
BATCH, COUNT, HARD = 256, 65536, 1024


def problems(quick):
    """(batch, rows, dtype, hard)"""
    types = (torch.bfloat16, torch.float32)
    usual = [(BATCH, COUNT, dtype, hard) for hard in (0, HARD) for dtype in types]
    if quick:
        return usual
    bf16 = torch.bfloat16
    rows = [(BATCH, count, bf16, 0) for count in (16384, 262144, 1048576)]
    batches = [(batch, COUNT, bf16, 0) for batch in (1, 16, 64, 1024)]
    hards = [(BATCH, COUNT, bf16, hard) for hard in (64, 256)]
    return usual + rows + batches + hards


def measure(problem, threads, repeats):
    """Milliseconds of each contender. Raises RuntimeError when an answer is wrong."""
    rivals = contenders(problem, threads)
    try:
        truth = problem.truth()
        shares = []
        for rival in rivals:
            rival.run()
            answer = rival.answer()
            objection = problem.objection(answer, truth)
            if objection:
                raise RuntimeError(f"{rival.name}: {objection}")
            shares.append(problem.share_found(answer, truth))
        # In turn, so that what else the machine does disturbs all of them.
        times = [[rival.run() for rival in rivals] for _ in range(repeats)]
    finally:
        for rival in rivals:
            rival.close()
    columns = list(zip(*times))
    ours = statistics.median(columns[0])
    return [
        {"name": rival.name, "computes": rival.computes, "median_ms": statistics.median(column),
         "least_ms": min(column), "times_ours": statistics.median(column) / ours, "share_found": share}
        for rival, column, share in zip(rivals, columns, shares)
    ]


def show(result):
    print(f"\nB {result['batch']}, K {result['rows']}, D {WIDTH}, {result['dtype']}, tau {TAU}, all answers agree")
    right = f"{'rows right':>12}" if result["hard"] else ""
    print(f"{'':28}{'computes':28}{'median ms':>12}{'least ms':>12}{'x ours':>9}{right}")
    for row in result["contenders"]:
        right = f"{100 * row['share_found']:10.2f} %" if result["hard"] else ""
        print(f"{row['name']:28}{row['computes']:28}{row['median_ms']:12.2f}{row['least_ms']:12.2f}"
              f"{row['times_ours']:9.2f}{right}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/compare")
    parser.add_argument("--quick", action="store_true", help="one size only")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, default=Path("runs/compare"), help="folder of compare.json and compare.svg")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    versions = {name: version(name) for name in ("torch", "lightly", "faiss-cpu")}
    report = {"processor": processor(), "threads": options.threads, "versions": versions, "results": []}
    print(f"{report['processor']}, {options.threads} threads, "
          + ", ".join(f"{name} {number}" for name, number in versions.items()))
    for batch, count, dtype, hard in problems(options.quick):
        problem = Problem(batch, count, WIDTH, dtype, TAU, hard)
        name = "bf16" if dtype == torch.bfloat16 else "fp32"
        try:
            rows = measure(problem, options.threads, options.repeats)
        except RuntimeError as error:
            sys.exit(f"compare: B {batch}, K {count}, {name}, top {hard}: {error}.")
        report["results"].append({"batch": batch, "rows": count, "dtype": name, "hard": hard, "contenders": rows})
        show(report["results"][-1])
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "compare.json").write_text(json.dumps(report, indent=1) + "\n")
    draw(report, options.out / "compare.svg")
    print(f"\n{options.out / 'compare.json'} and {options.out / 'compare.svg'} written")


if __name__ == "__main__":
    main()
