"""`negatron pretrain` as one rank, timed from outside."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from moco_network import backbone_of_snapshot
from trained import Trained

POLL_SECONDS = 0.01
ONLY_AT_THE_END = 10**9


class MetricsFile:
    """Reads lines of metrics.jsonl as they come."""

    def __init__(self, path):
        self.path, self.offset, self.losses, self.knn = path, 0, [], {}

    def read(self):
        if not self.path.exists():
            return
        with self.path.open() as file:
            file.seek(self.offset)
            text = file.read()
        whole = text[:text.rfind("\n") + 1]
        self.offset += len(whole)
        for line in map(json.loads, whole.splitlines()):
            if "event" not in line:
                self.losses.append(line["loss"])
            elif line["event"] == "evaluation":
                self.knn[line["subject"]] = 100 * line["knn"]


def train(settings, seed, threads, steps, warm_steps, baselines):
    """Also returns the kNN accuracies that the run itself printed, by subject."""
    with tempfile.TemporaryDirectory() as folder:
        run, log = Path(folder) / "run", Path(folder) / "log"
        flags = ["--run-dir", run, "--seed", seed, "--threads", threads, "--max-steps", steps,
                 "--baselines", "on" if baselines else "off", "--evaluate-every", 0,
                 "--snapshot-every", ONLY_AT_THE_END]
        metrics, begin, end = MetricsFile(run / "metrics.jsonl"), None, None
        with log.open("w") as output:
            process = subprocess.Popen([*settings.command, *map(str, flags)], stdout=output, stderr=output)
        try:
            while process.poll() is None:
                metrics.read()
                if begin is None and len(metrics.losses) >= warm_steps:
                    begin, first = time.perf_counter(), len(metrics.losses)
                if end is None and len(metrics.losses) >= steps:
                    end = time.perf_counter()
                time.sleep(POLL_SECONDS)
        finally:
            process.kill()
        metrics.read()
        if process.returncode != 0:
            raise RuntimeError(f"negatron pretrain ended {process.returncode}: {log.read_text().strip()}")
        if end is None or len(metrics.losses) != steps:
            raise RuntimeError(f"negatron pretrain made {len(metrics.losses)} steps, expected {steps}")
        snapshots = sorted((run / "snapshots").glob("step-*"))
        if not snapshots:
            raise RuntimeError("negatron pretrain left no snapshot")
        backbone = backbone_of_snapshot(settings, snapshots[-1])
    rate = (steps - first) * settings.count("global-batch") / (end - begin)
    return Trained(rate, metrics.losses, backbone), metrics.knn
