"""Saves small networks as TorchScript into a folder.
    write_scripts.py FOLDER
"""

import sys
from pathlib import Path

import torch
from torch import nn


class Small(nn.Module):
    """With all that a module may hold: a parameter of its own and a frozen one, buffers, submodules in a list."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))
        self.frozen = nn.Parameter(torch.full((8,), 0.5), requires_grad=False)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.layers = nn.ModuleList([nn.Conv2d(1, 8, 3, padding=1), nn.GroupNorm(2, 8)])
        self.out = nn.Linear(8, 12)

    def forward(self, images):
        if self.training:
            self.calls += 1
        for layer in self.layers:
            images = layer(images)
        return self.out(images.relu().mean((2, 3)) * self.scale + self.frozen)


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))

    def forward(self, images):
        return self.stem(images).mean((2, 3))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(144, 144)
        self.b = nn.Linear(144, 144)
        self.b.weight = self.a.weight

    def forward(self, images):
        return self.b(self.a(images.flatten(1)).relu())


folder = Path(sys.argv[1])
torch.manual_seed(4)
torch.jit.script(Small()).save(str(folder / "small.pt"))
torch.jit.script(Normed()).save(str(folder / "normed.pt"))
torch.jit.script(Tied()).save(str(folder / "tied.pt"))
torch.jit.trace(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(400, 6)), torch.rand(2, 1, 12, 12)).save(str(folder / "traced.pt"))
torch.jit.script(nn.Conv2d(1, 4, 3)).save(str(folder / "maps.pt"))
torch.jit.script(nn.Linear(7, 4)).save(str(folder / "rows.pt"))
torch.save({"a": torch.ones(2)}, folder / "state.pt")
