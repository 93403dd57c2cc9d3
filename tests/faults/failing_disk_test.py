#!/usr/bin/env python3
"""Runs `negatron pretrain` on a disk that fails at one call after another (failing_disk.cpp): with each error, at calls
spread over all that a run makes. What fails of metrics, events and logs is a warning; a snapshot that fails is one that
is not there; what fails before the run has begun leaves nothing that blocks the next start. In each case what is left
goes on to the bank of a run that met nothing.
    failing_disk_test.py NEGATRON FAILING_DISK DATA_SCRIPT [--each N]
"""

import errno
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

NEGATRON, FAILING_DISK, DATA_SCRIPT = sys.argv[1:4]
# Calls that are tried of each kind of file.
EACH = int(sys.argv[5]) if sys.argv[4:5] == ["--each"] else 3
TIME_LIMIT = 120
ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE]
ONCE, FROM_THEN_ON = 1, 1000000
NOT_SAVED = 4


def check(condition, *said):
    if not condition:
        raise AssertionError(" ".join(map(str, said)))


class Runs:
    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["bash", "-c", f'source "{DATA_SCRIPT}"; cp -r "$work/data" "$work/small.ini" "{folder}"'], check=True)
        self.log = folder / "calls"
        self.plain, _ = self.run("plain", {})
        self.expected = self.losses(self.plain)

    def run(self, name, failing, resume=()):
        run = self.folder / name
        environment = {"LD_PRELOAD": FAILING_DISK, **failing} if failing else {}
        done = subprocess.run(
            [NEGATRON, "pretrain", "--config", str(self.folder / "small.ini"), "--data", str(self.folder / "data"),
             "--baselines", "off", "--evaluate-every", "0", "--snapshot-every", "2", "--keep", "2", "--seed", "1",
             "--run-dir", str(run), *resume],
            env=os.environ | environment, capture_output=True, text=True, timeout=TIME_LIMIT)
        return run, done

    def calls(self, part):
        """The calls that a run which meets nothing makes on files with this part in their paths."""
        self.log.unlink(missing_ok=True)
        run, done = self.run("counted", {"FAILING_PATH": part, "FAILING_LOG": str(self.log)})
        check(done.returncode == 0, "a run that meets nothing ends with", done.returncode, done.stderr)
        subprocess.run(["rm", "-r", str(run)], check=True)
        return self.log.read_text().splitlines()

    @staticmethod
    def rows(run):
        """What metrics.jsonl holds, whole lines of JSON only."""
        file = run / "metrics.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @classmethod
    def losses(cls, run):
        return {row["step"]: row["loss"] for row in cls.rows(run) if "event" not in row}


def fail_at(runs, part, call, count, number):
    """What a run leaves that fails at this call, and how it ended."""
    failing = {"FAILING_PATH": part, "FAILING_FIRST": str(call), "FAILING_COUNT": str(count), "FAILING_ERROR": str(number)}
    run, done = runs.run("failed", failing)
    where = f"{errno.errorcode[number]} at call {call} of {part}, {'once' if count == ONCE else 'from then on'}:"
    check(done.returncode >= 0, where, "killed by", -done.returncode, done.stderr)
    check(done.returncode in (0, 1, 2, NOT_SAVED), where, done.returncode, done.stderr)
    check("terminate called" not in done.stderr, where, done.stderr)
    said = done.stdout + done.stderr
    check(done.returncode == 0 or os.strerror(number) in said, where, done.returncode, "and does not say why:", said)
    steps = runs.losses(run)
    check(all(runs.expected[step] == loss for step, loss in steps.items()), where, "it trained otherwise")
    return run, done, where


def goes_on(runs, run, where):
    if (run / "snapshots").is_dir() and any((run / "snapshots").glob("step-?????????")):
        verified = subprocess.run([NEGATRON, "bank", "verify", str(run)], capture_output=True, text=True, timeout=TIME_LIMIT)
        check(verified.returncode == 0, where, "half a snapshot is left:", verified.stdout, verified.stderr)
    _, done = runs.run(run.name, {}, ["--resume", "auto"])
    check(done.returncode == 0, where, "the next start ends with", done.returncode, done.stderr)
    compared = subprocess.run([NEGATRON, "bank", "diff", str(run), str(runs.plain)], capture_output=True, text=True,
                              timeout=TIME_LIMIT)
    check(compared.returncode == 0, where, "it goes on to another bank:", compared.stdout, compared.stderr)
    subprocess.run(["rm", "-r", str(run)], check=True)


def spread(calls, seed):
    """Call numbers from the first to the last, those between by chance."""
    inner = list(range(2, len(calls)))
    random.Random(seed).shuffle(inner)
    return sorted({1, len(calls), *inner[:max(EACH - 2, 0)]})


def tells_and_trains_on(runs, part):
    """Of files that a run can do without."""
    calls = runs.calls(part)
    for i, call in enumerate(spread(calls, seed=part)):
        run, done, where = fail_at(runs, part, call, ONCE if i % 2 else FROM_THEN_ON, ERRORS[i % len(ERRORS)])
        check(done.returncode == 0, where, done.returncode, done.stderr)
        check("WARNING" in done.stdout or "warning" in done.stderr, where, "nothing is said:", done.stdout)
        goes_on(runs, run, where)
    return len(calls)


def saves_none_or_whole(runs):
    calls = runs.calls("/snapshots/")
    for i, call in enumerate(spread(calls, seed="snapshots")):
        for count in (ONCE, FROM_THEN_ON):
            run, done, where = fail_at(runs, "/snapshots/", call, count, ERRORS[i % len(ERRORS)])
            check("WARNING" in done.stdout or done.returncode != 0, where, "nothing is said:", done.stdout, done.stderr)
            goes_on(runs, run, where)
    return len(calls)


def blocks_no_start(runs):
    """Of files that are made before the first step."""
    counted = 0
    for part in ("config.ini", "/lock"):
        calls = runs.calls(part)
        counted += len(calls)
        for i, call in enumerate(spread(calls, seed=part)):
            run, _, where = fail_at(runs, part, call, FROM_THEN_ON, ERRORS[i % len(ERRORS)])
            run.mkdir(exist_ok=True)
            goes_on(runs, run, where)
    return counted


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder))
        for part in ("metrics.jsonl", "tensorboard"):
            print(f"{part}: tried {EACH} of {tells_and_trains_on(runs, part)} calls", flush=True)
        print(f"snapshots: tried {EACH} of {saves_none_or_whole(runs)} calls, twice each", flush=True)
        print(f"start: tried {EACH} of each of {blocks_no_start(runs)} calls", flush=True)
    print("failing disk: all as expected")


if __name__ == "__main__":
    main()
