"""What must not leave others waiting, or a program in pieces: mistakes of one rank (job_mistakes.py), daemon threads at the
end (job_daemon.py), hooks of saved tensors, and questions from other threads."""

import re
import threading
import time

import pytest
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop

import negatron
from unit_rows import unit


def test_mistakes_of_one_rank_over_mpi(mpirun):
    output = mpirun(3, "job_mistakes.py", "mpi")
    assert sorted(re.findall(r"rank (\d) is done", output)) == ["0", "1", "2"], output


def test_mistakes_of_one_rank_over_torch(torchrun):
    output = torchrun(2, "job_mistakes.py", "torch")
    assert sorted(re.findall(r"rank (\d) is done", output)) == ["0", "1"], output


def test_a_daemon_in_a_collective_ends_the_job(mpirun):
    begun = time.monotonic()
    output = mpirun(2, "job_daemon.py", "mpi", code="failure")
    assert "rank 0: the program ends while a thread of it is in a collective" in output
    assert time.monotonic() - begun < 45 and "terminate called" not in output


def test_a_daemon_in_a_collective_of_torch(torchrun):
    output = torchrun(2, "job_daemon.py", "torch")
    assert output.count("the main thread is done") == 2 and "terminate called" not in output, output
    assert "rank 0: the program ends while a thread of it is in a collective" in output


def test_a_daemon_that_reads_files(python, tmp_path, bank):
    bank.save(tmp_path / "bank")
    for _ in range(3):
        output = python("job_daemon.py", "files", tmp_path / "bank")
        assert output == "the main thread is done\n", output


def plain(bank, q, k):
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ bank.shard()["vectors"].T], 1) / 0.2
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))


@pytest.mark.parametrize("what", ["loss", "all"])
def test_checkpointing_computes_the_loss_once(bank, what):
    loss = negatron.ContrastiveLoss(bank)
    encoder = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 8))
    images, k = unit(4, seed=3), unit(4, seed=4)

    def encoded(x):
        return F.normalize(encoder(x), dim=1)

    plain(bank, encoded(images), k).backward()
    expected = encoder[0].weight.grad.clone()
    encoder.zero_grad()
    if what == "loss":
        value = checkpoint(loss, encoded(images), k, use_reentrant=False)
    else:
        value = checkpoint(lambda x: loss(encoded(x), k), images, use_reentrant=False)
    value.backward()
    assert torch.allclose(encoder[0].weight.grad, expected, atol=1e-7) and expected.abs().sum() > 0


@pytest.mark.parametrize("early_stop", [True, False])
def test_a_loss_that_would_be_computed_again_is_refused(bank, early_stop):
    loss = negatron.ContrastiveLoss(bank)
    weight = torch.ones(8, requires_grad=True)
    said = "cannot be computed again inside backward; leave it outside of what torch.utils.checkpoint wraps"
    with set_checkpoint_early_stop(early_stop):
        # With use_reentrant=True everything is, and else what more is saved behind the loss asks for it.
        value = checkpoint(lambda w: loss(F.normalize(unit(4) * w, dim=1), unit(4, seed=1)), weight, use_reentrant=early_stop)
        with pytest.raises(RuntimeError, match=said):
            value.backward()
    # The bank and the loss are as they were.
    loss(unit(4).requires_grad_(), unit(4, seed=1)).backward()


def test_hooks_of_saved_tensors_do_not_matter(bank):
    loss = negatron.ContrastiveLoss(bank)
    q, twin = unit(4).requires_grad_(), unit(4).requires_grad_()
    with torch.autograd.graph.save_on_cpu():
        value = loss(q, unit(4, seed=1))
    value.backward()
    plain(bank, twin, unit(4, seed=1)).backward()
    assert torch.allclose(q.grad, twin.grad, atol=1e-7)


def test_metrics_are_whole_from_another_thread(bank):
    loss = negatron.ContrastiveLoss(bank, objective="hcl", negatives="bank")
    q, k = unit(4).requires_grad_(), unit(4, seed=1)
    loss(q, k)
    names, seen, done = set(loss.metrics()), [], threading.Event()

    def look():
        while not done.is_set():
            seen.append(set(loss.metrics()))

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(300):
        loss(q, k)
    done.set()
    thread.join()
    assert len(seen) > 10 and all(one == names for one in seen)
