"""InfoNCE by squared distances, over a queue of distance rows, against plain PyTorch that never sees the two numbers more:
value, gradients to q and k, and the nearest rows; and rows that stay or learn, whose two numbers follow their vectors. Says "rank r: n comparisons" or fails.
    job_distances.py mpi | torch | alone
"""

import sys

import torch
import torch.nn.functional as F

import comparing
import negatron
from comparing import expect_close

ROWS, WIDTH, BATCH, STEPS = 37, 6, 7, 6
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
TAUS = (0.5, 0.01)


def vectors(seed, dtype):
    """[BATCH, WIDTH] of lengths from about 0.3 to 3, of which two are the same."""
    generator = torch.Generator().manual_seed(seed)
    lengths = 0.1 + 0.2 * torch.rand(BATCH, 1, generator=generator, dtype=torch.float64)
    made = lengths * torch.randn(BATCH, WIDTH, generator=generator, dtype=torch.float64)
    made[-1] = made[0]
    return made.to(dtype)


def squares(q, rows):
    """|q - n|^2 [b, K]"""
    return (q.unsqueeze(1) - rows).square().sum(2)


def compare_loss(bank, group, queue, step, tau):
    dtype = bank.dtype
    own = torch.arange(BATCH).tensor_split(group.size)[group.rank]
    whole_q, whole_k = vectors(100 + step, dtype), vectors(step, dtype)
    q, k = whole_q[own].clone().requires_grad_(), whole_k[own].clone().requires_grad_()
    loss = negatron.ContrastiveLoss(bank, tau=tau)
    loss(negatron.distance_queries(q), negatron.distance_rows(k)).backward()

    whole_q.requires_grad_(), whole_k.requires_grad_()
    positives = (whole_q - whole_k).square().sum(1, keepdim=True)
    logits = -torch.cat([positives, squares(whole_q, queue)], 1) / (2 * tau)
    expected = F.cross_entropy(logits, torch.zeros(BATCH, dtype=torch.long))
    expected.backward()
    tolerance = TOLERANCE[dtype] / tau
    what = f"step {step} at tau {tau} in {dtype}"
    expect_close(torch.tensor(loss.metrics()["loss"], dtype=torch.float64), expected.detach().double(), tolerance, what)
    expect_close(q.grad, whole_q.grad[own], tolerance, what + ", gradient of q")
    expect_close(k.grad, whole_k.grad[own], tolerance, what + ", gradient of k")
    bank.enqueue(negatron.distance_rows(k), own + BATCH * step)


def compare_nearest(bank, keys):
    """Of two keys that are the same either may be found."""
    q, queue = vectors(300, bank.dtype), keys[-ROWS:]
    found = bank.hardest(negatron.distance_queries(q), 1)
    expect_close(-2 * found.scores[:, 0].double(), squares(q, queue).double().min(1).values, 1e-5, "distances of the nearest")
    nearest = queue[squares(q, queue).argmin(1)]
    comparing.expect(torch.equal(keys[found.ids[:, 0]], nearest), "another row is the nearest")


def main():
    with comparing.ranks_over(sys.argv[1]) as group:
        for dtype in (torch.float64, torch.float32):
            for tau in TAUS:
                bank = negatron.Bank(group, ROWS, WIDTH + 2, dtype, length="raw", fill="empty", global_batch=BATCH)
                keys = torch.empty(0, WIDTH, dtype=dtype)
                for step in range(STEPS):
                    compare_loss(bank, group, keys[-ROWS:], step, tau)
                    keys = torch.cat([keys, vectors(step, dtype)])
                compare_nearest(bank, keys)


main()
