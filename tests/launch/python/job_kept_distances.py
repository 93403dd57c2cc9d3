"""Rows that stay or learn and are scored by squared distances: their two further numbers follow the vectors through
blends, steps, files and loading. Says "rank r: n comparisons" or fails.
    job_kept_distances.py mpi | torch | alone FOLDER
"""

import sys

import torch
import torch.nn.functional as F

import comparing
import negatron
from comparing import expect, expect_close

ROWS, WIDTH, BATCH = 11, 4, 7
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
TAU, RATE, MOMENTUM = 0.5, 2.0, 0.25


def vectors(seed, dtype):
    """[BATCH, WIDTH] of any length."""
    return torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def made(group, kind, dtype):
    return negatron.Bank(group, ROWS, WIDTH + 2, dtype, kind=kind, length="distance", seed=3)


def shares_of(group, count):
    """Of as many as there are, those of this rank."""
    return torch.arange(count).tensor_split(group.size)[group.rank]


def compare_memory(group, folder, dtype):
    bank = made(group, "memory", dtype)
    ids, own = torch.arange(BATCH), shares_of(group, BATCH)
    before, q = bank.fetch(ids)[:, :WIDTH], vectors(1, dtype)
    bank.blend(own, negatron.distance_queries(q[own]), momentum=MOMENTUM)
    mixed = negatron.distance_rows(MOMENTUM * before + (1 - MOMENTUM) * q)
    expect_close(bank.fetch(ids), mixed, TOLERANCE[dtype], f"rows blended in {dtype}")

    path = f"{folder}/memory-{dtype}"
    bank.save(path)
    again = negatron.Bank.load(group, path)
    expect(again.width == WIDTH + 2 and torch.equal(again.fetch(ids), bank.fetch(ids)), "loaded rows differ")
    again.write(own, negatron.distance_rows(q[own]))
    expect_close(again.fetch(ids), negatron.distance_rows(q), TOLERANCE[dtype], f"rows written in {dtype}")
    try:
        negatron.Bank.load(group, path, dtype=torch.bfloat16)
    except Exception as error:
        expect("rows of distances in fp64 or fp32" in str(error), error)
    else:
        raise AssertionError("rows of distances were loaded in bf16")
    info = negatron.files.info(path)
    expect((info["row_length"], info["width"], info["vector_width"]) == ("distance", WIDTH + 2, WIDTH), info)
    rows = negatron.files.rows(path, range=(0, BATCH)).vectors
    expect_close(rows, mixed[:, :WIDTH], TOLERANCE[dtype], f"vectors in the file in {dtype}")


def compare_learned(group, dtype):
    """Rows go up the loss by the gradient of their distances, and no other way."""
    bank = made(group, "learned", dtype)
    loss = negatron.ContrastiveLoss(bank, tau=TAU, rows_tau=TAU)
    own, here = shares_of(group, BATCH), shares_of(group, ROWS)
    random = negatron.Bank(group, ROWS, WIDTH + 2, dtype, kind="memory", length="distance", seed=3)
    rows = random.fetch(torch.arange(ROWS))[:, :WIDTH].clone().requires_grad_()
    q, k = vectors(5, dtype), vectors(6, dtype)
    scores = torch.cat([(q - k).unsqueeze(1), q.unsqueeze(1) - rows], 1).square().sum(2) / -2
    F.cross_entropy(scores / TAU, torch.zeros(BATCH, dtype=torch.long)).backward()
    mine = q[own].clone().requires_grad_()
    loss(negatron.distance_queries(mine), negatron.distance_rows(k[own])).backward()
    bank.step_rows(lr=RATE, momentum=0.0, weight_decay=0.0)
    expected = negatron.distance_rows((rows + RATE * rows.grad).detach())
    expect_close(bank.shard()["vectors"], expected[here], TOLERANCE[dtype], f"rows learned in {dtype}")


def main():
    with comparing.ranks_over(sys.argv[1]) as group:
        for dtype in (torch.float64, torch.float32):
            compare_memory(group, sys.argv[2], dtype)
            compare_learned(group, dtype)


main()
