"""Ranks that differ, fail, wait, or are averaged over (job_ranks.py)."""

import re
import time

import pytest


def expect_done(output, ranks):
    assert sorted(re.findall(r"rank (\d) is done", output)) == [str(rank) for rank in range(ranks)], output


def test_a_mistake_of_one_rank_is_heard_by_all_over_mpi(mpirun):
    expect_done(mpirun(3, "job_ranks.py", "mpi", "differ"), 3)


def test_a_mistake_of_one_rank_is_heard_by_all_over_torch(torchrun):
    expect_done(torchrun(2, "job_ranks.py", "torch", "differ"), 2)


def test_gradients_that_ddp_averages(torchrun):
    expect_done(torchrun(2, "job_ranks.py", "torch", "ddp"), 2)


def test_a_group_without_host_tensors_gets_one_beside_it(torchrun, monkeypatch):
    monkeypatch.setenv("BACKEND", "cuda:gloo")
    expect_done(torchrun(2, "job_ranks.py", "torch", "differ"), 2)


def test_ctrl_c_ends_a_wait(mpirun):
    begun = time.monotonic()
    output = mpirun(2, "job_ranks.py", "mpi", "late", code="failure")
    assert re.search(r"interrupted after [1-9]\.\d s", output), output
    assert "KeyboardInterrupt" in output and time.monotonic() - begun < 55


def test_a_rank_that_fails_ends_the_job(mpirun):
    output = mpirun(2, "job_ranks.py", "mpi", "raise", code="failure")
    assert "ValueError: a mistake in the program" in output and "rank 0 is done" not in output


def test_a_rank_that_exits_with_a_code_ends_the_job_with_it(mpirun):
    begun = time.monotonic()
    output = mpirun(2, "job_ranks.py", "mpi", "exit", code=7)
    assert "rank 0 is done" not in output and time.monotonic() - begun < 55, output


def test_what_was_closed_says_so(mpirun):
    expect_done(mpirun(1, "job_ranks.py", "mpi", "finalize"), 1)


def test_torchrun_without_a_group_is_told_what_to_call(torchrun, tmp_path):
    script = tmp_path / "lonely.py"
    script.write_text("import negatron\nnegatron.init()\n")
    assert "call torch.distributed.init_process_group()" in torchrun(1, script, code="failure")


@pytest.mark.parametrize("loop", ["fsdp", "loop"])
def test_loops_of_others(torchrun, tmp_path, loop):
    expect_done(torchrun(2, "job_frameworks.py", loop, tmp_path), 2)
