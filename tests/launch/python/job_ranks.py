"""What ranks do together that is not a value: mistakes of one rank, and gradients under DistributedDataParallel.
    job_ranks.py mpi | torch   differ | ddp | late | raise | exit | finalize
"""

import gc
import os
import signal
import sys
import threading
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F

import negatron

WIDTH = 8


def unit(rows, seed, width=WIDTH):
    return F.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def expect(error, said, act):
    try:
        act()
    except error as caught:
        assert said in str(caught), f"{caught!r} does not say {said!r}"
        return
    raise AssertionError(f"nothing was refused where {said!r} was expected")


def differ(group):
    """Rank 1 makes each mistake alone; every rank hears of it before anything travels, and goes on."""
    wrong = group.rank == 1
    bank = negatron.Bank(group, 20, WIDTH, global_batch=8)
    loss = negatron.ContrastiveLoss(bank)
    q, k = unit(3, group.rank), unit(3, 10 + group.rank)
    narrow = unit(3, 0, 5)
    expect(ValueError, "q must be [b, 8]", lambda: loss(narrow if wrong else q, narrow if wrong else k))
    expect(negatron.DisagreementError, "ids are not given on rank 0 and given on rank 1",
           lambda: loss(q, k, torch.arange(3) if wrong else None))
    expect(negatron.DisagreementError, "the dtype is Float on rank 0 and Double on rank 1",
           lambda: loss(q.double() if wrong else q, k.double() if wrong else k))
    expect(negatron.DisagreementError, "the gradient of q is not taken on rank 0 and taken on rank 1",
           lambda: loss(q.clone().requires_grad_(wrong), k))
    expect(ValueError, "k must be [b, 8]", lambda: bank.enqueue(narrow if wrong else k))
    expect(negatron.DisagreementError, "n is 2 on rank 0 and 3 on rank 1", lambda: bank.hardest(q, 3 if wrong else 2))
    expect(negatron.DisagreementError, "the bank", lambda: negatron.Bank(group, 21 if wrong else 20, WIDTH))
    expect(negatron.DisagreementError, "the loss", lambda: negatron.ContrastiveLoss(bank, tau=0.1 if wrong else 0.2))
    expect(ValueError, "rows of width at least 1", lambda: negatron.Bank(group, 20, 0))
    expect(negatron.DisagreementError, "rank 0 is in loss and enqueue on rank 1",
           lambda: bank.enqueue(k) if wrong else loss(q, k))
    expect(negatron.DisagreementError, "the loss",
           lambda: negatron.ContrastiveLoss(bank, objective="info-ncee" if wrong else "info-nce"))
    expect(negatron.DisagreementError, "the loss",
           lambda: negatron.ContrastiveLoss(bank, reduction="mean" if wrong else "sum"))
    expect(ValueError, "did you mean info-nce?", lambda: negatron.ContrastiveLoss(bank, objective="info-ncee"))
    expect(negatron.DisagreementError, "the loss is training on rank 0 and evaluating on rank 1",
           lambda: loss.train(not wrong)(q, k))
    loss.train()
    expect(negatron.DisagreementError, "the epoch is", lambda: loss(q, k, epoch=1.0 if wrong else 0.0))
    expect(negatron.DisagreementError, "the bank to load",
           lambda: negatron.Bank.load(group, "/nonexistent" if wrong else "/dev/null"))
    expect(ValueError, "device must be 'cuda'", lambda: negatron.init(device="meta" if wrong else "cpu"))
    loss(q, k)
    bank.enqueue(k)
    assert bank.step == 1


def ddp(group):
    """Under DistributedDataParallel, with reduction="mean", an encoder gets the gradient that it gets on one rank."""
    batch, per_rank = 4 * group.size, 4
    views, others = unit(batch, 1, 6), unit(batch, 2)
    gradients = {}
    for name in ("alone", "ddp"):
        torch.manual_seed(3)
        encoder = torch.nn.Linear(6, WIDTH)
        ranks = group if name == "ddp" else negatron.alone()
        own = slice(group.rank * per_rank, (group.rank + 1) * per_rank) if name == "ddp" else slice(None)
        bank = negatron.Bank(ranks, 20, WIDTH, global_batch=batch)
        loss = negatron.ContrastiveLoss(bank, reduction="mean")
        model = torch.nn.parallel.DistributedDataParallel(encoder) if name == "ddp" else encoder
        for _ in range(2):
            encoder.zero_grad()
            value = loss(F.normalize(model(views[own]), dim=1), others[own])
            value.backward()
            bank.enqueue(others[own])
        gradients[name] = encoder.weight.grad.clone()
        whole = value.detach().clone()
        if name == "ddp":
            dist.all_reduce(whole)
            assert abs(whole.item() / group.size - loss.metrics()["loss"]) < 1e-6
    error = (gradients["ddp"] - gradients["alone"]).abs().max().item()
    assert error < 1e-6 * max(1.0, gradients["alone"].abs().max().item()), error


def late(group):
    """Rank 1 does not come; Ctrl-C ends the wait of the others."""
    if group.rank == 1:
        time.sleep(60)
        return
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    try:
        group.barrier()
    except KeyboardInterrupt:
        print(f"interrupted after {time.monotonic() - begun:.1f} s", flush=True)
        raise


def fail(group):
    """Rank 1 fails on its own, and takes the others with it."""
    if group.rank == 1:
        raise ValueError("a mistake in the program")
    group.barrier()


def leave(group):
    """Rank 1 says by its code that it failed, which no exception tells; the bank is freed with the interpreter."""
    negatron.Bank(group, 20, WIDTH)
    if group.rank == 1:
        sys.exit(7)
    group.barrier()


def finalize(group):
    bank = negatron.Bank(group, 20, WIDTH)
    negatron.finalize()
    expect(negatron.CommError, "closed by negatron.finalize()", lambda: bank.enqueue(unit(2, 0)))
    expect(negatron.CommError, "closed by negatron.finalize()", group.barrier)
    expect(negatron.CommError, "cannot begin again", negatron.init)


def main():
    carrier, action = sys.argv[1:]
    if carrier == "torch":
        dist.init_process_group(os.environ.get("BACKEND", "gloo"))
    group = negatron.init()
    assert group.transport == carrier, group
    {"differ": differ, "ddp": ddp, "late": late, "raise": fail, "exit": leave, "finalize": finalize}[action](group)
    print(f"rank {group.rank} is done\n", end="", flush=True)
    if carrier == "torch":
        # DistributedDataParallel stays in a cycle, and with it a thread of gloo's, which must not outlive the interpreter.
        gc.collect()
        dist.destroy_process_group()


main()
