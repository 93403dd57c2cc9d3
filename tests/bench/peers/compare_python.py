"""A step of MoCo with a queue in PyTorch and with a sharded bank, in turn. See tests/bench/compare_python."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from machine import processor

BATCH = 256
KINDS = {"queue": "PyTorch, a queue on every rank", "bank": "negatron.Bank"}
LARGEST_DIFFERENCE = 1e-4
"""Of a loss, relative: both are computed in fp32, in another order."""
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""Has glibc return memory as soon as it is free, so that the most that was resident is what was in use. This costs time,
and so another run is timed."""


def steps_of(kind, rows, ranks, steps, environment):
    command = [sys.executable]
    if ranks > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    command += ["tests/bench/peers/moco_steps.py", kind, str(rows), str(steps), str(BATCH),
                str(max(1, len(os.sched_getaffinity(0)) // ranks))]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended {done.returncode}: {done.stderr.strip()}")
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


def compared(rows, ranks, steps, rounds):
    """{kind: {"ms": the median step of each round, "transient": bytes}}, once both have the same losses."""
    # Each in a process of its own, whose memory is its own.
    memory = {kind: steps_of(kind, rows, ranks, steps, GIVE_BACK)[kind] for kind in KINDS}
    for step, (theirs, ours) in enumerate(zip(memory["queue"]["losses"], memory["bank"]["losses"])):
        if not abs(theirs - ours) <= LARGEST_DIFFERENCE * abs(theirs):
            raise RuntimeError(f"{rows} rows on {ranks} ranks: the loss of step {step} is {theirs} with a queue and {ours} "
                               "with the bank")
    results = {kind: {"ms": [], "transient": memory[kind]["transient"]} for kind in KINDS}
    for _ in range(rounds):
        # Step by step in turn, as a machine that others use as well changes its speed within seconds.
        for kind, timed in steps_of("both", rows, ranks, steps, {}).items():
            results[kind]["ms"].append(1000 * statistics.median(timed["seconds"]))
    return results


def print_line(rows, ranks, results):
    cells = []
    for kind in KINDS:
        ms = results[kind]["ms"]
        cells += [f"{statistics.median(ms):.0f} ({min(ms):.0f} to {max(ms):.0f})",
                  f"{results[kind]['transient'] / 2**20:.0f}"]
    faster = statistics.median(results["queue"]["ms"]) / statistics.median(results["bank"]["ms"])
    less = results["queue"]["transient"] / max(1, results["bank"]["transient"])
    print(f"| {rows} | {ranks} | " + " | ".join(cells) + f" | {faster:.2f}x | {less:.1f}x |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"))
    parser.add_argument("--rows", type=int, nargs="+", help="of the bank")
    parser.add_argument("--ranks", type=int, nargs="+")
    parser.add_argument("--rounds", type=int, help="in which each is timed once")
    arguments = parser.parse_args()
    sizes = arguments.rows or ([4096, 65536] if arguments.quick else [4096, 65536, 262144, 1048576])
    ranks = arguments.ranks or ([1] if arguments.quick else [1, 2])
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    print(f"a step of MoCo, {BATCH} images of 28 x 28, rows of 128 in fp32, {len(os.sched_getaffinity(0))} cores, "
          f"{processor()}, torch {version('torch')}\n")
    print("| rows | ranks |" + "".join(f" {name}: ms | MiB |" for name in KINDS.values()) + " faster | less memory |")
    print("|---" * (4 + 2 * len(KINDS)) + "|")
    lines = []
    for count in ranks:
        for rows in sizes:
            # A step over a million rows takes seconds.
            results = compared(rows, count, 8 if rows > 100000 else 18, rounds)
            print_line(rows, count, results)
            lines.append({"rows": rows, "ranks": count, **results})
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "python.json").write_text(json.dumps(lines, indent=1))


try:
    main()
except RuntimeError as error:
    sys.exit(f"compare_python: {error}")
