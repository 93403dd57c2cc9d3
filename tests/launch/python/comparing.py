"""What the jobs that compare with plain PyTorch have in common: they are ranks of one group, however they were started,
and each says how often it compared, so that a test sees that it did."""

import contextlib
import re

import torch.distributed as dist

import negatron

_compared = 0


def count():
    global _compared
    _compared += 1


def expect(condition, what):
    if not condition:
        raise AssertionError(what)
    count()


def expect_close(actual, expected, tolerance, what):
    error = (actual - expected).abs().max().item() if expected.numel() else 0.0
    scale = max(1.0, expected.abs().max().item() if expected.numel() else 0.0)
    expect(error <= tolerance * scale, f"{what}: {error} off, of {scale}")


@contextlib.contextmanager
def ranks_over(carrier):
    """The group of this job's ranks, carried by "alone", "mpi" or "torch"; at its end a line with the comparisons."""
    if carrier == "torch":
        dist.init_process_group("gloo")
    group = negatron.init()
    if group.transport != carrier:
        raise AssertionError(f"carried by {group.transport}")
    yield group
    print(f"rank {group.rank}: {_compared} comparisons\n", end="", flush=True)
    if carrier == "torch":
        dist.destroy_process_group()


def expect_all(output, ranks, comparisons):
    """Of a test: every rank of a job has said that it compared so often."""
    said = re.findall(r"rank (\d): (\d+) comparisons", output)
    assert sorted(said) == [(str(rank), str(comparisons)) for rank in range(ranks)], output
