"""Rows of length 1 that a seed tells."""

import torch
import torch.nn.functional as F


def unit(rows, width=8, seed=0, dtype=torch.float32):
    """[rows, width]"""
    return F.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed), dtype=dtype), dim=1)
