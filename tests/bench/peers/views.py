"""Negatron's random views with torchvision's transforms, and batches of two of them by a DataLoader."""

import math

import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from images import SIDE


def make_transform(settings, scale):
    """Bytes [1, 28, 28] -> one view. On tensors, which torchvision is faster with here than with PIL images."""
    number = settings.number
    steps = [
        v2.RandomResizedCrop(SIDE, scale=(number("crop-area-min"), number("crop-area-max")),
                             ratio=(number("crop-aspect-min"), number("crop-aspect-max"))),
        v2.RandomHorizontalFlip(number("flip")),
        v2.RandomApply([v2.ColorJitter(number("brightness"), number("contrast"))], number("jitter")),
    ]
    if number("blur") > 0:
        size = 2 * math.ceil(3 * number("blur-sigma-max")) + 1
        blur = v2.GaussianBlur(size, (number("blur-sigma-min"), number("blur-sigma-max")))
        steps.append(v2.RandomApply([blur], number("blur")))
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize([scale.mean], [scale.deviation])]
    return v2.Compose(steps)


class TwoViews(Dataset):
    def __init__(self, pixels, transform):
        self.pixels, self.transform = pixels, transform

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        return self.transform(self.pixels[index]), self.transform(self.pixels[index])


def make_loader(settings, pixels, scale, workers):
    return DataLoader(TwoViews(pixels, make_transform(settings, scale)), settings.count("global-batch"), shuffle=True,
                      drop_last=True, num_workers=workers, persistent_workers=workers > 0)
