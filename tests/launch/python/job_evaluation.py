"""kNN and a linear probe of features that lie over ranks: prints what no number of ranks changes.
    job_evaluation.py mpi | torch | alone
"""

import sys

import torch
import torch.distributed as dist

import negatron
from plain_evaluation import clusters


def parts(values, group):
    """Ragged, in rank order; with several ranks one has none of the training rows."""
    if group.size == 1:
        return values
    sizes = [0] + [len(values) // (group.size - 1)] * (group.size - 1)
    sizes[-1] += len(values) - sum(sizes)
    return values.split(sizes)[group.rank]


def heard_by_all(group, train, labels):
    """Rank 1 alone makes each mistake."""
    wrong = group.rank == 1
    for mistake in (labels[:-1], labels - 1, labels.float(), [1, 2]):
        try:
            negatron.knn(train, mistake if wrong else labels, train, labels, group=group)
        except TypeError as error:
            assert wrong and isinstance(mistake, list), error
        except ValueError as error:
            assert "train" in str(error), error
        else:
            raise AssertionError("a mistake was not heard")
    try:
        negatron.knn(train, labels, train, labels, group=group, k=3 if wrong else 4)
    except negatron.DisagreementError:
        return
    raise AssertionError("ranks may differ")


def main():
    if sys.argv[1] == "torch":
        dist.init_process_group("gloo")
    group = negatron.init()
    train, labels, test, test_labels = clusters()
    own = (parts(train, group), parts(labels, group), parts(test, group), parts(test_labels, group))
    if group.size > 1:
        heard_by_all(group, own[2], own[3])
    votes = negatron.knn(*own, group=group, k=20)
    probe = negatron.linear_probe(*own, group=group)
    assert len(votes.predictions) == len(votes.votes) == len(own[2])
    right = (votes.predictions == own[3]).sum().item()
    print(f"rank {group.rank} of {group.size}: {right}\n", end="", flush=True)
    group.barrier()
    if group.rank == 0:
        print(f"found {votes.accuracy!r} {probe.accuracy!r} {probe.l2!r} {probe.validation!r} "
              f"{probe.weights.norm().item():.8f}", flush=True)
    if sys.argv[1] == "torch":
        dist.destroy_process_group()


main()
