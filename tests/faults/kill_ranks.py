#!/usr/bin/env python3
"""Ends single ranks of `negatron pretrain` by SIGKILL, SIGSTOP and SIGTERM, at random moments of starts, steps, saves and
evaluations, on 2 ranks with a queue and on 3 with a learned bank; the same command with --resume auto goes on, and is
the next to be ended.
    kill_ranks.py [--kills N] [--seed S] NEGATRON MPIRUN [MPIRUN FLAGS ...]
After each the job must end in bounded time, with the code that says why, and no process may be left; no snapshot that was
reported may be lost, and the newest must verify. In the end every loss that was ever written must be, to the last bit,
that of a run which nobody disturbed. Exit 0 when all that held."""

import argparse
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from disturbed_run import DisturbedRun, write_settings
from kill_plan import KINDS, MOMENTS, RANKS, plan


def disturb(run, kills):
    """One after the other. Returns the kills that fell where they should have, with the seconds to the end of the job."""
    times = []
    for kill in kills:
        seconds = run.disturb(kill)
        if seconds is not None:
            times.append((kill, seconds))
            print(f"{kill}: ended after {seconds:.2f} s", flush=True)
    steps = run.compare()
    print(f"{run.ranks} ranks: {len(kills)} kills, {steps} steps compared", flush=True)
    return times


def show(times):
    """Median and longest seconds from the signal to the end of the job."""
    print("moment      " + "".join(f"{kind:>22}" for kind in KINDS))
    for moment in MOMENTS:
        row = f"{moment:12}"
        for kind in KINDS:
            seconds = [s for kill, s in times if (kill.kind, kill.moment) == (kind, moment)]
            cell = f"{len(seconds)}x {statistics.median(seconds):.2f} <= {max(seconds):.2f} s" if seconds else "-"
            row += f"{cell:>22}"
        print(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("negatron")
    parser.add_argument("mpirun", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    began = time.monotonic()
    kills = [plan(number, arguments.seed) for number in range(arguments.kills)]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_settings(folder)
        runs = [DisturbedRun(folder, arguments.negatron, arguments.mpirun, ranks) for ranks in RANKS]
        with ThreadPoolExecutor() as lanes:
            lots = lanes.map(lambda run: disturb(run, [kill for kill in kills if kill.ranks == run.ranks]), runs)
            times = [hit for lot in lots for hit in lot]
    show(times)
    faults = [fault for run in runs for fault in run.faults]
    print("\n".join(faults))
    print(f"{len(kills)} kills in {time.monotonic() - began:.0f} s, {len(faults)} faults")
    return 1 if faults or len(times) < len(kills) else 0


if __name__ == "__main__":
    sys.exit(main())
