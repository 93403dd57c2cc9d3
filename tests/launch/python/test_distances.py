"""Losses by squared distances, and rows that stay or learn by them, against plain PyTorch, however the ranks were started
(job_distances.py, job_kept_distances.py)."""

import pytest
import torch

import negatron
from comparing import expect_all

# Two dtypes and two temperatures times three of each step, and two of the nearest rows.
COMPARISONS = 80
# Two dtypes times blended, loaded, refused, written, described, read and learned rows.
KEPT_COMPARISONS = 14


def test_alone(python):
    expect_all(python("job_distances.py", "alone"), 1, COMPARISONS)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_by_mpirun(mpirun, ranks):
    expect_all(mpirun(ranks, "job_distances.py", "mpi"), ranks, COMPARISONS)


def test_by_torchrun(torchrun):
    expect_all(torchrun(2, "job_distances.py", "torch"), 2, COMPARISONS)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_rows_that_are_kept(mpirun, tmp_path, ranks):
    expect_all(mpirun(ranks, "job_kept_distances.py", "mpi", tmp_path), ranks, KEPT_COMPARISONS)


def test_the_example_of_the_docstring():
    n, q = negatron.distance_rows(torch.tensor([0.0, 2.0])), negatron.distance_queries(torch.tensor([1.0, 0.0]))
    assert n.tolist() == [0, 2, -2, 1] and q.tolist() == [1, 0, 1, -0.5] and n @ q == -2.5
    assert negatron.distance_rows(torch.zeros(2, 3, 4)).shape == (2, 3, 6)
