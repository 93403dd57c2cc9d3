"""Ranks with a GPU each (job_gpu.py), as many as this machine has, up to four."""

import re

import pytest
import torch

GPUS = min(4, torch.cuda.device_count())
needs_gpu = pytest.mark.skipif(GPUS == 0, reason="needs 1 GPU, found none")


@needs_gpu
@pytest.mark.parametrize("carrier", ["mpi", "torch"])
def test_a_loss_over_nccl_is_that_over_the_host(mpirun, torchrun, carrier):
    output = (mpirun if carrier == "mpi" else torchrun)(GPUS, "job_gpu.py", carrier)
    assert sorted(re.findall(r"rank (\d) is done", output)) == [str(rank) for rank in range(GPUS)], output
