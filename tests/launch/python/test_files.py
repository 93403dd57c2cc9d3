"""Banks in files (negatron.files): the answers are those of the program, and tensors those of the bank that was saved."""

import json
from collections import Counter

import numpy
import pytest
import torch
import torch.nn.functional as F

import negatron
from negatron import files

ROWS, WIDTH, BATCH = 41, 8, 12


def unit(rows, seed):
    return F.normalize(torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(seed)), dim=1)


def filled(steps, seed=5, dtype=torch.float32):
    """A queue after some steps, of samples 0, 1, 2 and so on, modulo 30."""
    bank = negatron.Bank(negatron.alone(), ROWS, WIDTH, dtype, global_batch=BATCH)
    keys = unit(BATCH * steps, seed)
    for begin in range(0, BATCH * steps, BATCH):
        ids = torch.arange(begin, begin + BATCH) % 30
        bank.enqueue(keys[begin : begin + BATCH], ids, ids % 4)
    return bank, keys


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("banks")
    bank, keys = filled(5)
    bank.save(folder / "five")
    filled(6)[0].save(folder / "six")
    return folder, keys


def said(program, *words):
    return json.loads(program("bank", *words, "--json"))


def test_info_is_that_of_the_program(saved, program):
    folder, _ = saved
    found = files.info(folder / "five", seed=3)
    assert found["rows"] == ROWS and found["step"] == 5 and found["dtype"] == "fp32" and found["kind"] == "queue"
    # The last 41 of 60 keys.
    assert found["labels"]["rows"] == Counter(number % 30 % 4 for number in range(19, 60))
    found["labels"]["rows"] = {str(label): count for label, count in found["labels"]["rows"].items()}
    assert found == said(program, "info", folder / "five", "--seed", 3)


def test_verify_tells_what_is_damaged(saved, program, tmp_path):
    folder, _ = saved
    assert files.verify(folder / "five")["good"]
    filled(2)[0].save(tmp_path / "hurt")
    with open(tmp_path / "hurt" / "bank.00000-of-00001.h5", "r+b") as file:
        file.seek(3000)
        file.write(b"damage")
    found = files.verify(tmp_path / "hurt")
    assert not found["good"]
    (bad,) = [one for one in found["snapshots"][0]["files"] if not one["good"]]
    assert bad["file"] == "bank.00000-of-00001.h5" and bad["file"] in bad["problem"]
    with pytest.raises(negatron.SnapshotError, match="bank.00000-of-00001.h5"):
        files.info(tmp_path / "hurt")


def test_diff_is_that_of_the_program(saved, program):
    folder, _ = saved
    found = files.diff(folder / "five", folder / "six")
    # A step pushes out the twelve oldest.
    assert not found["equal"] and (found["common"], found["only_a"], found["only_b"]) == (29, 12, 12)
    assert files.diff(folder / "five", folder / "five")["equal"]
    with pytest.raises(ValueError, match="tolerance"):
        files.diff(folder / "five", folder / "six", tolerance=-1.0)


def test_rows_are_those_of_the_bank(saved, tmp_path):
    folder, keys = saved
    first, end = files.info(folder / "five")["keys"]
    found = files.rows(folder / "five", range=range(first, end))
    # The bank's random rows of the start are keys as well; these of the queue are the last 41 of 60.
    assert torch.equal(found.vectors, keys[60 - ROWS :]) and found.missing == []
    assert found.sequence.tolist() == list(range(first, end))
    assert torch.equal(found.ids, torch.arange(60 - ROWS, 60) % 30)
    assert files.rows(folder / "five", range=(first, first + 2)).ids.tolist() == [19, 20]
    by_id = files.rows(folder / "five", ids=torch.tensor([29, 3, 77]))
    assert by_id.ids.tolist() == [29, 3, 29] and by_id.missing == [77]
    assert set(files.rows(folder / "five", labels=[2]).labels.tolist()) == {2}
    told = files.extract(folder / "five", tmp_path / "some.npy", ids=[29, 3, 77])
    assert told["rows"] == 3 and told["ids_not_found"] == [77]
    assert numpy.array_equal(numpy.load(tmp_path / "some.npy"), by_id.vectors.numpy())
    assert numpy.load(tmp_path / "some.ids.npy").tolist() == [29, 3, 29]


@pytest.mark.parametrize("choice", [{}, {"ids": [1], "labels": [1]}, {"range": range(0, 4, 2)}, {"ids": [500]},
                                    {"range": (0, 10_000)}, {"ids": [-1]}])
def test_rows_that_cannot_be_meant(saved, choice):
    with pytest.raises(ValueError):
        files.rows(saved[0] / "five", **choice)


def test_near_is_exact(saved, program):
    folder, keys = saved
    queries = unit(3, 8)
    found = files.near(folder / "five", queries, top=6)
    scores = queries.double() @ keys[60 - ROWS :].double().T
    best = scores.sort(dim=1, descending=True, stable=True)
    assert torch.allclose(found.scores, best.values[:, :6], rtol=1e-12)
    assert torch.equal(found.ids, (best.indices[:, :6] + 60 - ROWS) % 30)
    assert found.samples.tolist() == [-1, -1, -1]
    # A sample's newest key looks for others: sample 29 has keys 29 and 59.
    by_id = files.near(folder / "five", ids=[29, 77], top=ROWS)
    assert by_id.missing == [77] and by_id.samples.tolist() == [29]
    assert by_id.ids[0, : ROWS - 2].ne(29).all() and by_id.sequence[0, ROWS - 2 :].tolist() == [-1, -1]
    told = said(program, "near", folder / "five", "--ids", "29", "--top", 5)["near"][0]["rows"]
    assert [row["id"] for row in told] == by_id.ids[0, :5].tolist()
    assert [row["score"] for row in told] == pytest.approx(by_id.scores[0, :5].tolist(), rel=1e-15)
    for wrong in ({}, {"queries": queries, "ids": [1]}, {"queries": queries, "top": 0}, {"queries": 2 * queries},
                  {"queries": queries[0]}, {"queries": unit(2, 1)[:, :3]}, {"ids": [77]}):
        with pytest.raises(ValueError):
            files.near(folder / "five", **wrong)
    assert torch.allclose(files.near(folder / "five", 2 * queries, normalize=True, top=6).scores, found.scores)


def test_reshard_and_merge(saved, program, tmp_path):
    folder, keys = saved
    told = files.reshard(folder / "five", tmp_path / "three", 3)
    assert told["shards"] == 3 and told["rows"] == ROWS
    assert files.diff(folder / "five", tmp_path / "three")["equal"]
    merged = files.merge([folder / "five", folder / "six"], tmp_path / "both", ranks=2)
    # 41 and 41 rows, of which 29 are in both.
    assert merged["rows_read"] == 82 and merged["duplicates"] == 29 and merged["filled"] == 53
    assert files.verify(tmp_path / "both")["good"]
    short = files.merge([folder / "five", folder / "six"], tmp_path / "short", rows=10, dtype=torch.float64)
    assert short["dropped"] == 43 and short["dtype"] == "fp64"
    with pytest.raises(ValueError, match="two banks"):
        files.merge([folder / "five"], tmp_path / "one")
    with pytest.raises((ValueError, negatron.SnapshotError), match="three"):
        files.reshard(folder / "five", tmp_path / "three", 2)


def test_a_matrix_becomes_a_bank(tmp_path):
    rows = unit(20, 4)
    told = files.import_rows(rows.T, tmp_path / "bank", transpose=True, capacity=25, dtype=torch.bfloat16)
    assert told["rows"] == 25 and told["filled"] == 20
    bank = negatron.Bank.load(negatron.alone(), tmp_path / "bank")
    assert bank.filled == 20 and bank.dtype == torch.bfloat16
    shard = bank.shard()
    there = shard["slots"] >= 0
    assert torch.equal(shard["vectors"][there].float().sort(0).values, rows.bfloat16().float().sort(0).values)
    with pytest.raises(ValueError, match="norm"):
        files.import_rows(2 * rows, tmp_path / "long")
    with pytest.raises(TypeError, match="rows must be a torch.Tensor"):
        files.import_rows(rows.numpy(), tmp_path / "array")


def test_memory_and_paths_that_cannot_be(saved, tmp_path):
    with pytest.raises(ValueError, match="memory must be"):
        files.info(saved[0] / "five", memory=0)
    with pytest.raises(ValueError, match="nothing"):
        files.info(tmp_path / "nothing")


@pytest.mark.parametrize(
    "act, said",
    [
        (lambda path: files.merge(str(path), path / "out"), "paths must be a list of paths, and '.*five' is one"),
        (lambda path: files.merge(path, path / "out"), "paths must be a list of paths"),
        (lambda path: files.rows(path, range=(1,)), r"range must be two numbers, \(first, end\), not 1"),
        (lambda path: files.rows(path, range=(1, 2, 3)), r"range must be two numbers, \(first, end\), not 3"),
        (lambda path: files.rows(path, range=(1, 2.5)), "range must be a whole number, not 2.5"),
        (lambda path: files.rows(path, ids=5), "ids must be several whole numbers, not 5"),
        (lambda path: files.rows(path, ids=[2**63]), f"ids must be a whole number of 64 bits, not {2**63}"),
        (lambda path: files.info(path, seed="1"), "seed must be a whole number, not '1'"),
        (lambda path: files.info(path, seed=-1), "seed must be at least 0, not -1"),
        (lambda path: files.info(path, sample=-1), "sample must be at least 0, not -1"),
        (lambda path: files.info(path, name=3), "name must be a str, not 3"),
        (lambda path: files.verify(path, memory="256"), "memory must be a whole number, not '256'"),
        (lambda path: files.info(path, memory=2**50), "memory must be a number of MiB"),
        (lambda path: files.diff(path, path, tolerance="0"), "tolerance must be a number, not '0'"),
    ],
)
def test_arguments_that_are_wrong(saved, act, said):
    with pytest.raises((TypeError, ValueError), match=said):
        act(saved[0] / "five")


def test_how_a_snapshot_was_chosen_is_told(saved, tmp_path):
    run = tmp_path / "run"
    (run / "snapshots").mkdir(parents=True)
    filled(3)[0].save(run / "snapshots" / "step-000000003")
    filled(4)[0].save(run / "snapshots" / "step-000000004")
    with open(run / "snapshots" / "step-000000004" / "bank.00000-of-00001.h5", "r+b") as file:
        file.truncate(100)
    found = files.rows(run, ids=[1])
    assert found.steps.max() == 2
    for notes in (found.notes, files.near(run, ids=[1]).notes, files.info(run)["notes"]):
        assert "step-000000004" in " ".join(notes)
    assert files.rows(saved[0] / "five", ids=[29]).notes == []
