"""What a run leaves to be compared."""

import dataclasses
import statistics

import torch

LAST_STEPS = 20


@dataclasses.dataclass
class Trained:
    images_per_second: float
    losses: list  # of each step
    backbone: torch.nn.Module

    def last_loss(self):
        return statistics.mean(self.losses[-LAST_STEPS:])
