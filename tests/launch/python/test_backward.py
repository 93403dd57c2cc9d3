"""Backward of a loss: what it leaves, what it lets go of, and what a second one is."""

import weakref

import pytest
import torch

import negatron
from unit_rows import unit


def test_a_gradient_of_a_gradient_is_refused(bank):
    q = unit(4).requires_grad_()
    value = negatron.ContrastiveLoss(bank)(q, unit(4, seed=1))
    (gradient,) = torch.autograd.grad(value, q, create_graph=True)
    with pytest.raises(RuntimeError, match="a gradient of a gradient is not defined"):
        gradient.sum().backward()


def test_backward_twice_and_scaled(bank):
    q = unit(4).requires_grad_()
    value = negatron.ContrastiveLoss(bank)(q, unit(4, seed=1))
    value.backward(retain_graph=True)
    once = q.grad.clone()
    (3 * value).backward()
    assert torch.allclose(q.grad, 4 * once)


def test_looking_leaves_no_gradient_in_rows(group):
    bank = negatron.Bank(group, 20, 8, kind="parametric")
    loss = negatron.ContrastiveLoss(bank)
    with torch.no_grad():
        looked = loss(unit(3), ids=torch.arange(3)).item()
    assert not loss.eval()(unit(3), ids=torch.arange(3)).requires_grad and bank.row_gradient() is None
    value = loss.train()(unit(3), ids=torch.arange(3))
    assert value.item() == looked and bank.row_gradient() is None
    value.backward()
    assert bank.row_gradient().abs().sum() > 0


def kept_by(value):
    """Weak references to what the graph of a loss holds for backward."""
    held = vars(value.grad_fn).values()
    things = [one for thing in held for one in (thing if isinstance(thing, (list, tuple)) else [thing])]
    return [weakref.ref(one) for one in things if isinstance(one, (torch.Tensor, negatron._core.RowGradient))]


def step_of(bank, seed=1):
    return negatron.ContrastiveLoss(bank, learn_tau=True)(unit(4).requires_grad_(), unit(4, seed=seed).requires_grad_())


@pytest.mark.parametrize("kind", ["queue", "learned"])
def test_a_loss_that_is_kept_keeps_no_gradients(group, kind):
    bank = negatron.Bank(group, rows=20, width=8, kind=kind)
    total, values = torch.zeros(()), []
    for step in range(3):
        value = step_of(bank, seed=step)
        kept = kept_by(value)
        # Of q, of k, of the temperature, and of rows that learn.
        assert len(kept) == (4 if kind == "learned" else 3) and all(one() is not None for one in kept)
        value.backward(retain_graph=True)
        assert all(one() is not None for one in kept)
        value.backward()
        total += value
        values.append(value)
        assert all(one() is None for one in kept), step
    assert total.requires_grad and all(value.grad_fn is not None for value in values)


@pytest.mark.parametrize("kind", ["queue", "learned"])
def test_a_second_backward_is_that_of_torch(group, kind):
    weight = torch.ones(3, requires_grad=True)
    product = (weight * weight).sum()
    product.backward()
    with pytest.raises(RuntimeError) as theirs:
        product.backward()
    bank = negatron.Bank(group, rows=20, width=8, kind=kind)
    q = unit(4).requires_grad_()
    value = negatron.ContrastiveLoss(bank)(q, unit(4, seed=1))
    value.backward(retain_graph=True)
    once, of_rows = q.grad.clone(), bank.row_gradient()
    value.backward()
    assert torch.equal(q.grad, 2 * once)
    for again in (value.backward, lambda: torch.autograd.grad(value, q), lambda: (value + 1).backward()):
        with pytest.raises(RuntimeError) as ours:
            again()
        assert str(ours.value) == str(theirs.value)
    # Nothing of what was refused has arrived.
    assert torch.equal(q.grad, 2 * once)
    assert kind == "queue" or torch.equal(bank.row_gradient(), 2 * of_rows)
