"""The node of autograd's graph that a loss is: its gradients came with its value."""

from __future__ import annotations

from typing import Any, NoReturn

import torch

from negatron import _core

# Torch's own words where a graph has been used up.
_USED_UP = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


class _NoSecondGradient(torch.autograd.Function):
    """Hands a gradient on, and refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, gradient: torch.Tensor, asks_for_graph: torch.Tensor) -> torch.Tensor:
        return gradient.clone()

    @staticmethod
    def backward(ctx: Any, arriving: torch.Tensor) -> NoReturn:
        raise RuntimeError(
            "the gradient of a negatron.ContrastiveLoss is known in closed form and has none of its own: a gradient of a "
            "gradient is not defined; leave create_graph out"
        )


class KnownGradients(torch.autograd.Function):
    """The loss is computed with its gradients; backward multiplies them by what arrives, and meets no other rank."""

    @staticmethod
    def forward(
        ctx: Any, core: _core.Loss, given: _core.LossInput, scale: float, bank: _core.Bank | None, *inputs: torch.Tensor
    ) -> torch.Tensor:
        # inputs are q, k or None, what stands for rows that learn or None, and the loss's own parameters.
        given.queries_take_gradient, given.keys_take_gradient = ctx.needs_input_grad[4:6]
        value, of_q, of_k, of_parameters, ctx.of_rows = core.step(given)
        ctx.bank = bank
        ctx.scale = scale
        # Not by save_for_backward: a hook of saved tensors, as torch.utils.checkpoint has one, would have the loss
        # computed once more to save what nobody but this function has. So it is for backward to let go of them, as
        # torch does of what it saves: a loss that somebody keeps keeps its graph.
        ctx.gradients = [of_q, of_k, None, *of_parameters]
        return value * scale

    @staticmethod
    def backward(ctx: Any, arriving: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        if ctx.gradients is None:
            raise RuntimeError(_USED_UP)
        with torch.no_grad():
            known = [gradient * (arriving * ctx.scale) if gradient is not None else None for gradient in ctx.gradients]
            if ctx.of_rows is not None:
                # Of the loss of all ranks already, of which the scale makes parts.
                ctx.bank.add_gradient(ctx.of_rows, arriving)
        if torch.is_grad_enabled():
            # create_graph: who differentiates further must hear of it.
            mark = torch.zeros((), device=arriving.device, requires_grad=True)
            known = [None if gradient is None else _NoSecondGradient.apply(gradient, mark) for gradient in known]
        if not torch._C._autograd._get_current_graph_task_keep_graph():
            ctx.gradients = ctx.of_rows = ctx.bank = None
        return (None, None, None, None, *known)
