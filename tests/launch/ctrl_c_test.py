#!/usr/bin/env python3
"""Presses Ctrl-C in a terminal that `negatron pretrain` runs in, alone and by launch/ranks: once it saves and leaves with
75 and says how to go on, twice it leaves at once with 130.
    ctrl_c_test.py NEGATRON LAUNCH_RANKS DATA_SCRIPT
"""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CTRL_C = b"\x03"
TIME_LIMIT = 60
NEGATRON, RANKS, DATA_SCRIPT = sys.argv[1:4]
ENDLESS = ["--epochs", "100000", "--baselines", "off", "--evaluate-every", "0", "--snapshot-every", "never", "--seed", "1"]
# An evaluation before the first step that takes seconds.
SLOW = ["--encoder", "resnet50", "--image-size", "96", "--baselines", "on", "--epochs", "100000"]


class Terminal:
    """A command in a terminal of its own, in whose foreground it is."""

    def __init__(self, command, ignoring=()):
        self.said, self.code = "", None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            for number in ignoring:
                signal.signal(number, signal.SIG_IGN)
            os.execvp(command[0], command)

    def read(self, seconds):
        """What is there to read in that time. False when the terminal was closed at the other end."""
        if select.select([self.master], [], [], seconds)[0]:
            try:
                text = os.read(self.master, 65536)
            except OSError:
                return False
            self.said += text.decode(errors="replace")
        return True

    def wait_until(self, condition, what):
        end = time.monotonic() + TIME_LIMIT
        while not condition():
            if time.monotonic() > end or not self.read(0.02):
                raise AssertionError(f"{what} did not come: {self.said}")

    def press(self, keys):
        os.write(self.master, keys)

    def ended(self):
        """The exit code; all that was said is in `said` then."""
        end = time.monotonic() + TIME_LIMIT
        while time.monotonic() < end:
            is_open = self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while is_open and select.select([self.master], [], [], 0.2)[0]:
                    is_open = self.read(0.0)
                os.close(self.master)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"it does not end: {self.said}")


def steps(run):
    metrics = run / "metrics.jsonl"
    if not metrics.exists():
        return []
    rows = [json.loads(line) for line in metrics.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [row["step"] for row in rows if "event" not in row]


def snapshots(run):
    return sorted(path.name for path in (run / "snapshots").glob("step-?????????"))


def catching(run):
    """Processes of the run that catch SIGINT already."""
    caught = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        if words[0] == NEGATRON.encode() and str(run).encode() in words:
            if int(status["SigCgt"], 16) >> (signal.SIGINT - 1) & 1:
                caught.append(int(folder.name))
    return caught


def check(condition, *said):
    if not condition:
        raise AssertionError(" ".join(map(str, said)))


def saves_and_leaves(start, small, run):
    terminal = Terminal([*start, NEGATRON, "pretrain", *small, *ENDLESS, "--run-dir", str(run)])
    terminal.wait_until(lambda: len(steps(run)) >= 3, "a third step")
    terminal.press(CTRL_C)
    code = terminal.ended()
    check(code == 75, "exit code", code, "after Ctrl-C:", terminal.said)
    done = len(steps(run))
    check(snapshots(run) == [f"step-{done:09d}"], f"saved at step {done}:", snapshots(run))
    check(terminal.said.count("once more leaves at once") == 1, "not said once:", terminal.said)
    check(f"--resume auto --run-dir {run} goes on" in terminal.said, "how to go on is not said:", terminal.said)
    again = subprocess.run([*start, NEGATRON, "pretrain", *small, *ENDLESS, "--run-dir", str(run), "--resume", "auto",
                            "--max-steps", str(done + 2)], capture_output=True, text=True, timeout=TIME_LIMIT)
    check(again.returncode == 0 and f"resumed from step {done}" in again.stdout, "it does not go on:", again)


def leaves_at_once(start, small, run, ranks):
    terminal = Terminal([*start, NEGATRON, "pretrain", *small, *SLOW, "--run-dir", str(run)])
    terminal.wait_until(lambda: len(catching(run)) == ranks and (run / "config.ini").exists(), "a run that has begun")
    terminal.press(CTRL_C)
    terminal.wait_until(lambda: "once more leaves at once" in terminal.said, "an answer to Ctrl-C")
    pressed = time.monotonic()
    terminal.press(CTRL_C)
    code = terminal.ended()
    check(code == 130, "exit code", code, "after a second Ctrl-C:", terminal.said)
    check(time.monotonic() - pressed < 10, "it took", time.monotonic() - pressed, "seconds")
    check(not catching(run), "ranks are left:", catching(run))
    check(not snapshots(run), "it saved:", snapshots(run))


def has_children(pid):
    return any(path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/children"))


def saves_though_it_was_early(small, run):
    """While MPI starts a helper of its own beside a process alone, which must not end."""
    terminal = Terminal([NEGATRON, "pretrain", *small, *ENDLESS, "--run-dir", str(run)])
    terminal.wait_until(lambda: has_children(terminal.pid), "MPI's helper")
    terminal.press(CTRL_C)
    code = terminal.ended()
    check(code == 75 and len(snapshots(run)) == 1, "exit code", code, "after an early Ctrl-C:", terminal.said)


def stays_deaf(small, run):
    """As nohup and scripts start what runs in the background."""
    terminal = Terminal([NEGATRON, "pretrain", *small, *ENDLESS, "--run-dir", str(run)], ignoring=[signal.SIGINT])
    terminal.wait_until(lambda: len(steps(run)) >= 2, "a second step")
    terminal.press(CTRL_C)
    more = len(steps(run)) + 20
    terminal.wait_until(lambda: len(steps(run)) >= more, "a step behind an ignored Ctrl-C")
    os.kill(terminal.pid, signal.SIGUSR1)
    code = terminal.ended()
    check(code == 75, "exit code", code, "after SIGUSR1:", terminal.said)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run(["bash", "-c", f'source "{DATA_SCRIPT}"; cp -r "$work/data" "$work/small.ini" "{folder}"'], check=True)
        small = ["--config", str(folder / "small.ini"), "--data", str(folder / "data")]
        saves_and_leaves([], small, folder / "alone")
        saves_and_leaves([RANKS, "2"], small, folder / "ranks")
        # Where SIGUSR1 would only save.
        saves_and_leaves([], [*small, "--on-usr1", "continue"], folder / "continue")
        leaves_at_once([], small, folder / "alone-twice", 1)
        leaves_at_once([RANKS, "2"], small, folder / "ranks-twice", 2)
        saves_though_it_was_early(small, folder / "early")
        stays_deaf(small, folder / "deaf")
    print("Ctrl-C: all as expected")


if __name__ == "__main__":
    main()
