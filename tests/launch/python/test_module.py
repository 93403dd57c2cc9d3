"""What belongs to Python: pickles, arrays, forks, threads, stubs and docstrings."""

import copy
import inspect
import multiprocessing
import pickle
import threading

import numpy
import pytest
import torch

import negatron
from unit_rows import unit


def test_nothing_is_pickled_or_copied(bank):
    for thing in (bank.group, bank, negatron.ContrastiveLoss(bank)):
        for act in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                act(thing)


def test_numpy_sees_the_bank_itself(bank):
    rows = bank.numpy()
    assert rows.shape == (20, 8) and rows.dtype == numpy.float32
    assert rows.__array_interface__["data"][0] == bank.shard()["vectors"].data_ptr()
    bank.enqueue(unit(4, seed=3))
    assert (rows == unit(4, seed=3).numpy()[0]).all(axis=1).any()
    with pytest.raises(ValueError, match="read-only"):
        rows[0, 0] = 1


def test_lists_are_data():
    samplers = {sampler["name"]: sampler for sampler in negatron.samplers()}
    objectives = {objective["name"]: objective for objective in negatron.objectives()}
    assert {"whole-bank", "mochi", "top-n"} <= set(samplers) and {"info-nce", "hcl"} <= set(objectives)
    beta = next(option for option in objectives["hcl"]["options"] if option["name"] == "beta")
    assert beta["default"] == 1.0 and beta["help"]
    assert objectives["supcon"]["needs_labels"] and objectives["nt-xent"]["negatives"] == ["batch"]


def in_fork(bank, queue):
    try:
        bank.enqueue(unit(4))
    except negatron.CommError as error:
        queue.put(str(error))


def test_a_fork_has_no_part_in_it(bank):
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    worker = fork.Process(target=in_fork, args=(bank, queue))
    worker.start()
    assert "was forked from" in queue.get(timeout=60)
    worker.join()
    bank.enqueue(unit(4))


def test_workers_of_a_loader_are_forks(bank):
    loader = torch.utils.data.DataLoader(unit(8), batch_size=4, num_workers=1)
    for keys in loader:
        bank.enqueue(keys)
    assert bank.step == 2


def test_another_thread_may_use_it_afterwards(bank):
    thread = threading.Thread(target=bank.enqueue, args=(unit(4),))
    thread.start()
    thread.join()
    bank.enqueue(unit(4))
    assert bank.step == 2


def test_stubs_name_what_is_there():
    import ast
    from pathlib import Path

    from negatron import _core

    tree = ast.parse((Path(negatron.__file__).parent / "_core.pyi").read_text())
    stubs = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    public = {name for name in dir(_core) if not name.startswith("_")} - {"torch_version"}
    assert set(stubs) == public
    for name, node in stubs.items():
        if not isinstance(node, ast.ClassDef):
            continue
        told = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        told |= {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
        there = {member for member in vars(getattr(_core, name)) if not member.startswith("_")}
        assert there == {member for member in told if not member.startswith("_")}, name


def test_what_is_public_is_described():
    for name in negatron.__all__:
        thing = getattr(negatron, name)
        assert name.endswith("Error") or inspect.getdoc(thing), name


def test_ranks_without_a_group_are_told_what_to_call(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(negatron.CommError, match="there are 2 processes"):
        negatron.init()
    # srun may have started torchrun.
    for name, value in {"SLURM_PROCID": "0", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(negatron.CommError, match="torchrun started this process"):
        negatron.init()


def test_arrays_tell_which_rows_there_are(group):
    bank = negatron.Bank(group, rows=10, width=8, fill="empty", global_batch=4)
    bank.enqueue(unit(4))
    there = bank.shard()["slots"].numpy() >= 0
    assert there.sum() == 4 and len(bank.numpy()) == len(there)
