"""Losses with the signatures of lightly's (https://github.com/lightly-ai/lightly), over banks that are sharded."""

from __future__ import annotations

from typing import Any, Sequence

import torch

from negatron.bank import Bank
from negatron.contrastive_loss import ContrastiveLoss
from negatron.job import Group, alone, init


def _bank_size(size: int | Sequence[int]) -> tuple[int, int] | None:
    """(K, d), or None without a bank."""
    if isinstance(size, int):
        if size == 0:
            return None
        raise ValueError(f"memory_bank_size={size} says nothing of the width; pass ({size}, d), or 0 for no bank")
    if len(size) == 2 and all(number > 0 for number in size):
        return int(size[0]), int(size[1])
    if tuple(size) == (0,):
        return None
    raise ValueError(f"memory_bank_size is (K, d), or 0 for no bank, not {size!r}")


class NTXentLoss(torch.nn.Module):
    """In the place of `lightly.loss.NTXentLoss`: MoCo's loss (He et al., CVPR 2020) with a bank, SimCLR's (Chen et al.,
    ICML 2020) without. `loss(out0, out1)` takes what the projection heads gave, makes unit rows of it, returns the loss,
    and appends out1 to the bank where out0 takes gradient.

    Values and gradients are lightly's on one rank. On P ranks the bank has K rows *in all*, of which each rank keeps its
    own keys, where lightly has a copy of K rows on each; and the loss is that of all ranks, scaled for
    DistributedDataParallel, which averages gradients. What lightly calls gather_distributed says whether negatives of a
    loss without a bank come from the batches of all ranks.

    Args:
        temperature: tau, above 0.
        memory_bank_size: (K, d), or 0 for no bank.
        gather_distributed: as above.
        group: the ranks; what `negatron.init()` finds at the first call, when it is left out.
        dtype: how the bank's rows are stored.
        options: further arguments of `negatron.ContrastiveLoss`, as sampler="mochi"; none that is learned.

    The bank is not in `state_dict()`, as each rank has a part of it: keep it by `criterion.bank.save(path)`.
    """

    def __init__(
        self,
        temperature: float = 0.5,
        memory_bank_size: int | Sequence[int] = 0,
        gather_distributed: bool = False,
        *,
        group: Group | None = None,
        dtype: torch.dtype = torch.float32,
        **options: Any,
    ) -> None:
        super().__init__()
        if options.get("learn_tau"):
            raise ValueError("this loss has no parameters; negatron.ContrastiveLoss(..., learn_tau=True) learns tau")
        if not temperature > 0.0:
            raise ValueError(f"Illegal temperature: {temperature} is not above 0")
        self.temperature = temperature
        self.gather_distributed = gather_distributed
        self._size = _bank_size(memory_bank_size)
        self._group = group
        self._dtype = dtype
        self._options = options
        # No module of this one: the state of a criterion is the same before its first batch and after it.
        self._made: list[ContrastiveLoss] = []

    @property
    def _loss(self) -> ContrastiveLoss | None:
        return self._made[0] if self._made else None

    @property
    def bank(self) -> Bank | None:
        """The bank, once the first batch has said where it lies; None without one."""
        return self._loss.bank if self._loss is not None else None

    def forward(self, out0: torch.Tensor, out1: torch.Tensor) -> torch.Tensor:
        """out0, out1: [b, d], two views of each of b samples. Collective."""
        if self._loss is None:
            self._made.append(self._make(out0))
        q = torch.nn.functional.normalize(out0, dim=1)
        k = torch.nn.functional.normalize(out1, dim=1)
        loss = self._made[0].train(self.training)
        value = loss(q, k)
        bank = loss.bank
        if bank is not None and out0.requires_grad:
            bank.enqueue(k.detach())
        return value

    def _make(self, out0: torch.Tensor) -> ContrastiveLoss:
        settings = {"tau": self.temperature, "reduction": "mean", **self._options}
        if self._size is None:
            group = (self._group or init()) if self.gather_distributed else alone()
            return ContrastiveLoss(group=group, **{"objective": "nt-xent", **settings})
        group = self._group or init()
        rows, width = self._size
        bank = Bank(group, rows, width, self._dtype, out0.device, global_batch=out0.shape[0] * group.size)
        return ContrastiveLoss(bank, **{"objective": "info-nce", **settings})

    def extra_repr(self) -> str:
        return f"temperature={self.temperature}, memory_bank_size={self._size or 0}"
