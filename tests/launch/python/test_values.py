"""Values and gradients against plain PyTorch, however the ranks were started (job_values.py)."""

import pytest

from comparing import expect_all

# Objectives, dtypes and temperatures times value and gradients, and the queue after each of its steps.
COMPARISONS = 256


def test_alone(python):
    expect_all(python("job_values.py", "alone"), 1, COMPARISONS)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_by_mpirun(mpirun, ranks):
    expect_all(mpirun(ranks, "job_values.py", "mpi"), ranks, COMPARISONS)


# Starting them is most of it, and what they compute does not depend on how they are joined.
@pytest.mark.parametrize("ranks", [1, 3])
def test_by_torchrun(torchrun, ranks):
    expect_all(torchrun(ranks, "job_values.py", "torch"), ranks, COMPARISONS)
