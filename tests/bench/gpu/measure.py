"""Checks and measures on one GPU all that can be, within six minutes: the tests that need one, a run with default
flags, the pass beside ATen's, training beside eager PyTorch. Prints tables, new beside what the first run on a GPU
showed, and ends 1 when a part fails or takes too long; the other parts go on.
    measure.py PROGRAMS [--device cpu --tiny]

PROGRAMS is the folder that has `negatron`, `pass_gpu_bench` and the tests, anywhere below it. What they need in
LD_LIBRARY_PATH goes into NEGATRON_LIBRARIES, as Python's own libraries may be others. On a CPU only training runs, in
sizes that show nothing but that this script works.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grey_images import write_grey_images

ROOT = Path(__file__).resolve().parents[3]
PEER = Path(__file__).with_name("peer_moco.py")
SKIPPED = 77
TESTS = ["gpu_pass_test", "gpu_nccl_test", "gpu_norm_test", "gpu_run_test"]
# Of the first run on a GPU, one H100 80 GB HBM3 with torch 2.11: images/s of Negatron and of eager PyTorch.
BEFORE = {"resnet50 224 px, batch 256": (1228, 2726), "resnet18 32 px, batch 512": (9313, 24295)}
TRAININGS = {
    "resnet50 224 px, batch 256": {"encoder": "resnet50", "stem": "imagenet", "side": 224, "batch": 256,
                                   "bank_rows": 65536, "images": 2560},
    "resnet18 32 px, batch 512": {"encoder": "resnet18", "stem": "cifar", "side": 32, "batch": 512,
                                  "bank_rows": 65536, "images": 20480},
}
# Only on a CPU, to see this script work.
TINY = {"resnet18 16 px, batch 4": {"encoder": "resnet18", "stem": "cifar", "side": 16, "batch": 4,
                                    "bank_rows": 64, "images": 64}}
STEPS, WARM_STEPS = 50, 20
TINY_STEPS, TINY_WARM_STEPS = 4, 2


class Parts:
    """Runs programs, each with a limit of its own, and remembers which failed."""

    def __init__(self, programs):
        self.programs, self.failed = programs, []

    def path(self, name):
        """Where it is, or its name alone, which then fails as a part of its own."""
        found = [path for path in self.programs.rglob(name) if path.is_file() and os.access(path, os.X_OK)]
        return str(found[0] if found else self.programs / name)

    def run(self, title, command, seconds, native=True):
        """What it prints; None where it failed."""
        environment = dict(os.environ)
        if native and "NEGATRON_LIBRARIES" in environment:
            environment["LD_LIBRARY_PATH"] = environment["NEGATRON_LIBRARIES"]
        begin = time.monotonic()
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds,
                                  env=environment, cwd=ROOT)
            code, output = done.returncode, done.stdout + done.stderr
        except FileNotFoundError as missing:
            code, output = "none", str(missing)
        except subprocess.TimeoutExpired as late:
            code, output = f"none within {seconds} s", ((late.stdout or b"") + (late.stderr or b"")).decode()
        print(f"[{time.monotonic() - begin:5.1f} s] {title}: " +
              ("ok" if code == 0 else "skipped" if code == SKIPPED else f"FAILED, exit code {code}"), flush=True)
        if code == 0:
            return output
        if code != SKIPPED:
            self.failed.append(title)
        print("\n".join(output.splitlines()[-25:]))
        return None


def steps_of(options):
    return (TINY_STEPS, TINY_WARM_STEPS) if options.tiny else (STEPS, WARM_STEPS)


def precision_of(options):
    return "fp32" if options.tiny else "bf16"


def limit_of(options):
    """Seconds; on a CPU nobody knows how busy it is."""
    return 300 if options.tiny else 60


def rate_of(metrics, warm_steps, batch):
    """Images per second and, by phase, milliseconds, of the steps behind the first ones."""
    steps = [line for line in map(json.loads, metrics.read_text().splitlines()) if "event" not in line][warm_steps:]
    phases = {name: statistics.median(step[f"step_ms.{name}"] for step in steps)
              for name in (key.removeprefix("step_ms.") for key in steps[0] if key.startswith("step_ms."))}
    # All time counts, as it does for the peer: a loader that stalls every tenth step is slower by that.
    return len(steps) * batch / sum(step["step_ms.total"] / 1000 for step in steps), phases


def train(parts, title, size, options, further):
    steps, warm_steps = steps_of(options)
    with tempfile.TemporaryDirectory() as folder:
        data, run = Path(folder) / "data", Path(folder) / "run"
        write_grey_images(data, size["images"], size["side"])
        flags = {"data": data, "run-dir": run, "device": options.device, "encoder": size["encoder"],
                 "stem": size["stem"], "global-batch": size["batch"], "bank-rows": size["bank_rows"],
                 "bank-dtype": "bf16", "head-hidden": 2048, "width": 128, "baselines": "off", "evaluate-every": 0,
                 "snapshot-every": "never", "epochs": 1000, "max-steps": steps, "precision": precision_of(options),
                 "loader-threads": max(1, (os.cpu_count() or 2) - 2), **further}
        command = [parts.path("negatron"), "pretrain"]
        for name, value in flags.items():
            command += [f"--{name}", value]
        if parts.run(f"negatron, {title}", command, limit_of(options)) is None:
            return None
        rate, phases = rate_of(run / "metrics.jsonl", warm_steps, size["batch"])
        print("    " + ", ".join(f"{name} {ms:.1f}" for name, ms in phases.items()) + " ms")
        return rate


def train_peer(parts, title, size, options):
    steps, warm_steps = steps_of(options)
    command = [sys.executable, PEER, "--device", options.device, "--encoder", size["encoder"], "--stem", size["stem"],
               "--image-size", size["side"], "--batch", size["batch"], "--bank-rows", size["bank_rows"],
               "--steps", steps - warm_steps, "--warm-up", warm_steps, "--precision", precision_of(options)]
    output = parts.run(f"eager PyTorch, {title}", command, limit_of(options), native=False)
    # Libraries may have warned behind it.
    results = [line for line in (output or "").splitlines() if line.startswith("{")]
    return json.loads(results[-1])["images_per_second"] if results else None


def shown(rate):
    return "-" if rate is None else f"{rate:,.0f}"


def measure_training(parts, options):
    rows = ["| images/s | Negatron | with --cudnn-benchmark | with --views-on device | eager PyTorch | ratio | before |",
            "|---|---|---|---|---|---|---|"]
    for title, size in (TINY if options.tiny else TRAININGS).items():
        own = train(parts, title, size, options, {})
        searched = train(parts, title + ", --cudnn-benchmark", size, options, {"cudnn-benchmark": "on"})
        viewed = train(parts, title + ", --views-on device", size, options, {"views-on": "device"})
        peer = train_peer(parts, title, size, options)
        before = BEFORE.get(title)
        ratio = f"{own / peer:.2f}" if own and peer else "-"
        past = f"{before[0]:,} beside {before[1]:,}" if before else "-"
        rows.append(f"| {title} | {shown(own)} | {shown(searched)} | {shown(viewed)} | {shown(peer)} | {ratio} | {past} |")
        print(rows[-1], flush=True)
    print("\n" + "\n".join(rows) + "\n", flush=True)


def check_defaults(parts, data):
    with tempfile.TemporaryDirectory() as folder:
        command = [parts.path("negatron"), "pretrain", "--device", "cuda", "--config",
                   ROOT / "launch/presets/fashion-mnist.ini", "--max-steps", 200, "--run-dir", Path(folder) / "run"]
        output = parts.run("default flags, 200 steps", command + (["--data", data] if data else []), 75)
        if output:
            print("\n".join(line for line in output.splitlines() if "%" in line or line.startswith("  ")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small training sizes")
    parser.add_argument("--data", help="Fashion-MNIST, where the preset's own place does not have it")
    options = parser.parse_args()
    parts = Parts(options.programs.resolve())
    if options.device.startswith("cuda"):
        card = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        print(parts.run("the GPU", card, 20) or "")
        for test in TESTS:
            parts.run(test, [parts.path(test)], 120)
        check_defaults(parts, options.data)
        table = parts.run("the pass", [parts.path("pass_gpu_bench"), "256,4096", "65536,1048576"], 60)
        print(table or "")
    measure_training(parts, options)
    if parts.failed:
        print("failed: " + "; ".join(parts.failed))
    sys.exit(1 if parts.failed else 0)


if __name__ == "__main__":
    main()
