"""Banks between numbers of ranks, between what carries them, and between Python and the C++ program."""

import re
import sys

from conftest import run


def held(output):
    return re.search(r"holds .*", output).group()


def test_any_ranks_read_what_others_saved(mpirun, torchrun, python, tmp_path):
    by_mpi = held(mpirun(3, "job_bank.py", "mpi", "save", tmp_path / "by_mpi", "bfloat16"))
    by_torch = held(torchrun(2, "job_bank.py", "torch", "save", tmp_path / "by_torch", "bfloat16"))
    assert by_mpi == by_torch
    assert "41 41 5 torch.bfloat16" in by_mpi
    assert held(torchrun(2, "job_bank.py", "torch", "load", tmp_path / "by_mpi")) == by_mpi
    assert held(mpirun(2, "job_bank.py", "mpi", "load", tmp_path / "by_torch")) == by_mpi
    assert held(python("job_bank.py", "alone", "load", tmp_path / "by_torch")) == by_mpi


SMALL = ["--max-steps", 3, "--global-batch", 12, "--bank-rows", 41, "--width", 16, "--encoder", "conv", "--evaluate-every", 0,
         "--baselines", "off", "--holdout", 20, "--loader-threads", 1, "--threads", 1]


def test_the_program_begins_with_a_bank_of_python_and_back(python, program, root, tmp_path):
    saved = held(python("job_bank.py", "alone", "save", tmp_path / "saved"))
    assert re.search(r"41", program("bank", "info", tmp_path / "saved"))
    program("bank", "verify", tmp_path / "saved")
    run([sys.executable, root / "tests/launch/write_pngs.py", tmp_path / "data", 60, 2])
    program("pretrain", *SMALL, "--data", tmp_path / "data", "--bank", tmp_path / "saved", "--run-dir", tmp_path / "run")
    output = python("job_bank.py", "alone", "load", tmp_path / "run")
    assert held(output).startswith("holds 41 41 3 torch.float32") and held(output) != saved
    # Three steps of twelve keys pushed out all but the five newest of Python's, which have no step in the run.
    left = [(-1, number, number % 4) for number in range(55, 60)]
    assert f"oldest {left}"[:-1] + ", (0, " in output, output


def test_a_path_that_is_there_is_refused(python, tmp_path):
    (tmp_path / "there").mkdir()
    output = python("job_bank.py", "alone", "save", tmp_path / "there", code="failure")
    assert re.search(r"SnapshotError: .*there' exists", output), output


def test_a_damaged_bank_is_refused(python, tmp_path):
    python("job_bank.py", "alone", "save", tmp_path / "saved")
    with open(tmp_path / "saved" / "bank.00000-of-00001.h5", "r+b") as file:
        file.seek(3000)
        file.write(b"damage")
    output = python("job_bank.py", "alone", "load", tmp_path / "saved", code="failure")
    assert re.search(r"SnapshotError: .*bank.00000-of-00001.h5", output), output
