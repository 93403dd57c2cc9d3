"""Banks whose rows stay or learn against plain PyTorch, however the ranks were started (job_rows.py)."""

import pytest

from comparing import expect_all

# What every rank compares, which does not depend on how many there are.
COMPARISONS = 483


def test_alone(python, tmp_path):
    expect_all(python("job_rows.py", "alone", tmp_path), 1, COMPARISONS)


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_by_mpirun(mpirun, tmp_path, ranks):
    expect_all(mpirun(ranks, "job_rows.py", "mpi", tmp_path), ranks, COMPARISONS)


def test_by_torchrun(torchrun, tmp_path):
    expect_all(torchrun(3, "job_rows.py", "torch", tmp_path), 3, COMPARISONS)
