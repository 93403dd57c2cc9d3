"""What a bank does for rows that stay, and for rows that learn."""

from __future__ import annotations

import torch

from negatron import _core
from negatron.job import Group
from negatron.mistakes import number, require_tensor, require_tensor_or_none, told_in_call


class KeptRows:
    """The part of `negatron.Bank` that a queue has no use for."""

    _core: _core.Bank
    _group: Group

    def fetch(self, ids: torch.Tensor) -> torch.Tensor:
        """Of rows of samples. Those of the samples `ids` [b] int64, [b, d] as they are stored, without gradient.

        Collective: each rank asks for its own. Raises ValueError, or DisagreementError, on all ranks.
        """
        with told_in_call(self._group, "fetch"):
            require_tensor("ids", ids)
        return self._core.fetch(ids)

    def blend(
        self, ids: torch.Tensor, features: torch.Tensor, labels: torch.Tensor | None = None, *, momentum: float = 0.5
    ) -> None:
        """Of a memory bank. v <- momentum v + (1 - momentum) f, scaled to length 1 unless rows are raw, for the rows of the
        samples `ids` and what the encoder made of them. After the loss. Of a sample that is there twice, the first counts.

        Args:
            ids: [b] int64. Ranks may bring different numbers of them.
            features: [b, d] unit rows of any floating dtype on the bank's device, without gradient; q as a rule.
            labels: [b] int64; rows keep theirs without.
            momentum: 0 to 1.

        Collective. Raises ValueError, or DisagreementError, on all ranks before any feature travels.
        """
        with told_in_call(self._group, "blend"):
            for name, value in (("ids", ids), ("features", features)):
                require_tensor(name, value)
            require_tensor_or_none("labels", labels)
            kept = number("momentum", momentum)
        self._core.blend(ids, features, labels, kept)

    def write(self, ids: torch.Tensor, features: torch.Tensor, labels: torch.Tensor | None = None) -> None:
        """Of rows of samples. Those of `ids` become `features`, scaled to length 1 unless rows are raw, and forget what they
        were: at the start, or where an index is made anew. Arguments as those of `blend`.

        Collective. Raises ValueError, or DisagreementError, on all ranks before any feature travels.
        """
        with told_in_call(self._group, "write"):
            for name, value in (("ids", ids), ("features", features)):
                require_tensor(name, value)
            require_tensor_or_none("labels", labels)
        self._core.write(ids, features, labels)

    def step_rows(
        self, lr: float, *, momentum: float = 0.9, weight_decay: float = 1e-4, grad_scale: float = 1.0
    ) -> None:
        """Of rows that learn. They take a step by the gradient that backward of losses over this bank has left since the
        last one: down the loss in a parametric bank, up a loss of their own in a learned one (ContrastiveLoss,
        `rows_tau`). It is the gradient of the loss of *all* ranks, whatever the `reduction`, times what each backward
        multiplied the loss by, which must be alike on all ranks.

        Args:
            lr: a row's gradient by the mean loss is about 1 / K, so that "sgd" wants a large one (AdCo: 3 for 65536
                rows). "adagrad" and "adam" move each number of a row by about lr: 0.01 or less.
            momentum, weight_decay: as samplers/bank/row_optimizer.h has them.
            grad_scale: what losses were multiplied by and gradients are divided by, as GradScaler.get_scale().

        Collective. Raises ValueError where there is no gradient, and DisagreementError, on all ranks.
        """
        with told_in_call(self._group, "step_rows"):
            numbers = [
                number("lr", lr), number("momentum", momentum), number("weight_decay", weight_decay),
                number("grad_scale", grad_scale),
            ]
        self._core.step_rows(*numbers)

    def row_gradient(self) -> torch.Tensor | None:
        """Of rows that learn. A copy of what waits for `step_rows`, [m, d] by this rank's rows as they score; None for
        nothing. Local."""
        return self._core.gradient()

    def zero_grad(self) -> None:
        """Of rows that learn. Drops what waits for `step_rows`. Local."""
        self._core.drop_gradient()
