"""negatron.knn and negatron.linear_probe: against plain PyTorch, on ranks, and the program's own numbers."""

import json
import re

import numpy
import pytest
import torch

import negatron
from plain_evaluation import clusters, plain_knn, plain_probe


@pytest.mark.parametrize("k, tau", [(20, 0.1), (1, 0.1), (500, 0.01)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_knn(k, tau, dtype):
    train, labels, test, test_labels = clusters()
    train, test = train.to(dtype), test.to(dtype)
    # Rows that are there twice are ties.
    train, labels = torch.cat([train, train[:40]]), torch.cat([labels, (labels[:40] + 1) % 3])
    found = negatron.knn(train, labels, test, test_labels, k=k, tau=tau)
    expected = plain_knn(train, labels, test, k, tau, 3)
    assert torch.allclose(found.votes, expected, atol=1e-5 * 0.1 / tau)
    assert torch.equal(found.predictions, found.votes.argmax(1))
    assert found.accuracy == (found.predictions == test_labels).double().mean().item()
    assert abs(found.accuracy - (expected.argmax(1) == test_labels).double().mean().item()) < 0.03
    assert 0.5 < found.accuracy < 1.0


def test_linear_probe():
    train, labels, test, test_labels = clusters()
    found = negatron.linear_probe(train, labels, test, test_labels, l2=[1e-2], tolerance=1e-9)
    weights, predict = plain_probe(train, labels, 3, 1e-2)
    assert torch.allclose(found.weights, weights, atol=1e-6)
    assert found.accuracy == (predict(test) == test_labels).double().mean().item()
    assert found.l2 == 1e-2 and found.validation == []
    tried = negatron.linear_probe(train, labels, test, test_labels)
    assert len(tried.validation) == 5 and tried.l2 == (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)[tried.validation.index(max(tried.validation))]


def test_a_feature_that_is_always_the_same_does_no_harm():
    train, labels, test, test_labels = clusters()
    constant = [torch.cat([rows, torch.ones(len(rows), 1)], 1) for rows in (train, test)]
    found = negatron.linear_probe(constant[0], labels, constant[1], test_labels, l2=[1e-2])
    assert found.accuracy == negatron.linear_probe(train, labels, test, test_labels, l2=[1e-2]).accuracy


def test_features_on_a_graph_give_no_gradient():
    train, labels, test, test_labels = clusters()
    train.requires_grad_()
    assert not negatron.knn(train, labels, test, test_labels, k=5).votes.requires_grad
    assert not negatron.linear_probe(train, labels, test, test_labels, l2=[0.1]).weights.requires_grad


@pytest.mark.parametrize(
    "change, said",
    [
        ({"train": torch.ones(180)}, r"train must be floating \[n, D\]"),
        ({"train_labels": torch.zeros(180)}, "int64 labels"),
        ({"test_labels": torch.zeros(3, dtype=torch.long)}, r"test must be floating .* are \[90, 6\] Float and \[3\] Long"),
        ({"train_labels": torch.full((180,), -1)}, "the labels of train must be 0 or more"),
        ({"test": torch.ones(90, 5)}, "features of one width"),
        ({"classes": 2}, "there is a label 2, and classes is 2"),
        ({"classes": 0}, "classes must be at least 1, not 0"),
        ({"train": torch.ones(0, 6), "train_labels": torch.zeros(0, dtype=torch.long)}, "train is empty"),
    ],
)
@pytest.mark.parametrize("measure", [negatron.knn, negatron.linear_probe])
def test_what_is_no_evaluation(measure, change, said):
    train, labels, test, test_labels = clusters()
    given = {"train": train, "train_labels": labels, "test": test, "test_labels": test_labels, **change}
    with pytest.raises(ValueError, match=said):
        measure(**given)


def test_options_that_cannot_be():
    data = clusters()
    with pytest.raises(ValueError, match="k of at least 1"):
        negatron.knn(*data, k=0)
    with pytest.raises(TypeError, match="k must be a whole number, not 2.5"):
        negatron.knn(*data, k=2.5)
    with pytest.raises(ValueError, match="penalty"):
        negatron.linear_probe(*data, l2=[0.0])


def found(output, ranks):
    right = re.findall(rf"rank \d of {ranks}: (\d+)", output)
    assert len(right) == ranks, output
    said = re.search(r"found .*", output).group().split()
    assert sum(map(int, right)) == round(float(said[1]) * 90)
    return said


def test_ranks_change_nothing(python, mpirun, torchrun):
    alone = found(python("job_evaluation.py", "alone"), 1)
    for ranks in (2, 3, 4):
        assert found(mpirun(ranks, "job_evaluation.py", "mpi"), ranks) == alone
    assert found(torchrun(2, "job_evaluation.py", "torch"), 2) == alone


def test_numbers_are_those_of_the_program(program, tmp_path):
    train, labels, _, _ = clusters(300)
    numpy.save(tmp_path / "all.npy", train.numpy())
    numpy.save(tmp_path / "all.labels.npy", labels.numpy())
    small = ["--max-steps", 3, "--global-batch", 12, "--bank-rows", 48, "--width", 16, "--encoder", "mlp:hidden=24",
             "--evaluate-every", 0, "--baselines", "off", "--loader-threads", 1, "--threads", 1, "--precision", "fp32"]
    program("pretrain", *small, "--data", tmp_path / "all.npy", "--holdout", 100, "--run-dir", tmp_path / "run")
    output = program("evaluate", tmp_path / "run", "--knn-k", 7, "--baselines", "off", "--threads", 1, "--json")
    (told,) = json.loads(output[output.index('{"'):])["subjects"]
    data = []
    for part in ("train", "test"):
        program("embed", tmp_path / "run", tmp_path / f"{part}.npy", "--part", part, "--threads", 1)
        data += [torch.from_numpy(numpy.load(tmp_path / f"{part}{end}.npy")) for end in ("", ".labels")]
    assert [len(tensor) for tensor in data] == [200, 200, 100, 100]
    probe = negatron.linear_probe(*data)
    assert negatron.knn(*data, k=7).accuracy == pytest.approx(told["knn"], abs=1e-12) and 0.5 < told["knn"] < 1
    assert probe.accuracy == pytest.approx(told["linear_probe"], abs=1e-12) and probe.l2 == told["linear_probe_l2"]
