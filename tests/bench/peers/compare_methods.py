"""Methods over the preset, each for a few seeds. See tests/bench/compare_methods."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from machine import processor
from run_settings import NEGATRON, PRESET, RunSettings

ADAMW = "--optimizer adamw --lr 1e-3 --weight-decay 1e-4"
METHODS = {
    "moco": "",
    "memory-softmax": "--bank-kind memory --bank-fill features",
    "memory-nce": "--bank-kind memory --bank-fill features --objective nce --objective-options log-z=first-batch "
                  "--tau 0.07 --lr 0.03",
    "adco": "--bank-kind learned --bank-fill features --objective info-nce-in-batch --rows-lr 3 --rows-tau 0.02",
    "ance": "--bank-kind index --sampler ance --negatives bank-and-batch --refresh-every 1epoch",
    "abs": "--objective nt-xent --batch-order similar",
    "daml": "--sampler daml",
    "advir": "--objective advir",
    "dns": "--sampler dns",
    "warp": "--sampler warp --objective margin-ranking --objective-options rank-weight=harmonic",
    "caches": "--bank-kind memory --bank-fill features --sampler nscaching",
    "semi-hard-in-batch": "--objective triplet-in-batch --batch-identities 10 --global-batch 250",
    "negcut": f"--sampler negcut {ADAMW}",
    "moco-adamw": ADAMW,
    "nt-xent": "--objective nt-xent",
    "pic": "--bank-kind parametric --bank-fill features",
}
"""Flags beside the preset's. NEGCUT's generator wants Adam, and so MoCo runs with it as well."""

LOOK_EVERY = 30
"""Steps between looks at hard sets."""
STEP_RANKS, STEP_STEPS, WARM_STEPS = 2, 16, 6
"""Of the runs that only count bytes and time."""
QUICK_STEPS = 40


def command_of(method, folder, flags):
    common = ["--threads", 1, "--bank-threads", 0, "--loader-threads", 1, "--baselines", "off", "--evaluate-every", 0,
              "--tensorboard", "off", "--run-dir", folder]
    return [NEGATRON, "pretrain", "--config", PRESET, *map(str, [*common, *flags]), *METHODS[method].split()]


def records(folder):
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def final_knn(folder):
    """None for a run that has not ended."""
    found = [line for line in records(folder) if line.get("event") == "evaluation" and line["subject"] == "encoder"]
    return 100 * found[-1]["knn"] if found else None


def ended(command, folder):
    """Runs it with its output beside the folder, and says what went wrong."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.log", "w") as log:
        done = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode == 0:
        return None
    lines = Path(f"{folder}.log").read_text().strip().splitlines() or ["no word"]
    return f"ended {done.returncode}: {lines[-1]}"


def train(method, seed, options):
    folder = options.out / f"{method}-{seed}"
    if final_knn(folder) is None:
        subprocess.run(["rm", "-rf", folder], check=True)
        length = ["--max-steps", QUICK_STEPS] if options.quick else []
        problem = ended(command_of(method, folder, ["--epochs", options.epochs, "--seed", seed, "--telemetry-every",
                                                    LOOK_EVERY, *length]), folder)
        if problem is not None:
            print(f"{method}, seed {seed}: {problem}", flush=True)
            return None
    knn = final_knn(folder)
    print(f"{method}, seed {seed}: kNN {knn:.2f} %", flush=True)
    return knn


def false_negatives(method, options):
    """The mean share over the second half of all runs; None where no bank was looked at."""
    shares = []
    for seed in range(options.seeds):
        steps = [line for line in records(options.out / f"{method}-{seed}") if "event" not in line]
        shares += [step["hard_same_label"] for step in steps[len(steps) // 2:] if "hard_same_label" in step]
    return statistics.mean(shares) if shares else None


def without_test_part(options):
    """The training images alone, so that a run of a few steps does not end with a kNN vote."""
    folder = (options.out / "train-part").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for file in Path(RunSettings([]).text("data")).glob("train-*"):
        if not (folder / file.name).exists():
            (folder / file.name).symlink_to(file)
    return folder


def step_of(method, options):
    """(images per second, bytes that a rank receives in a step) on two ranks, from a run of its own."""
    folder = options.out / f"{method}-step"
    subprocess.run(["rm", "-rf", folder], check=True)
    flags = ["--max-steps", STEP_STEPS, "--data", without_test_part(options)]
    problem = ended(["launch/ranks", str(STEP_RANKS), *command_of(method, folder, flags)], folder)
    if problem is not None:
        print(f"{method} on {STEP_RANKS} ranks: {problem}", flush=True)
        return None
    steps = [line for line in records(folder) if "event" not in line][WARM_STEPS:]
    received = [sum(value for name, value in step.items() if name.startswith("bytes.") and name.endswith(".received"))
                for step in steps]
    return statistics.median(step["images_per_second"] for step in steps), statistics.median(received)


def line_of(method, knns, step, share):
    known = [knn for knn in knns if knn is not None]
    accuracy = f"{statistics.mean(known):.2f} ({min(known):.2f} to {max(known):.2f})" if known else "failed"
    if 0 < len(known) < len(knns):
        accuracy += f", {len(knns) - len(known)} failed"
    speed = f"{step[0]:.0f} | {step[1] / 1e6:.2f}" if step else "failed | "
    return f"| {method} | {accuracy} | {speed} | {'' if share is None else f'{100 * share:.1f}'} | `{METHODS[method]}` |"


def parse():
    parser = argparse.ArgumentParser(prog="tests/bench/compare_methods")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--quick", action="store_true", help=f"one seed, {QUICK_STEPS} steps")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="runs at a time, of one thread each")
    parser.add_argument("--out", type=Path, default=Path("runs/methods"))
    options = parser.parse_args()
    options.seeds = 1 if options.quick else options.seeds
    return options


def main():
    options = parse()
    print(f"{processor()}, {options.epochs} epochs of {PRESET}, {options.seeds} seeds", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        # By seed, so that what is cut short has all methods.
        runs = {(method, seed): pool.submit(train, method, seed, options)
                for seed in range(options.seeds) for method in options.methods}
        knns = {method: [runs[method, seed].result() for seed in range(options.seeds)] for method in options.methods}
    # Alone on the machine, as they are timed.
    lines = [line_of(method, knns[method], step_of(method, options), false_negatives(method, options))
             for method in options.methods]
    print("\n| method | kNN %, mean (least to most) | images/s | MB a step | false negatives % | flags |\n|---|---|---|---|---|---|")
    print("\n".join(lines))
    failed = [method for method in options.methods if None in knns[method]]
    if failed:
        sys.exit(f"compare_methods: runs failed of {', '.join(failed)}; their output is in {options.out}/*.log.")


main()
