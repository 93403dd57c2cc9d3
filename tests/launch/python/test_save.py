"""Banks between numbers of ranks, between what carries them, and between Python and the C++ program."""

import re
import shutil
import sys

import numpy
import pytest
import torch
import torch.nn.functional as F

import negatron
from conftest import run
from negatron import files


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


@pytest.mark.parametrize("kind", ["memory", "parametric", "learned"])
def test_rows_that_stay_go_to_the_program_and_back(program, root, tmp_path, kind):
    run([sys.executable, root / "tests/launch/write_pngs.py", tmp_path / "data", 60, 2])
    # The program asks how many samples there are itself.
    rows = SMALL[4:6] if kind == "learned" else []
    flags = [*SMALL[:4], *rows, *SMALL[6:], "--data", tmp_path / "data", "--bank-kind", kind]
    if kind == "parametric":
        flags += ["--rows-optimizer", "adam", "--rows-lr", 0.01]
    program("pretrain", *flags, "--run-dir", tmp_path / "run")
    bank = negatron.Bank.load(negatron.alone(), tmp_path / "run")
    assert (bank.kind, bank.rows, bank.step) == (kind, 41 if kind == "learned" else 40, 3)
    q, ids = F.normalize(torch.randn(4, 16), dim=1).requires_grad_(), torch.arange(4)
    loss = negatron.ContrastiveLoss(bank)
    value = loss(q, q.detach()) if kind == "learned" else loss(q, ids=ids)
    value.backward()
    if kind == "memory":
        bank.blend(ids, q)
    else:
        bank.step_rows(0.01)
    bank.save(tmp_path / "again")
    assert negatron.files.verify(tmp_path / "again")["good"]
    assert negatron.files.diff(tmp_path / "run", tmp_path / "again")["only_b"] > 0
    program("pretrain", *flags, "--bank", tmp_path / "again", "--run-dir", tmp_path / "next")


def test_a_run_with_a_bank_for_each_view(program, root, tmp_path):
    run([sys.executable, root / "tests/launch/write_pngs.py", tmp_path / "data", 60, 2])
    flags = [*SMALL[:4], *SMALL[6:], "--data", tmp_path / "data", "--bank-kind", "memory"]
    views, other = tmp_path / "views", tmp_path / "other"
    program("pretrain", *flags, "--bank-per-view", "on", "--run-dir", views)
    program("pretrain", *flags, "--run-dir", other)
    said = "holds the banks 'view-b' and 'view-a'; say which with name="
    alone = negatron.alone()
    held = {}
    for name in ("view-a", "view-b"):
        found = files.info(views, name=name)
        assert (found["name"], found["rows"], found["kind"]) == (name, 40, "memory")
        bank = negatron.Bank.load(alone, views, name=name)
        assert (bank.kind, bank.rows, bank.step) == ("memory", 40, 3)
        held[name] = bank.fetch(torch.arange(40))
        some = files.rows(views, ids=[39, 3], name=name)
        assert torch.equal(some.vectors[some.ids.argsort()], held[name][[3, 39]])
        files.extract(views, tmp_path / f"{name}.npy", ids=[39, 3], name=name)
        assert numpy.array_equal(numpy.load(tmp_path / f"{name}.npy"), some.vectors.numpy())
        near = files.near(views, ids=[3], top=1, name=name)
        scores = held[name].double() @ held[name][3].double()
        scores[3] = -torch.inf
        assert near.ids.tolist() == [[scores.argmax().item()]]
        # A bank that is saved is one again, and one of two views may be compared with it.
        bank.save(tmp_path / name)
        assert files.info(tmp_path / name)["name"] == ""
        assert files.diff(views, tmp_path / name, name=name)["equal"]
        assert not files.diff(views, other, name=name)["equal"]
        with pytest.raises(ValueError, match="holds one bank, which needs no name="):
            files.diff(other, other, name=name)
        with pytest.raises(ValueError, match="holds one bank, which needs no name="):
            negatron.Bank.load(alone, other, name=name)
    assert not torch.equal(*held.values())
    unnamed = (files.info, lambda path: files.rows(path, ids=[3]), lambda path: files.near(path, ids=[3]),
               lambda path: files.extract(path, tmp_path / "out.npy", ids=[3]), lambda path: files.diff(path, path),
               lambda path: files.diff(other, path), lambda path: negatron.Bank.load(alone, path),
               lambda path: files.info(path, name="view-c"), lambda path: negatron.Bank.load(alone, path, name="view-c"))
    for act in unnamed:
        with pytest.raises(ValueError, match=said):
            act(views)
    with pytest.raises(ValueError, match="holds the banks 'view-b' and 'view-a'; what is asked for takes a snapshot of one"):
        files.merge([views, other], tmp_path / "merged")
    assert files.verify(views)["good"]
    assert files.reshard(views, tmp_path / "wide", 3)["banks"] == ["view-b", "view-a"]
    assert files.diff(views, tmp_path / "wide", name="view-a")["equal"]
    # How the snapshot was chosen is told of either bank.
    damaged = shutil.copytree(views / "snapshots" / "step-000000003", views / "snapshots" / "step-000000004")
    with open(damaged / "bank-view-a.00000-of-00001.h5", "r+b") as file:
        file.truncate(100)
    for name in held:
        assert "step-000000004" in " ".join(files.rows(views, ids=[3], name=name).notes)


def test_names_that_are_no_text(tmp_path):
    bank = negatron.Bank(negatron.alone(), 20, 8)
    odd = bytes(tmp_path) + b"/odd-\xff"
    bank.save(odd)
    assert torch.equal(negatron.Bank.load(negatron.alone(), odd).shard()["vectors"], bank.shard()["vectors"])
    assert negatron.files.info(odd)["path"].endswith("odd-\\xff")
    with pytest.raises(negatron.SnapshotError, match=r"odd-\\xff' exists"):
        bank.save(odd)
    with pytest.raises(ValueError, match=r"none-\\xff"):
        negatron.files.info(bytes(tmp_path) + b"/none-\xff")


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
