"""What pages and files show: the examples of README pages, MoCo before and after, lightly's signature."""

import inspect
import re

import pytest
import torch
import torch.nn.functional as F

import negatron
import negatron.lightly


def losses(output):
    found = sorted(re.findall(r"step (\d+) rank (\d+) loss (\d+\.\d+)", output), key=lambda one: (int(one[0]), one[1]))
    assert found, output
    return [float(loss) for _, _, loss in found]


@pytest.mark.parametrize("ranks", [1, 2])
def test_moco_before_and_after_print_the_same_losses(torchrun, root, ranks):
    # More keys than the queue holds: it turns over.
    steps = 36 // ranks
    folder = root / "launch" / "python"
    before = losses(torchrun(ranks, folder / "moco_before.py", steps))
    after = losses(torchrun(ranks, "job_moco.py", folder, steps))
    assert len(before) == steps * ranks and after == pytest.approx(before, abs=3e-5)


def test_moco_after_changes_few_lines(root):
    before, after = ((root / "launch" / "python" / f"moco_{name}.py").read_text().splitlines() for name in ("before", "after"))
    added = [line for line in after if line.strip() and line not in before]
    assert 4 <= len(added) <= 10


def test_the_readmes_example_runs_as_it_stands(python, root, tmp_path):
    page = (root / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    assert "negatron.ContrastiveLoss(" in example and ".backward()" in example and ".enqueue(" in example
    script = tmp_path / "example.py"
    script.write_text(example)
    output = python(script, cwd=tmp_path)
    value = float(re.match(r"\d+\.\d+", output).group())
    # Some 65536 random negatives beside a positive that is near: log(65536) - 1 / tau, and what the mixes add.
    assert 5 < value < 9, output
    assert (tmp_path / "snap" / "bank.h5").is_file()


def code_of(page, section):
    """The indented lines behind a heading of the module's page, up to the next one."""
    text = page.split(f"## {section}")[1].split("\n## ")[0]
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))


def test_the_sections_of_the_modules_page_run(root, tmp_path, monkeypatch):
    page = (root / "launch" / "python" / "README.md").read_text()
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(1)
    q = F.normalize(torch.randn(6, 128, generator=generator), dim=1).requires_grad_()
    k = F.normalize(torch.randn(6, 128, generator=generator), dim=1)
    there = {"negatron": negatron, "torch": torch, "F": F, "q": q, "k": k, "ids": torch.arange(6), "labels": torch.arange(6) % 2}
    exec(code_of(page, "3. A step"), there)
    assert q.grad.abs().sum() > 0
    queue = there["bank"]

    there.update(encoder=torch.nn.Linear(5, 128), images=torch.randn(6, 5, generator=generator))
    exec(code_of(page, "5. Rows that stay"), there)
    assert there["memory"].step == 1 and there["weights"].step == 1

    there["q"], there["bank"] = q, queue
    exec(code_of(page, "6. Files"), there)
    assert there["found"].ids.shape == (6, 5) and there["rows"].ids.tolist() == [3, 5]

    train, test = (torch.randn(40, 4, generator=generator) for _ in range(2))
    labels = (train[:, 0] > 0).long()
    there.update(train=train, test=test, train_labels=labels, test_labels=(test[:, 0] > 0).long())
    exec(code_of(page, "7. What features"), there)
    assert there["probe"].accuracy > 0.8 and there["votes"].accuracy > 0.5


def plain_nt_xent(out0, out1, tau, queue):
    """As lightly computes it, [b, d] and a bank [K, d] or None."""
    q, k = F.normalize(out0, dim=1), F.normalize(out1, dim=1)
    if queue is not None:
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], 1) / tau
        return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))
    views = torch.cat([q, k])
    logits = (views @ views.T / tau).fill_diagonal_(-torch.inf)
    return F.cross_entropy(logits, (torch.arange(len(views)) + len(q)) % len(views))


@pytest.mark.parametrize("size", [0, (24, 8)])
def test_nt_xent_is_that_of_lightly(size):
    criterion = negatron.lightly.NTXentLoss(0.3, size)
    for step in range(4):
        generator = torch.Generator().manual_seed(step)
        out0, out1 = (torch.randn(6, 8, generator=generator).requires_grad_() for _ in range(2))
        if criterion.bank is None and size:
            criterion(out0.detach(), out1.detach())
        queue = torch.from_numpy(criterion.bank.numpy().copy()) if size else None
        criterion(out0, out1).backward()
        twins = [out.detach().clone().requires_grad_() for out in (out0, out1)]
        expected = plain_nt_xent(*twins, 0.3, queue)
        expected.backward()
        assert torch.allclose(out0.grad, twins[0].grad, atol=1e-6)
        assert torch.allclose(out1.grad, twins[1].grad, atol=1e-6)
        assert not size or criterion.bank.step == step + 1


def test_signature_is_lightlys():
    parameters = inspect.signature(negatron.lightly.NTXentLoss).parameters
    known = {name: value.default for name, value in parameters.items() if value.kind is value.POSITIONAL_OR_KEYWORD}
    assert known == {"temperature": 0.5, "memory_bank_size": 0, "gather_distributed": False}
    for size in (24, (24,), (-1, 8), (1, 2, 3)):
        with pytest.raises(ValueError):
            negatron.lightly.NTXentLoss(memory_bank_size=size)
    with pytest.raises(ValueError, match="Illegal temperature"):
        negatron.lightly.NTXentLoss(temperature=0.0)


def test_lightlys_own_loss_agrees():
    lightly = pytest.importorskip("lightly.loss", reason="lightly comes with launch/setup --bench")
    own, theirs = negatron.lightly.NTXentLoss(0.3, (24, 8)), lightly.NTXentLoss(0.3, (24, 8))
    for step in range(6):
        generator = torch.Generator().manual_seed(step)
        out0, out1 = torch.randn(6, 8, generator=generator).requires_grad_(), torch.randn(6, 8, generator=generator)
        if step == 0:
            own(out0.detach(), out1)
            shard = own.bank.shard()
            order = shard["slots"].argsort()
            theirs.memory_bank.bank.copy_(shard["vectors"][order])
        assert own(out0, out1).item() == pytest.approx(theirs(out0, out1).item(), rel=1e-6), step
