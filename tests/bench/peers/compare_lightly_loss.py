"""lightly's MoCo with its own loss and with Negatron's, in turn. See tests/bench/compare_lightly_loss."""

import argparse
import json
import os
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from lightly.loss import NTXentLoss

import negatron.lightly
import train_lightly
from images import Images, Scale, knn_accuracy
from machine import processor
from run_settings import RunSettings

LOSSES = {"lightly.loss.NTXentLoss": NTXentLoss, "negatron.lightly.NTXentLoss": negatron.lightly.NTXentLoss}
WARM_STEPS = 20
QUICK_STEPS = 80
KNN_POINTS, QUICK_KNN_POINTS = 0.5, 4.0
"""What counts as having learned the same, of means over seeds."""


class Comparison:
    def __init__(self, options):
        self.options = options
        self.settings = RunSettings(["--precision", "fp32", "--epochs", str(options.epochs), "--drop-last", "on"])
        folder = self.settings.text("data")
        self.train, self.test = Images(folder, "train"), Images(folder, "t10k")
        self.scale = Scale(self.train.pixels)
        epoch_steps = len(self.train.labels) // self.settings.count("global-batch")
        self.steps = QUICK_STEPS if options.quick else options.epochs * epoch_steps

    def run(self, make_loss, seed):
        run = train_lightly.train(self.settings, self.train, self.scale, seed, self.options.workers, self.steps, WARM_STEPS,
                                  make_loss)
        knn = knn_accuracy(lambda pixels: run.backbone(self.scale(pixels)), self.train, self.test,
                           self.settings.count("knn-k"), self.settings.number("knn-temperature"))
        return {"seed": seed, "images_per_second": run.images_per_second, "knn": knn, "loss": run.last_loss()}


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/compare_lightly_loss")
    parser.add_argument("--quick", action="store_true", help=f"one seed, {QUICK_STEPS} steps")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1, help="of the DataLoader")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=Path("runs/compare"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{processor()}, {options.threads} threads, fp32, torch {version('torch')}, lightly {version('lightly')}")
    comparison, results = Comparison(options), {name: [] for name in LOSSES}
    for seed in range(1 if options.quick else options.seeds):
        for name, make_loss in LOSSES.items():
            results[name].append(comparison.run(make_loss, seed))
            last = results[name][-1]
            print(f"seed {seed}  {name:28}{last['images_per_second']:6.0f} images/s, kNN {last['knn']:.2f} %, "
                  f"loss {last['loss']:.4f}", flush=True)
    means = {name: statistics.mean(run["knn"] for run in runs) for name, runs in results.items()}
    print(", ".join(f"{name}: mean kNN {mean:.2f} %" for name, mean in means.items()))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "lightly_loss.json").write_text(json.dumps(results, indent=1))
    theirs, ours = means.values()
    most = QUICK_KNN_POINTS if options.quick else KNN_POINTS
    if not abs(theirs - ours) <= most:
        sys.exit(f"compare_lightly_loss: the means differ by {abs(theirs - ours):.2f} points, expected within {most}.")


main()
