"""Values and gradients against plain PyTorch, however the ranks were started (job_values.py)."""

import re

import pytest

# Objectives, dtypes and temperatures times value and gradients, and the queue after each of its steps.
COMPARISONS = 256


def expect_all(output, ranks):
    said = re.findall(r"rank (\d): (\d+) comparisons", output)
    assert sorted(said) == [(str(rank), str(COMPARISONS)) for rank in range(ranks)], output


def test_alone(python):
    expect_all(python("job_values.py", "alone"), 1)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_by_mpirun(mpirun, ranks):
    expect_all(mpirun(ranks, "job_values.py", "mpi"), ranks)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_by_torchrun(torchrun, ranks):
    expect_all(torchrun(ranks, "job_values.py", "torch"), ranks)
