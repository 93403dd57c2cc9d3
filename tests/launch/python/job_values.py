"""Every objective against its plain form, on the ranks that this was started on: value, gradients to q and k and to the
loss's own parameters; the queue and its hardest rows against a list. Says "rank r: n comparisons" or fails.
    job_values.py mpi | torch | alone
"""

import sys

import torch
import torch.nn.functional as F

import comparing
import negatron
from comparing import expect_close
from plain_losses import CASES, QUERIES_ONLY, anchors_of, siglip

# No multiple of any number of ranks, of a batch, or of each other.
ROWS, WIDTH = 37, 12
STEPS = 9
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
# The hard end of what is used, beside the default.
TAUS = (0.2, 0.01)


def sizes_of(ranks, step):
    """Ragged, and not as share() would cut them: 1, 4, 2, 1 and so on."""
    return [(1, 4, 2)[(rank + step) % 3] for rank in range(ranks)]


def batch_of(step, count, dtype):
    generator = torch.Generator().manual_seed(1000 + step)
    q = F.normalize(torch.randn(count, WIDTH, generator=generator, dtype=torch.float64), dim=1)
    k = F.normalize(q + 0.5 * torch.randn(count, WIDTH, generator=generator, dtype=torch.float64), dim=1)
    ids = torch.randint(0, 20, (count,), generator=generator)
    return {"q": q.to(dtype), "k": k.to(dtype), "ids": ids, "labels": ids % 3}


class PlainQueue:
    """A list of the last ROWS keys; key number s lies in slot s modulo ROWS."""

    def __init__(self, dtype):
        self.vectors = torch.zeros(ROWS, WIDTH, dtype=dtype)
        self.ids = torch.full((ROWS,), -1)
        self.labels = torch.full((ROWS,), -1)
        self.head = 0

    def enqueue(self, batch):
        for i in range(len(batch["k"])):
            slot = self.head % ROWS
            self.vectors[slot], self.ids[slot] = batch["k"][i], batch["ids"][i]
            self.labels[slot] = batch["labels"][i]
            self.head += 1

    def filled(self):
        rows = min(self.head, ROWS)
        return {"vectors": self.vectors[:rows], "ids": self.ids[:rows], "labels": self.labels[:rows]}


def own_part(batch, sizes, rank):
    begin = sum(sizes[:rank])
    return {name: values[begin : begin + sizes[rank]] for name, values in batch.items()}


def compare_case(case, bank, plain, tau, step):
    objective, negatives, form = case
    group, dtype = bank.group, bank.dtype
    sizes = sizes_of(group.size, step)
    if group.size == 1:
        # One sample alone has no negatives in its batch.
        sizes = [5]
    whole = batch_of(step, sum(sizes), dtype)
    own = own_part(whole, sizes, group.rank)
    loss = negatron.ContrastiveLoss(
        bank if "bank" in negatives else None, group=None if "bank" in negatives else group, objective=objective,
        negatives=negatives, tau=tau,
    ).to(dtype)
    q, k = own["q"].clone().requires_grad_(), own["k"].clone().requires_grad_()
    loss(q, k, own["ids"], own["labels"]).backward()

    whole["q"].requires_grad_(), whole["k"].requires_grad_()
    parameters = [p.detach().clone().requires_grad_() for p in loss.parameters()]
    anchors = anchors_of(whole, plain.filled(), negatives, objective in QUERIES_ONLY)
    expected = form(anchors, 1 / tau, *([parameters] if form is siglip else []))
    expected.backward()
    what = f"{objective} over {negatives} at tau {tau} in {dtype}, step {step}"
    begin, end = sum(sizes[: group.rank]), sum(sizes[: group.rank + 1])
    # Logits of a sharp softmax are as large as 1 / tau, and rounded so.
    tolerance = TOLERANCE[dtype] * max(1.0, 0.2 / tau)
    expect_close(torch.tensor(loss.metrics()["loss"], dtype=torch.float64), expected.detach().double(), tolerance, what)
    for actual, everywhere, name in ((q, whole["q"], "q"), (k, whole["k"], "k")):
        gradient = torch.zeros_like(everywhere) if everywhere.grad is None else everywhere.grad
        expect_close(actual.grad, gradient[begin:end], tolerance, what + ", gradient of " + name)
    for actual, parameter in zip(loss.parameters(), parameters):
        expect_close(sum_over_ranks(actual.grad.double(), group), parameter.grad.double(), tolerance, what + ", parameter")


def sum_over_ranks(value, group):
    """By what the module has for it anyway: a loss that is the mean over all ranks of 2 - 2 q . k."""
    loss = negatron.ContrastiveLoss(group=group, objective="byol")
    loss(value.view(1, 1), torch.ones(1, 1, dtype=value.dtype))
    return torch.tensor(group.size * (2 - loss.metrics()["loss"]) / 2, dtype=torch.float64)


def compare_queue(bank, plain):
    shard = bank.shard()
    rows = torch.nonzero(shard["slots"] >= 0).flatten()
    slots = shard["slots"][rows]
    for name, expected in (("vectors", plain.vectors), ("ids", plain.ids), ("labels", plain.labels)):
        comparing.expect(torch.equal(shard[name][rows], expected[slots]), f"{name} of the queue differ")
    queries = batch_of(77, 3, bank.dtype)["q"]
    found = bank.hardest(queries, 5)
    filled = plain.filled()
    scores = (queries.double() @ filled["vectors"].double().T).float()
    # A stable sort keeps the lower slot first where scores are equal.
    order = scores.sort(dim=1, descending=True, stable=True).indices[:, :5]
    known = min(5, order.shape[1])
    if not torch.equal(found.slots[:, :known], order) or not torch.equal(found.ids[:, :known], filled["ids"][order]):
        raise AssertionError("the hardest rows differ")
    expect_close(found.scores[:, :known], scores.gather(1, order), 1e-6, "scores of the hardest rows")
    if known < 5 and found.slots[:, known:].max() != -1:
        raise AssertionError("rows were found that are not there")


def main():
    with comparing.ranks_over(sys.argv[1]) as group:
        for dtype in (torch.float64, torch.float32):
            bank = negatron.Bank(group, ROWS, WIDTH, dtype, fill="empty", global_batch=7)
            plain = PlainQueue(dtype)
            for step in range(STEPS):
                sizes = sizes_of(group.size, step)
                batch = batch_of(step, sum(sizes), dtype)
                own = own_part(batch, sizes, group.rank)
                bank.enqueue(own["k"], own["ids"], own["labels"])
                plain.enqueue(batch)
                compare_queue(bank, plain)
            for number, case in enumerate(CASES):
                compare_case(case, bank, plain, 0.2, number)
            for tau in TAUS:
                compare_case(CASES[0], bank, plain, tau, 50)


main()
