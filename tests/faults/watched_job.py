"""One `negatron pretrain` under mpirun, seen from outside: where it is, its ranks, its end."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

LOOK_EVERY = 0.001
# Longer than any start, save or evaluation on a machine that does other things too.
PATIENCE = 120
LEFT_OVER_WITHIN = 10
# Of metrics.jsonl: some lines.
TAIL_BYTES = 16384


def snapshots_of(run):
    """Those that are named as whole ones are, by step."""
    return {int(path.name[5:]): path for path in (run / "snapshots").glob("step-" + 9 * "[0-9]")}


def half_snapshots_of(run):
    return {path.name for path in (run / "snapshots").glob("step-*.tmp-*")}


def metrics_of(run):
    """Of every line an object; half a line is an error."""
    path = run / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class WatchedJob:
    def __init__(self, words, run, output):
        """words: mpirun, its flags, the program, its flags. output: a file for all that is said."""
        self.words = words
        self.run = run
        self.output = output
        self.half_before = half_snapshots_of(run)
        self.began = time.time()
        with open(output, "wb") as said:
            self.mpirun = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT)

    def said(self):
        return self.output.read_text(errors="replace")

    def ended(self):
        return self.mpirun.poll() is not None

    def wait_until(self, holds):
        """False when the job ends before."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if self.ended():
                return False
            if time.monotonic() > end:
                raise TimeoutError(f"nothing comes of {holds}:\n{self.said()}")
            time.sleep(LOOK_EVERY)
        return True

    def ranks(self):
        """Process ids by rank, of those that mpirun has made the program by now."""
        found = {}
        try:
            children = Path(f"/proc/{self.mpirun.pid}/task/{self.mpirun.pid}/children").read_text().split()
        except OSError:
            return found
        for pid in children:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            rank = next((entry for entry in environment if entry.startswith(b"OMPI_COMM_WORLD_RANK=")), None)
            if rank is not None and os.fsencode(self.run) in words:
                found[int(rank.split(b"=")[1])] = int(pid)
        return found

    def newest_line(self):
        """Of metrics.jsonl, if it is of this start."""
        try:
            with open(self.run / "metrics.jsonl", "rb") as file:
                file.seek(-min(TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
                lines = file.read().splitlines()
            line = json.loads(lines[-1])
        except (OSError, IndexError, ValueError):
            return None
        return line if line["time"] > self.began else None

    def trains(self):
        return self.newest_line() is not None

    def saves(self):
        return self.trains() and bool(half_snapshots_of(self.run) - self.half_before)

    def evaluates(self, steps_per_epoch):
        """Behind an epoch's last step, whose evaluation is not written yet."""
        line = self.newest_line()
        return line is not None and "event" not in line and (line["step"] + 1) % steps_per_epoch == 0

    def wait_for_end(self, limit):
        """The exit code; None when it takes longer."""
        try:
            return self.mpirun.wait(limit)
        except subprocess.TimeoutExpired:
            return None

    def end_what_is_left(self, ranks):
        """Kills what still runs, of these ranks and mpirun; returns how many there were."""
        left = 0
        if not self.ended():
            left += 1
            self.mpirun.kill()
            self.mpirun.wait()
        end = time.monotonic() + LEFT_OVER_WITHIN
        for pid in ranks.values():
            while self._is_rank(pid) and time.monotonic() < end:
                time.sleep(LOOK_EVERY)
            if self._is_rank(pid):
                left += 1
                os.kill(pid, signal.SIGKILL)
        return left

    def _is_rank(self, pid):
        """Of this job, and not dead but not yet waited for, whose words are gone."""
        try:
            return os.fsencode(self.run) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
