"""Squared distances as inner products (samplers/bank/squared_distance.h)."""

from __future__ import annotations

import torch


def _half_square(vectors: torch.Tensor) -> torch.Tensor:
    """-|v|^2 / 2 [..., 1]"""
    return vectors.square().sum(-1, keepdim=True) * -0.5


def distance_rows(n: torch.Tensor) -> torch.Tensor:
    """n' = (n, -|n|^2 / 2, 1): what lies in a bank of raw rows, and what keys are, where scores are to be squared
    distances. Its inner product with q' of `distance_queries` is -|q - n|^2 / 2, so that a softmax at tau has the logits
    -|q - n|^2 / (2 tau), and the hardest rows are the nearest.

        bank = negatron.Bank(group, rows=65536, width=d + 2, length="raw")
        value = negatron.ContrastiveLoss(bank, tau=tau)(negatron.distance_queries(q), negatron.distance_rows(k))
        bank.enqueue(negatron.distance_rows(k))

    Args:
        n: [..., d] vectors of any length. Gradient goes through. Store rows in float32 or float64: |n|^2 / 2 is one of
            their numbers.

    Returns [..., d + 2]. Local. Example: n = (0, 2) is (0, 2, -2, 1), q = (1, 0) is (1, 0, 1, -0.5), and their inner
    product -2.5 is half of the square of their distance, negated."""
    square = _half_square(n)
    return torch.cat([n, square, torch.ones_like(square)], -1)


def distance_queries(q: torch.Tensor) -> torch.Tensor:
    """q' = (q, 1, -|q|^2 / 2), whose inner product with n' of `distance_rows` is -|q - n|^2 / 2. Gradient goes through.
    [..., d] to [..., d + 2]. Local."""
    square = _half_square(q)
    return torch.cat([q, torch.ones_like(square), square], -1)
