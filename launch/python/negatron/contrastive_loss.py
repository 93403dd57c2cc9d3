"""A loss over a bank, as a module."""

from __future__ import annotations

from typing import Any, Mapping, NoReturn

import torch

from negatron import _core
from negatron.bank import Bank
from negatron.job import Group
from negatron.known_gradients import KnownGradients
from negatron.methods import option_text
from negatron.mistakes import (
    assign,
    number,
    require_tensor,
    require_tensor_or_none,
    told_before,
    told_in_call,
    whole_number,
)

_REDUCTIONS = ("sum", "mean")
# What torch calls the backward that runs in this thread, where none does.
_NO_BACKWARD = -1


class ContrastiveLoss(torch.nn.Module):
    """A contrastive loss whose negatives lie in a bank over all ranks, in the batches of all ranks, or in both.

    `loss(q, k)` returns a scalar. With P ranks and reduction="sum" it is this rank's part: the sum over ranks of the parts
    is the loss, and the *sum* over ranks of the gradients is its gradient, exactly, also where ranks have batches of
    different sizes. DistributedDataParallel *averages* gradients over ranks: say reduction="mean" then, which makes parts
    and gradients P times as large, so that the average over ranks of the values is the loss and that of the gradients is
    its gradient.

    Args:
        bank: where negatives come from; None for an objective that needs none.
        group: the ranks, where there is no bank.
        objective: a name of `negatron.objectives()`; formulas in samplers/objectives/LOSSES.md.
        negatives: "bank", "batch", "bank-and-batch" or "none"; None for what the objective is known with.
        sampler: which rows of the bank a query meets, a name of `negatron.samplers()`; formulas in
            samplers/negative_samplers/SAMPLERS.md.
        sampler_options, objective_options: as {"n": 1024} or "n=1024".
        tau: the temperature. With learn_tau it is where a learned one starts: then `parameters()` holds log(1 / tau).
        reduction: "sum" or "mean", as above.
        seed: of what samplers draw.
        mask_own_sample: a query leaves out rows with its own id.
        max_age: rows that are more steps old do not score; 0 for no limit.
        rows_tau: the temperature of the loss that rows of a learned bank raise.
        sample_types, sample_counts: [samples] int64, for samplers that ask for them.
        steps_per_epoch: for samplers that go by epoch.
        allow_oracle: lets samplers see labels that self-supervised training must not see.

    Collective. Raises ValueError for what does not go together, and DisagreementError where ranks differ.
    """

    def __init__(
        self,
        bank: Bank | None = None,
        *,
        group: Group | None = None,
        objective: str = "info-nce",
        negatives: str | None = None,
        sampler: str = "whole-bank",
        sampler_options: Mapping[str, Any] | str | None = None,
        objective_options: Mapping[str, Any] | str | None = None,
        tau: float = 0.2,
        learn_tau: bool = False,
        reduction: str = "sum",
        seed: int = 0,
        mask_own_sample: bool = True,
        max_age: int = 0,
        rows_tau: float = 0.02,
        sample_types: torch.Tensor | None = None,
        sample_counts: torch.Tensor | None = None,
        steps_per_epoch: int = 1,
        allow_oracle: bool = False,
    ) -> None:
        super().__init__()
        if bank is None and group is None:
            raise ValueError("a loss needs a bank, or a group where its negatives are those of the batch")
        self.bank = bank
        self.group = bank.group if bank is not None else group
        self.objective = objective
        self.sampler = sampler
        self.reduction = reduction
        with told_before(self.group, "the loss"):
            if group is not None and group is not self.group:
                raise ValueError("the group of a loss with a bank is the bank's; leave group out")
            if reduction not in _REDUCTIONS:
                raise ValueError(f"reduction is 'sum' or 'mean', not {reduction!r}")
            options = _core.LossOptions()
            assign(options, objective=objective, objective_options=option_text(objective_options), sampler=sampler)
            assign(options, sampler_options=option_text(sampler_options), seed=seed, max_age=max_age)
            assign(options, tau=number("tau", tau), learn_tau=learn_tau, mask_own_sample=mask_own_sample)
            assign(options, rows_tau=number("rows_tau", rows_tau), allow_oracle=allow_oracle)
            if negatives is not None:
                options.set_negatives(negatives)
            require_tensor_or_none("sample_types", sample_types)
            require_tensor_or_none("sample_counts", sample_counts)
            facts = _core.SampleFacts(sample_types, sample_counts)
            epoch_steps = whole_number("steps_per_epoch", steps_per_epoch)
        core_bank = bank._core if bank is not None else None
        self._core = _core.Loss(self.group._core, core_bank, options, facts, epoch_steps, reduction)
        # What backward of a loss over rows that learn is for, also where nothing else takes a gradient.
        learns = bank is not None and bank.kind in ("parametric", "learned")
        self._rows = torch.zeros((), requires_grad=True) if learns else None
        for name, tensor in self._core.parameters():
            # Shares its memory: what an optimizer writes is what the loss reads.
            self.register_parameter(name.replace(".", "_"), torch.nn.Parameter(tensor.detach()))

    def forward(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None = None,
        ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        *,
        epoch: float = 0.0,
        progress: float = 0.0,
    ) -> torch.Tensor:
        """The loss of a batch, b samples on this rank.

        Args:
            q: [b, d] unit rows, with gradient. float32 or float64; what autocast left in float16 or bfloat16 is widened.
            k: [b, d] their positives, in the same dtype. They take gradient where they ask for it. Left out for a memory
                bank, unless they are other vectors than its rows, and for a parametric one.
            ids: [b] int64, which samples these are. Rows of samples are told by them.
            labels: [b] int64.
            epoch: passes over the data so far, for samplers that anneal by epoch.
            progress: 0 to 1, the share of the training that lies behind, for objectives that anneal.

        Collective, and all that is collective; backward meets no other rank, and a second one wants retain_graph=True, as
        always in torch. Raises ValueError, or DisagreementError, on
        all ranks before any vector travels. A gradient of a gradient is not defined and raises RuntimeError, and so does
        a loss that is computed once more inside backward, as torch.utils.checkpoint may do.
        """
        with told_in_call(self.group, "loss"):
            if torch._C._current_graph_task_id() != _NO_BACKWARD:
                raise RuntimeError(
                    "a negatron.ContrastiveLoss is collective and counts its steps, and cannot be computed again inside "
                    "backward; leave it outside of what torch.utils.checkpoint wraps, or last in it with "
                    "use_reentrant=False"
                )
            require_tensor("q", q)
            for name, value in (("k", k), ("ids", ids), ("labels", labels)):
                require_tensor_or_none(name, value)
            given_vectors = [vector for vector in (q, k) if vector is not None]
            about = {"ids": ids, "labels": labels, "epoch": number("epoch", epoch), "progress": number("progress", progress)}
        about["trains"] = self.training and torch.is_grad_enabled()
        if torch.is_inference_mode_enabled() or any(vector.is_inference() for vector in given_vectors):
            # The loss comes with its gradients, which are taken in a graph of its own.
            with torch.inference_mode(False), torch.no_grad():
                return self._loss_of(q.clone(), None if k is None else k.clone(), **about)
        return self._loss_of(q, k, **about)

    def _loss_of(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        *,
        ids: torch.Tensor | None,
        labels: torch.Tensor | None,
        epoch: float,
        progress: float,
        trains: bool,
    ) -> torch.Tensor:
        if q.dtype in (torch.float16, torch.bfloat16):
            q, k = q.float(), None if k is None else k.float()
        given = _core.LossInput(q.detach(), None if k is None else k.detach(), ids, labels)
        given.trains = trains
        given.epoch = epoch
        given.progress = progress
        scale = float(self.group.size) if self.reduction == "mean" else 1.0
        bank = self.bank._core if self.bank is not None else None
        rows = self._rows if trains else None
        return KnownGradients.apply(self._core, given, scale, bank, q, k, rows, *self._shared_parameters())

    def _shared_parameters(self) -> list[torch.Tensor]:
        own = list(self.parameters())
        with torch.no_grad():
            for parameter, (_, live) in zip(own, self._core.parameters()):
                # Module.to() may have given it other memory.
                if parameter.data_ptr() != live.data_ptr():
                    live.copy_(parameter)
        return own

    def metrics(self) -> dict[str, float]:
        """Of the last step, over all ranks: "loss", "positive_similarity", "negative_similarity", "accuracy" (the share of
        queries whose positive beats every negative), "temperature", "bank_fill", "bank_age" (in steps), and what
        objective and sampler tell. Empty before the first step. Local; any thread may ask."""
        return self._core.metrics()

    def get_extra_state(self) -> dict[str, Any]:
        """What sampler and objective remember, for `state_dict()`."""
        tensors, text, numbers = self._core.state()
        return {"sampler": self.sampler, "tensors": tensors, "text": text, "numbers": numbers}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        if state["sampler"] != self.sampler:
            raise ValueError(f"the state is that of sampler {state['sampler']!r}, and this loss has {self.sampler!r}")
        self._core.restore(state["tensors"], state["text"], state["numbers"])

    def extra_repr(self) -> str:
        return f"{self.bank!r}, objective={self.objective!r}, sampler={self.sampler!r}, reduction={self.reduction!r}"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a negatron.ContrastiveLoss belongs to running processes and cannot be pickled or copied; keep its "
            "state_dict(), and its bank by bank.save(path)"
        )
