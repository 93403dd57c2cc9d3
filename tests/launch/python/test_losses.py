"""Losses in one process: dtypes, rows of any length, a learned temperature, what two of them share."""

import pytest
import torch
import torch.nn.functional as F

import negatron
from unit_rows import unit


def test_bfloat16(group):
    bank = negatron.Bank(group, 20, 8, torch.bfloat16, fill="empty")
    keys = unit(20, seed=2)
    bank.enqueue(keys)
    with pytest.raises(TypeError, match="numpy has no bfloat16"):
        bank.numpy()
    q, k = unit(4).requires_grad_(), unit(4, seed=1)
    value = negatron.ContrastiveLoss(bank, tau=0.1)(q, k)
    value.backward()
    plain = unit(4).requires_grad_()
    logits = torch.cat([(plain * k).sum(1, keepdim=True), plain @ keys.bfloat16().float().T], 1) / 0.1
    expected = F.cross_entropy(logits, torch.zeros(4, dtype=torch.long))
    expected.backward()
    # A processor that multiplies in bf16 has the rows' weights, which sum to at most 1, rounded to it.
    rounding = 2**-8 / 0.1 / len(q)
    assert torch.allclose(value, expected, rtol=1e-5) and torch.allclose(q.grad, plain.grad, atol=rounding)


def test_what_autocast_left_is_widened(bank):
    q = unit(4).requires_grad_()
    negatron.ContrastiveLoss(bank)(q.bfloat16(), unit(4, seed=1).bfloat16()).backward()
    assert q.grad.dtype == torch.float32 and q.grad.abs().sum() > 0


def test_inference_mode_gives_the_same_loss(bank):
    loss = negatron.ContrastiveLoss(bank, learn_tau=True)
    expected = loss(unit(4), unit(4, seed=1)).item()
    with torch.inference_mode():
        assert loss(unit(4), unit(4, seed=1)).item() == expected
        q = unit(4)
    assert not loss(q, q).isnan()


def test_two_banks_know_nothing_of_each_other(group):
    first, second = (negatron.Bank(group, 20, 8, seed=seed) for seed in (1, 2))
    before = second.numpy().copy()
    q, k = unit(4), unit(4, seed=1)
    values = [negatron.ContrastiveLoss(bank)(q, k).item() for bank in (first, second)]
    assert values[0] != values[1]
    first.enqueue(k)
    assert (second.numpy() == before).all() and (first.step, second.step) == (1, 0)
    assert negatron.ContrastiveLoss(second)(q, k).item() == values[1]


def test_a_learned_temperature_follows_an_optimizer(bank):
    loss = negatron.ContrastiveLoss(bank, tau=0.2, learn_tau=True)
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.5)
    loss(unit(4), unit(4, seed=1)).backward()
    before = loss.metrics()["temperature"]
    optimizer.step()
    loss(unit(4), unit(4, seed=1))
    assert before == pytest.approx(0.2) and abs(loss.metrics()["temperature"] - 0.2) > 1e-3
    again = negatron.ContrastiveLoss(bank, tau=0.2, learn_tau=True)
    again.load_state_dict(loss.state_dict())
    again(unit(4), unit(4, seed=1))
    assert again.metrics()["temperature"] == pytest.approx(loss.metrics()["temperature"])


def test_a_sampler_that_draws(bank):
    loss = negatron.ContrastiveLoss(bank, sampler="mochi", sampler_options={"n": 6, "s": 4}, tau=0.2)
    loss(unit(4).requires_grad_(), unit(4, seed=1)).backward()
    assert loss.metrics()["loss"] > 0


def test_a_criterion_keeps_its_state_through_its_first_batch():
    criterion = negatron.lightly.NTXentLoss(memory_bank_size=(20, 8))
    state = criterion.state_dict()
    criterion(unit(4).requires_grad_(), unit(4, seed=1))
    assert criterion.state_dict() == state and criterion.bank.step == 1
    negatron.lightly.NTXentLoss(memory_bank_size=(20, 8)).load_state_dict(criterion.state_dict())
    with pytest.raises(ValueError, match="learn_tau=True"):
        negatron.lightly.NTXentLoss(memory_bank_size=(20, 8), learn_tau=True)


def test_rows_of_any_length(group):
    bank = negatron.Bank(group, 20, 8, torch.float64, fill="empty", length="raw", global_batch=4)
    keys = 3 * torch.randn(20, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    bank.enqueue(keys)
    q = (2 * unit(4, dtype=torch.float64)).requires_grad_()
    k = keys[:4] + 0.1
    negatron.ContrastiveLoss(bank, tau=1.0)(q, k).backward()
    plain = q.detach().clone().requires_grad_()
    logits = torch.cat([(plain * k).sum(1, keepdim=True), plain @ keys.T], 1)
    F.cross_entropy(logits, torch.zeros(4, dtype=torch.long)).backward()
    assert torch.allclose(q.grad, plain.grad, atol=1e-12) and q.grad.abs().sum() > 0
    memory = negatron.Bank(group, 20, 8, torch.float64, kind="memory", length="raw")
    ids = torch.tensor([3, 5])
    memory.write(ids, keys[:2])
    memory.blend(ids, keys[2:4], momentum=0.25)
    assert torch.allclose(memory.fetch(ids), 0.25 * keys[:2] + 0.75 * keys[2:4], atol=1e-14)
    with pytest.raises(ValueError, match="does not go with --objective hcl"):
        negatron.ContrastiveLoss(bank, objective="hcl", negatives="bank")
    with pytest.raises(ValueError, match="trained as unit rows"):
        negatron.Bank(group, 20, 8, kind="learned", length="raw")


def test_a_memory_bank_takes_other_positives(group):
    bank = negatron.Bank(group, 20, 8, kind="memory")
    loss = negatron.ContrastiveLoss(bank)
    ids = torch.arange(4)
    own, given = loss(unit(4), ids=ids), loss(unit(4), bank.fetch(ids), ids)
    assert own.item() == given.item() != loss(unit(4), unit(4, seed=1), ids).item()


def test_the_age_of_rows_that_stay(group):
    bank = negatron.Bank(group, 20, 8, kind="memory")
    loss = negatron.ContrastiveLoss(bank)
    loss(unit(3), ids=torch.arange(3))
    assert loss.metrics()["bank_age"] == 0
    for ids in ([0], [0], [0], [0, 1], [2], [2], [2]):
        bank.blend(torch.tensor(ids), unit(len(ids)))
    loss(unit(3), ids=torch.arange(3))
    # Steps 3, 3 and 6 wrote three rows, and none the others.
    assert bank.step == 7 and loss.metrics()["bank_age"] == 3
