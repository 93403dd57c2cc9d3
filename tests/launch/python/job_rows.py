"""Banks whose rows stay or learn against plain PyTorch, on the ranks that this was started on: losses, gradients to q and
to the rows, rows after every step, and all of it again of a bank that was saved and loaded. Says "rank r: n comparisons".
    job_rows.py mpi | torch | alone   FOLDER
"""

import sys

import torch
import torch.nn.functional as F

import comparing
import negatron
from comparing import expect_close
from plain_losses import CASES, anchors_of, info_nce, siglip
from plain_rows import PlainRows

WIDTH, STEPS = 12, 4
# No multiple of a number of ranks, and fewer rows than four ranks, so that one has none.
ROWS = (37, 3)
TAUS = (0.2, 0.01)
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5}
OF_BANK = [case for case in CASES if case[1] == "bank"]


def unit(rows, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, WIDTH, generator=generator, dtype=torch.float64), dim=1).to(dtype)


def own_of(values, sizes, rank):
    return values.split(sizes)[rank]


def batch_of(group, rows, step, dtype, most_ids=None):
    """The batch of all ranks and the rows of each: ragged, one query somewhere, ids that are there twice."""
    sizes = [(1, 4, 2)[(rank + step) % 3] for rank in range(group.size)]
    count = sum(sizes)
    ids = torch.randint(0, most_ids or rows, (count,), generator=torch.Generator().manual_seed(70 + step))
    return unit(count, 100 + step, dtype), ids, sizes


def rows_of(bank):
    """This rank's rows as (slots, vectors)."""
    shard = bank.shard()
    return shard["slots"], shard["vectors"]


def whole(bank, group):
    """[K, d] as it lies over all ranks, by fetching it."""
    return bank.fetch(torch.arange(bank.rows)).clone()


def made(group, rows, kind, dtype, **settings):
    """A bank of rows of samples with known rows and labels, written in parts of different sizes by all ranks."""
    bank = negatron.Bank(group, rows, WIDTH, dtype, kind=kind, **settings)
    vectors = unit(rows, 9, dtype)
    own = torch.arange(rows)[group.rank :: group.size]
    bank.write(own, vectors[own], own % 3)
    slots, there = rows_of(bank)
    expect_close(there, vectors[slots], TOLERANCE[dtype], f"rows written to a {kind} bank")
    return bank, vectors


def compare_losses(group, bank, plain, tau, step, cases=OF_BANK):
    """Value and gradients of every objective over the rows as they are; of a bank that learns by its own samples as well
    those of the rows."""
    dtype = bank.dtype
    parametric = bank.kind == "parametric"
    for objective, _, form in cases:
        if parametric and objective in ("supcon", "soft-nn"):
            continue
        q_all, ids, sizes = batch_of(group, bank.rows, step, dtype)
        q = own_of(q_all, sizes, group.rank).clone().requires_grad_()
        own_ids = own_of(ids, sizes, group.rank)
        loss = negatron.ContrastiveLoss(bank, objective=objective, negatives="bank", tau=tau).to(dtype)
        k = bank.fetch(own_ids) if bank.kind == "index" else None
        loss(q, k, own_ids, own_ids % 3).backward()

        plain_q = q_all.clone().requires_grad_()
        plain.raw.grad = None
        vectors = plain.vectors
        if parametric:
            vectors.retain_grad()
        # Rows of nobody's label are met as such.
        rows = {"vectors": vectors, "ids": torch.arange(bank.rows), "labels": plain.labels}
        batch = {"q": plain_q, "k": vectors[ids], "ids": ids, "labels": ids % 3}
        parameters = [p.detach().clone().requires_grad_() for p in loss.parameters()]
        expected = form(anchors_of(batch, rows, "bank", False), 1 / tau, *([parameters] if form is siglip else []))
        expected.backward()
        tolerance = TOLERANCE[dtype] * max(1.0, 0.2 / tau)
        what = f"{objective} over a {bank.kind} bank at tau {tau} in {dtype}"
        expect_close(torch.tensor(loss.metrics()["loss"], dtype=torch.float64), expected.detach().double(), tolerance, what)
        expect_close(q.grad, own_of(plain_q.grad, sizes, group.rank), tolerance, what + ", gradient of q")
        if parametric:
            expect_close(bank.row_gradient(), vectors.grad[rows_of(bank)[0]], tolerance, what + ", gradient of rows")
            bank.zero_grad()
            assert bank.row_gradient() is None
        plain.raw.grad = None


def compare_memory(group, rows, dtype, folder):
    bank, vectors = made(group, rows, "memory", dtype)
    plain = PlainRows(vectors, torch.arange(rows) % 3)
    for step in range(STEPS):
        q, ids, sizes = batch_of(group, rows, step, dtype)
        own_q, own_ids = own_of(q, sizes, group.rank), own_of(ids, sizes, group.rank)
        expect_close(bank.fetch(own_ids), plain.raw[own_ids], TOLERANCE[dtype], "rows fetched")
        if rows > 3:
            compare_losses(group, bank, plain, TAUS[step % 2], step, OF_BANK if step == 0 else OF_BANK[:1])
        bank.blend(own_ids, own_q, momentum=0.3)
        plain.blend(ids, q, 0.3)
        bank = again(group, bank, folder, f"memory-{rows}-{dtype}-{step}") if step == 1 else bank
        slots, there = rows_of(bank)
        expect_close(there, plain.raw[slots], TOLERANCE[dtype], f"rows after blend {step}")
    assert bank.step == STEPS


def again(group, bank, folder, name):
    bank.save(f"{folder}/{name}")
    loaded = negatron.Bank.load(group, f"{folder}/{name}")
    assert (loaded.kind, loaded.rows, loaded.step) == (bank.kind, bank.rows, bank.step)
    assert torch.equal(loaded.shard()["vectors"], bank.shard()["vectors"])
    return loaded


def compare_parametric(group, rows, dtype, folder, optimizer):
    bank, vectors = made(group, rows, "parametric", dtype, row_optimizer=optimizer)
    plain = PlainRows(vectors, torch.full((rows,), -1), optimizer)
    lr = {"sgd": 2.0, "adagrad": 0.01, "adam": 0.01}[optimizer]
    for step in range(STEPS):
        if rows > 3 and step == 1:
            for tau in TAUS:
                # Plain forms with exponentials of scores overflow in float32 where the softmax is sharp.
                all_of_them = optimizer == "sgd" and (tau > 0.01 or dtype == torch.float64)
                compare_losses(group, bank, plain, tau, step, OF_BANK if all_of_them else OF_BANK[:1])
        # Two losses before a step, one of them halved: their gradients add up.
        for part, factor in ((0, 1.0), (1, 0.5)):
            q, ids, sizes = batch_of(group, rows, 10 * step + part, dtype)
            own_q = own_of(q, sizes, group.rank).clone().requires_grad_()
            loss = negatron.ContrastiveLoss(bank, reduction=("sum", "mean")[part])
            (8.0 * factor * loss(own_q, ids=own_of(ids, sizes, group.rank))).backward()
            (factor * F.cross_entropy(q @ plain.vectors.T / 0.2, ids)).backward()
        bank.step_rows(lr, momentum=0.9, weight_decay=1e-3, grad_scale=8.0)
        plain.step(lr, 0.9, 1e-3)
        bank = again(group, bank, folder, f"parametric-{rows}-{dtype}-{optimizer}-{step}") if step == 1 else bank
        slots, there = rows_of(bank)
        expect_close(there, plain.vectors.detach()[slots], 10 * TOLERANCE[dtype], f"rows after step {step} of {optimizer}")


def compare_learned(group, rows, dtype, folder):
    bank = negatron.Bank(group, rows, WIDTH, dtype, kind="learned", seed=3)
    # The rows of the start are the same on any number of ranks.
    start = negatron.Bank(negatron.alone(), rows, WIDTH, dtype, kind="learned", seed=3).shard()
    assert torch.equal(start["slots"], torch.arange(rows))
    plain = PlainRows(start["vectors"], torch.full((rows,), -1), "sgd", raises=True)
    loss = None
    for step in range(STEPS):
        q, _, sizes = batch_of(group, rows, step, dtype)
        k = F.normalize(q + 0.3 * unit(len(q), 300 + step, dtype), dim=1)
        own_q, own_k = (own_of(values, sizes, group.rank).clone() for values in (q, k))
        # A frozen encoder in one of the steps: rows learn all the same.
        own_q.requires_grad_(step != 2)
        loss = negatron.ContrastiveLoss(bank, tau=0.1, rows_tau=0.05)
        loss(own_q, own_k).backward()
        plain_q = q.clone().requires_grad_()
        anchors = anchors_of({"q": plain_q, "k": k, "ids": torch.full((len(q),), -2), "labels": torch.zeros(len(q))},
                             {"vectors": plain.vectors.detach(), "ids": torch.arange(rows), "labels": plain.labels},
                             "bank", False)
        info_nce(anchors, 1 / 0.1).backward()
        if own_q.requires_grad:
            expect_close(own_q.grad, own_of(plain_q.grad, sizes, group.rank), 2 * TOLERANCE[dtype], "gradient of q")
        vectors = plain.vectors
        vectors.retain_grad()
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ vectors.T], 1) / 0.05
        rows_loss = F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))
        rows_loss.backward()
        expect_close(bank.row_gradient(), vectors.grad[rows_of(bank)[0]], 4 * TOLERANCE[dtype], "gradient of rows")
        expect_close(torch.tensor(loss.metrics()["rows_loss"], dtype=torch.float64), rows_loss.detach().double(), 4 * TOLERANCE[dtype],
                     "rows_loss")
        bank.step_rows(2.0)
        plain.step(2.0, 0.9, 1e-4)
        bank = again(group, bank, folder, f"learned-{rows}-{dtype}-{step}") if step == 1 else bank
        slots, there = rows_of(bank)
        expect_close(there, plain.vectors.detach()[slots], 20 * TOLERANCE[dtype], f"learned rows after step {step}")


def compare_index(group, dtype):
    bank, vectors = made(group, 37, "index", dtype)
    plain = PlainRows(vectors, torch.arange(37) % 3)
    for step in range(2):
        compare_losses(group, bank, plain, 0.2, step)
        q, ids, sizes = batch_of(group, 37, 50 + step, dtype)
        bank.write(own_of(ids, sizes, group.rank), own_of(q, sizes, group.rank))
        plain.blend(ids, q, 0.0)
        assert torch.equal(bank.shard()["labels"], rows_of(bank)[0] % 3)
    # A loss that trains over it is a step, and one that looks is none.
    assert bank.step == 2 * len(OF_BANK), bank.step
    loss = negatron.ContrastiveLoss(bank, sampler="uniform", sampler_options={"m": 5})
    ids = torch.arange(3)
    with torch.no_grad():
        looked = [loss(unit(3, 1, dtype), bank.fetch(ids), ids).item() for _ in range(2)]
    trained = [loss(unit(3, 1, dtype), bank.fetch(ids), ids).item() for _ in range(2)]
    assert looked[0] == looked[1] == trained[0] != trained[1]


def main():
    carrier, folder = sys.argv[1:]
    with comparing.ranks_over(carrier) as group:
        for dtype in (torch.float64, torch.float32):
            for rows in ROWS:
                compare_memory(group, rows, dtype, folder)
                for optimizer in ("sgd", "adagrad", "adam") if dtype == torch.float64 else ("sgd",):
                    compare_parametric(group, rows, dtype, folder, optimizer)
                compare_learned(group, rows, dtype, folder)
            compare_index(group, dtype)


main()
