"""Negatron's encoder in torch, as lightly's MoCo example is made: backbone, head and their momentum copies."""

import copy
from collections import OrderedDict

import h5py
import torch
from lightly.models.modules import MoCoProjectionHead
from lightly.models.utils import deactivate_requires_grad, update_momentum
from torch import nn


def make_backbone(settings):
    layers, width = OrderedDict(), 1
    channels, strides = settings.counts("encoder-channels"), settings.counts("encoder-strides")
    for stage, (output, stride) in enumerate(zip(channels, strides), 1):
        layers[f"conv{stage}"] = nn.Conv2d(width, output, 3, stride, padding=1, bias=False)
        nn.init.kaiming_normal_(layers[f"conv{stage}"].weight, mode="fan_out", nonlinearity="relu")
        layers[f"norm{stage}"] = nn.GroupNorm(settings.count("encoder-groups"), output)
        layers[f"relu{stage}"] = nn.ReLU(inplace=True)
        width = output
    layers["pool"] = nn.AdaptiveAvgPool2d(settings.count("pool-grid"))
    layers["flatten"] = nn.Flatten()
    return nn.Sequential(layers)


class MoCo(nn.Module):
    def __init__(self, settings):
        super().__init__()
        features = settings.counts("encoder-channels")[-1] * settings.count("pool-grid") ** 2
        self.backbone = make_backbone(settings)
        self.head = MoCoProjectionHead(features, settings.count("head-hidden"), settings.count("width"))
        self.key_backbone, self.key_head = copy.deepcopy(self.backbone), copy.deepcopy(self.head)
        deactivate_requires_grad(self.key_backbone)
        deactivate_requires_grad(self.key_head)

    def query(self, views):
        return self.head(self.backbone(views))

    def key(self, views):
        return self.key_head(self.key_backbone(views))

    def follow(self, momentum):
        update_momentum(self.backbone, self.key_backbone, momentum)
        update_momentum(self.head, self.key_head, momentum)

    def trained(self):
        return [*self.backbone.parameters(), *self.head.parameters()]


def backbone_of_snapshot(settings, snapshot):
    """The backbone that Negatron trained. Raises RuntimeError when its encoder has other shapes than the twin."""
    with h5py.File(snapshot / "trainer.h5") as file:
        tensors = {name: torch.from_numpy(data[()]) for name, data in file["tensors"].items()}
    shapes = sorted(tuple(tensor.shape) for name, tensor in tensors.items() if name.startswith("encoder."))
    expected = sorted(tuple(parameter.shape) for parameter in MoCo(settings).trained())
    if shapes != expected:
        raise RuntimeError(f"Negatron's encoder has parameters {shapes}, the twin in lightly {expected}")
    backbone, prefix = make_backbone(settings), "encoder.backbone."
    backbone.load_state_dict(
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)})
    return backbone
