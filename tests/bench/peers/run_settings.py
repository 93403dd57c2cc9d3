"""What a run of `negatron pretrain` would use, as it says itself, so that its twin uses the same."""

import subprocess

NEGATRON = "build/negatron"
PRESET = "launch/presets/fashion-mnist.ini"
# What the twin is written for.
KNOWN = {"objective": "info-nce", "sampler": "whole-bank", "head-norm": "auto", "momentum-schedule": "constant",
         "symmetric": "off", "learn-tau": "off", "nesterov": "off", "bank-fill": "random", "erase": "0"}


class RunSettings:
    def __init__(self, flags):
        self.command = [NEGATRON, "pretrain", "--config", PRESET, *flags]
        plan = subprocess.run([*self.command, "--dry-run"], capture_output=True, text=True)
        if plan.returncode != 0:
            raise RuntimeError(f"negatron pretrain --dry-run ended {plan.returncode}: {plan.stderr.strip()}")
        pairs = (line.split(" = ", 1) for line in plan.stdout.splitlines() if " = " in line and line[0] != "#")
        self.values = dict(pairs)
        for name, known in KNOWN.items():
            if self.values[name] != known:
                raise RuntimeError(
                    f"--{name} is {self.values[name]} in {PRESET}, the twin in lightly knows {known} only")

    def text(self, name):
        return self.values[name]

    def number(self, name):
        return float(self.values[name])

    def count(self, name):
        return int(self.values[name])

    def counts(self, name):
        return [int(part) for part in self.values[name].split(",")]
