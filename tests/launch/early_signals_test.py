#!/usr/bin/env python3
"""Signals that come before `negatron pretrain` can hear them: what waited while the program was loaded counts, what comes
behind its first instruction counts, and commands that are no run end as every program does.
    early_signals_test.py NEGATRON LAUNCH_RANKS DATA_SCRIPT
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIME_LIMIT = 60
NEGATRON, RANKS, DATA_SCRIPT = sys.argv[1:4]
# Those that a failed check leaves running are ended with the test.
STARTED = []
ENDLESS = ["--epochs", "100000", "--baselines", "off", "--evaluate-every", "0", "--snapshot-every", "never", "--seed", "1"]


def check(condition, *said):
    if not condition:
        raise AssertionError(" ".join(map(str, said)))


def start(words, blocked=()):
    """With these signals blocked, as env --block-signal does it: what is sent waits until the program unblocks them."""
    block = lambda: signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    STARTED.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=block))
    return STARTED[-1]


def catches(pid, number):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    mask = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return int(mask.split()[1], 16) >> (number - 1) & 1


def wait_until_caught(pid, number):
    end = time.monotonic() + TIME_LIMIT
    while not catches(pid, number):
        check(time.monotonic() < end, "signal", number, "is not caught")


def libraries_of(pid):
    """Threads that a library's start makes: none while none has run."""
    return len(os.listdir(f"/proc/{pid}/task"))


def saved_early(run):
    steps = sorted(int(path.name[5:]) for path in (run / "snapshots").glob("step-?????????"))
    return len(steps) == 1 and steps[0] <= 3


def run_words(small, run):
    return [NEGATRON, "pretrain", *small, *ENDLESS, "--run-dir", str(run), "--resume", "auto"]


def waited_for_the_loader(small, run, number):
    job = start(run_words(small, run), [number])
    job.send_signal(number)
    said = job.communicate(timeout=TIME_LIMIT)[0]
    check(job.returncode == 75 and saved_early(run), "a signal that waited: exit code", job.returncode, said)


def came_behind_the_first_instruction(small, run):
    job = start(run_words(small, run))
    wait_until_caught(job.pid, signal.SIGUSR1)
    check(libraries_of(job.pid) == 1, "it is caught late: there are", libraries_of(job.pid), "threads")
    job.send_signal(signal.SIGUSR1)
    said = job.communicate(timeout=TIME_LIMIT)[0]
    check(job.returncode == 75 and saved_early(run), "an early SIGUSR1: exit code", job.returncode, said)


def ranks_of(run):
    ranks = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        # Also as env, which is to become the program.
        if NEGATRON.encode() in words[:4] and str(run).encode() in words and b"mpirun" not in words[0]:
            if not any(b"mpirun" in word or b"launch/ranks" in word for word in words):
                ranks.append(int(folder.name))
    return ranks


def came_while_a_rank_was_loaded(small, run):
    job = start([RANKS, "2", *run_words(small, run)])
    end = time.monotonic() + TIME_LIMIT
    loading = []
    while not loading:
        check(time.monotonic() < end, "no rank comes")
        # As the program, and no longer as env.
        loading = [pid for pid in ranks_of(run) if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "negatron"]
    os.kill(loading[0], signal.SIGUSR1)
    said = job.communicate(timeout=TIME_LIMIT)[0]
    check(job.returncode == 75 and saved_early(run), "SIGUSR1 to a rank that is loaded: exit code", job.returncode, said)


def no_run_ends_by_it(words):
    job = start([NEGATRON, *words], [signal.SIGUSR1])
    job.send_signal(signal.SIGUSR1)
    said = job.communicate(timeout=TIME_LIMIT)[0]
    check(job.returncode == -signal.SIGUSR1, words, "ends with", job.returncode, said)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run(["bash", "-c", f'source "{DATA_SCRIPT}"; cp -r "$work/data" "$work/small.ini" "{folder}"'], check=True)
        small = ["--config", str(folder / "small.ini"), "--data", str(folder / "data")]
        waited_for_the_loader(small, folder / "waited", signal.SIGUSR1)
        waited_for_the_loader(small, folder / "second", signal.SIGUSR2)
        waited_for_the_loader(small, folder / "interrupted", signal.SIGINT)
        came_behind_the_first_instruction(small, folder / "first")
        came_while_a_rank_was_loaded(small, folder / "ranks")
        no_run_ends_by_it(["bank", "info", "nowhere"])
        no_run_ends_by_it(["pretrain", "--help"])
    print("early signals: all as expected")


if __name__ == "__main__":
    try:
        main()
    finally:
        for job in STARTED:
            job.kill()
