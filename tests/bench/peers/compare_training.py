"""Trains with Negatron and with lightly in turn and scores both. See tests/bench/compare_training."""

import argparse
import json
import math
import os
import signal
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

import torch

import train_lightly
import train_negatron
from images import Images, Scale, knn_accuracy
from machine import processor
from run_settings import RunSettings

PRECISIONS = ("bf16", "fp32")
WARM_STEPS = 20
QUICK_STEPS = 80
WORKERS = (0, 1, 2)
# Each of them gets as many steps to show its rate.
PROBE_STEPS, PROBE_WARM_STEPS = 30, 10
# Two programs for one protocol: rounding may move an image or two; features in bf16 and fp32 differ more.
PIXEL_POINTS, FEATURE_POINTS = 0.03, 0.5
# What counts as having learned the same, of means over seeds. One seed in the middle of the warm-up says little.
KNN_POINTS, LOSS_SHARE = 1.0, 0.02
QUICK_KNN_POINTS, QUICK_LOSS_SHARE = 4.0, 0.05


class Comparison:
    """All runs of one precision."""

    def __init__(self, precision, options):
        self.options, self.precision = options, precision
        self.settings = RunSettings(["--precision", precision, "--epochs", str(options.epochs), "--drop-last", "on"])
        folder = self.settings.text("data")
        self.train, self.test = Images(folder, "train"), Images(folder, "t10k")
        self.scale = Scale(self.train.pixels)
        epoch_steps = len(self.train.labels) // self.settings.count("global-batch")
        self.steps = min(options.steps or sys.maxsize, options.epochs * epoch_steps)

    def accuracy(self, features):
        number = self.settings.number
        return knn_accuracy(lambda pixels: features(self.scale(pixels)), self.train, self.test,
                            self.settings.count("knn-k"), number("knn-temperature"))

    def negatron(self, seed, baselines):
        run, own = train_negatron.train(self.settings, seed, self.options.threads, self.steps, WARM_STEPS, baselines)
        knn = self.accuracy(run.backbone)
        expect_near("Negatron's own kNN accuracy of its features", own["encoder"], knn, FEATURE_POINTS)
        if baselines:
            pixels = self.accuracy(torch.nn.Flatten())
            expect_near("Negatron's own kNN accuracy of raw pixels", own["raw pixels"], pixels, PIXEL_POINTS)
        return row(run, seed, knn)

    def lightly(self, seed, workers):
        run = train_lightly.train(self.settings, self.train, self.scale, seed, workers, self.steps, WARM_STEPS)
        return row(run, seed, self.accuracy(run.backbone))

    def lightly_rates(self):
        """images/s by workers of the DataLoader"""
        return {workers: train_lightly.train(self.settings, self.train, self.scale, 0, workers, PROBE_STEPS,
                                             PROBE_WARM_STEPS).images_per_second for workers in WORKERS}

    def run(self, baselines):
        rates = self.lightly_rates()
        workers = max(rates, key=rates.get)
        print(f"{self.precision}: lightly with " +
              ", ".join(f"{count} workers {rate:.0f} images/s" for count, rate in rates.items()), flush=True)
        ours, theirs = [], []
        for seed in range(self.options.seeds):
            # In turn, so that what else the machine does disturbs both.
            ours.append(self.negatron(seed, baselines and seed == 0))
            theirs.append(self.lightly(seed, workers))
            print(f"{self.precision} seed {seed}: {show(ours[-1])}  lightly {show(theirs[-1])}", flush=True)
        points, share = ((QUICK_KNN_POINTS, QUICK_LOSS_SHARE) if self.options.quick else (KNN_POINTS, LOSS_SHARE))
        expect_near("the mean kNN accuracy of Negatron", mean(ours, "knn"), mean(theirs, "knn"), points)
        loss = mean(theirs, "loss")
        expect_near("the mean loss of Negatron", mean(ours, "loss"), loss, share * loss)
        return {"precision": self.precision, "steps": self.steps, "lightly_workers": workers,
                "lightly_images_per_second_by_workers": rates, "negatron": ours, "lightly": theirs,
                "times_lightly": mean(ours, "images_per_second") / mean(theirs, "images_per_second"),
                "settings": self.settings.values}


def row(run, seed, knn):
    return {"seed": seed, "images_per_second": run.images_per_second, "knn": knn, "loss": run.last_loss()}


def show(entry):
    return f"{entry['images_per_second']:.0f} images/s, kNN {entry['knn']:.2f} %, loss {entry['loss']:.4f}"


def mean(rows, name):
    return statistics.mean(entry[name] for entry in rows)


def standard_error(rows, name):
    """Of the mean, from how the seeds differ."""
    return statistics.stdev(entry[name] for entry in rows) / len(rows) ** 0.5


def knn_difference(result):
    """What of it seeds alone may do: one alone moves it by a quarter of a point."""
    ours, theirs = result["negatron"], result["lightly"]
    difference = mean(ours, "knn") - mean(theirs, "knn")
    if len(ours) < 2:
        return f"kNN {difference:+.2f} points from lightly's, of one seed"
    error = math.hypot(standard_error(ours, "knn"), standard_error(theirs, "knn"))
    return f"kNN {difference:+.2f} points from lightly's, with a standard error of {error:.2f} over {len(ours)} seeds"


def expect_near(what, value, other, most):
    if not abs(value - other) <= most:
        raise RuntimeError(f"{what} is {value:.4f} beside {other:.4f}, expected within {most:.4f}")


def table(results):
    print(f"\n{'':24}{'precision':>10}{'images/s':>10}{'least':>8}{'most':>8}{'kNN %':>8}{'least':>8}{'most':>8}"
          f"{'loss':>9}{'x lightly':>11}")
    for result in results:
        for name, rows in (("Negatron", result["negatron"]), ("lightly", result["lightly"])):
            if name == "lightly":
                name += f", {result['lightly_workers']} workers"
            rates, knns = ([entry[key] for entry in rows] for key in ("images_per_second", "knn"))
            times = statistics.mean(rates) / mean(result["lightly"], "images_per_second")
            print(f"{name:24}{result['precision']:>10}{statistics.mean(rates):10.0f}{min(rates):8.0f}{max(rates):8.0f}"
                  f"{statistics.mean(knns):8.2f}{min(knns):8.2f}{max(knns):8.2f}{mean(rows, 'loss'):9.4f}{times:11.2f}")


def positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of at least 1")
    return int(text)


def parse():
    parser = argparse.ArgumentParser(prog="tests/bench/compare_training")
    parser.add_argument("--quick", action="store_true", help=f"one seed, {QUICK_STEPS} steps")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--epochs", type=positive, default=2)
    parser.add_argument("--seeds", type=positive, default=3)
    parser.add_argument("--precision", choices=PRECISIONS, nargs="+", default=PRECISIONS,
                        help="where a processor has no bf16, PyTorch's takes an hour an epoch")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"), help="folder of training.json")
    options = parser.parse_args()
    options.steps = QUICK_STEPS if options.quick else None
    options.seeds = 1 if options.quick else options.seeds
    return options


def main():
    options = parse()
    # So that a run in progress ends with this program.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    torch.set_num_threads(options.threads)
    versions = {name: version(name) for name in ("torch", "torchvision", "lightly")}
    print(f"{processor()}, {options.threads} threads, "
          + ", ".join(f"{name} {number}" for name, number in versions.items()), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    results = []
    report = {"processor": processor(), "threads": options.threads, "versions": versions, "results": results}
    for precision in options.precision:
        try:
            results.append(Comparison(precision, options).run(baselines=not results))
        except RuntimeError as error:
            sys.exit(f"compare_training: {error}.")
        # Each as it is there: the other takes as long.
        table(results[-1:])
        print(knn_difference(results[-1]))
        (options.out / "training.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{options.out / 'training.json'} written")


if __name__ == "__main__":
    main()
