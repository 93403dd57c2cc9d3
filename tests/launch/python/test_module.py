"""The module in one process: what is refused, and how; dtypes; what belongs to Python."""

import copy
import inspect
import multiprocessing
import pickle
import threading

import numpy
import pytest
import torch
import torch.nn.functional as F

import negatron


@pytest.fixture(scope="module")
def group():
    return negatron.init()


def unit(rows, width=8, seed=0, dtype=torch.float32):
    return F.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed), dtype=dtype), dim=1)


@pytest.fixture
def bank(group):
    return negatron.Bank(group, rows=20, width=8, global_batch=4)


@pytest.mark.parametrize(
    "q, k, ids, said",
    [
        (unit(4, 7), unit(4, 7), None, r"q must be \[b, 8\], the width of the bank, and is \[4, 7\]"),
        (unit(4), unit(3), None, r"k must be as q, and is \[3, 8\] Float on cpu beside \[4, 8\]"),
        (unit(4), unit(4).double(), None, "k must be as q"),
        (unit(4).int(), unit(4).int(), None, "q must be of a floating dtype"),
        (unit(4), unit(4), torch.arange(3), r"ids must be int64, one for each of 4 rows, and is Long \[3\]"),
        (unit(4), unit(4), torch.arange(4.0), "ids must be int64"),
        (unit(4).to("meta"), unit(4).to("meta"), None, "q lies on meta and the bank on cpu"),
        (unit(0), unit(0), None, "the batch of all ranks is empty"),
    ],
)
def test_wrong_batches_are_refused(bank, q, k, ids, said):
    loss = negatron.ContrastiveLoss(bank)
    with pytest.raises(ValueError, match=said):
        loss(q, k, ids)


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"objective": "info-ncee"}, "did you mean info-nce?"),
        ({"sampler": "mochi", "sampler_options": {"m": 3}}, "unknown option"),
        ({"tau": 0.0}, "the temperature must be a positive finite number"),
        ({"negatives": "banks"}, "'bank', 'batch', 'bank-and-batch' or 'none'"),
        ({"reduction": "total"}, "'sum' or 'mean'"),
        ({"sampler": "nscaching"}, "nscaching"),
    ],
)
def test_wrong_settings_are_refused(bank, settings, said):
    with pytest.raises(ValueError, match=said):
        negatron.ContrastiveLoss(bank, **settings)


def test_a_loss_that_needs_labels_says_so(bank):
    with pytest.raises(ValueError, match="labels are needed"):
        negatron.ContrastiveLoss(bank, objective="supcon")(unit(4), unit(4))


def test_wrong_banks_are_refused(group):
    for settings in ({"rows": 0, "width": 8}, {"rows": 8, "width": 0}, {"rows": 8, "width": 8, "dtype": torch.int64}):
        with pytest.raises(ValueError):
            negatron.Bank(group, **settings)
    with pytest.raises(ValueError, match="'random' or 'empty'"):
        negatron.Bank(group, 8, 8, fill="zeros")
    with pytest.raises(ValueError, match="21 keys of all ranks do not fit into a bank of 20 rows"):
        negatron.Bank(group, 20, 8).enqueue(unit(21))
    with pytest.raises(ValueError, match="n must lie between 1 and the 20 rows"):
        negatron.Bank(group, 20, 8).hardest(unit(2), 21)


def test_a_gradient_of_a_gradient_is_refused(bank):
    q = unit(4).requires_grad_()
    value = negatron.ContrastiveLoss(bank)(q, unit(4, seed=1))
    (gradient,) = torch.autograd.grad(value, q, create_graph=True)
    with pytest.raises(RuntimeError, match="a gradient of a gradient is not defined"):
        gradient.sum().backward()


def test_backward_twice_and_scaled(bank):
    q = unit(4).requires_grad_()
    value = negatron.ContrastiveLoss(bank)(q, unit(4, seed=1))
    value.backward(retain_graph=True)
    once = q.grad.clone()
    (3 * value).backward()
    assert torch.allclose(q.grad, 4 * once)


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


def test_bfloat16(group):
    bank = negatron.Bank(group, 20, 8, torch.bfloat16, fill="empty")
    keys = unit(20, seed=2)
    bank.enqueue(keys)
    with pytest.raises(TypeError, match="numpy has no bfloat16"):
        bank.numpy()
    q, k = unit(4).requires_grad_(), unit(4, seed=1)
    value = negatron.ContrastiveLoss(bank, tau=0.1)(q, k)
    value.backward()
    plain = unit(4).requires_grad_()
    logits = torch.cat([(plain * k).sum(1, keepdim=True), plain @ keys.bfloat16().float().T], 1) / 0.1
    expected = F.cross_entropy(logits, torch.zeros(4, dtype=torch.long))
    expected.backward()
    assert torch.allclose(value, expected, rtol=1e-5) and torch.allclose(q.grad, plain.grad, atol=1e-5)


def test_what_autocast_left_is_widened(bank):
    q = unit(4).requires_grad_()
    negatron.ContrastiveLoss(bank)(q.bfloat16(), unit(4, seed=1).bfloat16()).backward()
    assert q.grad.dtype == torch.float32 and q.grad.abs().sum() > 0


def test_two_banks_know_nothing_of_each_other(group):
    first, second = (negatron.Bank(group, 20, 8, seed=seed) for seed in (1, 2))
    before = second.numpy().copy()
    q, k = unit(4), unit(4, seed=1)
    values = [negatron.ContrastiveLoss(bank)(q, k).item() for bank in (first, second)]
    assert values[0] != values[1]
    first.enqueue(k)
    assert (second.numpy() == before).all() and (first.step, second.step) == (1, 0)
    assert negatron.ContrastiveLoss(second)(q, k).item() == values[1]


def test_a_learned_temperature_follows_an_optimizer(bank):
    loss = negatron.ContrastiveLoss(bank, tau=0.2, learn_tau=True)
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.5)
    loss(unit(4), unit(4, seed=1)).backward()
    before = loss.metrics()["temperature"]
    optimizer.step()
    loss(unit(4), unit(4, seed=1))
    assert before == pytest.approx(0.2) and abs(loss.metrics()["temperature"] - 0.2) > 1e-3
    again = negatron.ContrastiveLoss(bank, tau=0.2, learn_tau=True)
    again.load_state_dict(loss.state_dict())
    again(unit(4), unit(4, seed=1))
    assert again.metrics()["temperature"] == pytest.approx(loss.metrics()["temperature"])


def test_a_sampler_that_draws(bank):
    loss = negatron.ContrastiveLoss(bank, sampler="mochi", sampler_options={"n": 6, "s": 4}, tau=0.2)
    loss(unit(4).requires_grad_(), unit(4, seed=1)).backward()
    assert loss.metrics()["loss"] > 0


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


def test_inference_mode_gives_the_same_loss(bank):
    loss = negatron.ContrastiveLoss(bank, learn_tau=True)
    expected = loss(unit(4), unit(4, seed=1)).item()
    with torch.inference_mode():
        assert loss(unit(4), unit(4, seed=1)).item() == expected
        q = unit(4)
    assert not loss(q, q).isnan()


def test_a_criterion_keeps_its_state_through_its_first_batch():
    criterion = negatron.lightly.NTXentLoss(memory_bank_size=(20, 8))
    state = criterion.state_dict()
    criterion(unit(4).requires_grad_(), unit(4, seed=1))
    assert criterion.state_dict() == state and criterion.bank.step == 1
    negatron.lightly.NTXentLoss(memory_bank_size=(20, 8)).load_state_dict(criterion.state_dict())
    with pytest.raises(ValueError, match="learn_tau=True"):
        negatron.lightly.NTXentLoss(memory_bank_size=(20, 8), learn_tau=True)


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


def test_rows_of_any_length(group):
    bank = negatron.Bank(group, 20, 8, torch.float64, fill="empty", length="raw", global_batch=4)
    keys = 3 * torch.randn(20, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    bank.enqueue(keys)
    q = (2 * unit(4, dtype=torch.float64)).requires_grad_()
    k = keys[:4] + 0.1
    negatron.ContrastiveLoss(bank, tau=1.0)(q, k).backward()
    plain = q.detach().clone().requires_grad_()
    logits = torch.cat([(plain * k).sum(1, keepdim=True), plain @ keys.T], 1)
    F.cross_entropy(logits, torch.zeros(4, dtype=torch.long)).backward()
    assert torch.allclose(q.grad, plain.grad, atol=1e-12) and q.grad.abs().sum() > 0
    memory = negatron.Bank(group, 20, 8, torch.float64, kind="memory", length="raw")
    ids = torch.tensor([3, 5])
    memory.write(ids, keys[:2])
    memory.blend(ids, keys[2:4], momentum=0.25)
    assert torch.allclose(memory.fetch(ids), 0.25 * keys[:2] + 0.75 * keys[2:4], atol=1e-14)
    with pytest.raises(ValueError, match="does not go with --objective hcl"):
        negatron.ContrastiveLoss(bank, objective="hcl", negatives="bank")
    with pytest.raises(ValueError, match="trained as unit rows"):
        negatron.Bank(group, 20, 8, kind="learned", length="raw")


@pytest.mark.parametrize(
    "kind, settings, said",
    [
        ("memory", {"negatives": "bank-and-batch"}, "goes with --negatives bank"),
        ("memory", {"mask_own_sample": False}, "cannot be a negative as well"),
        ("index", {"sampler": "ance"}, "mines samples that must be encoded in every step"),
        ("learned", {"objective": "supcon"}, "has rows without labels"),
        ("learned", {"rows_tau": 0.0}, "rows_tau must be a number above 0"),
        ("parametric", {"max_age": 3}, "do not age"),
    ],
)
def test_what_does_not_go_with_a_kind_of_rows(group, kind, settings, said):
    bank = negatron.Bank(group, 20, 8, kind=kind)
    with pytest.raises(ValueError, match=said):
        negatron.ContrastiveLoss(bank, **settings)


def test_what_a_kind_of_rows_cannot_do(group):
    refused = {
        "queue": ("fetch", "blend", "step_rows"),
        "memory": ("enqueue", "step_rows"),
        "index": ("enqueue", "blend", "step_rows"),
        "parametric": ("enqueue", "blend"),
        "learned": ("enqueue", "fetch", "blend"),
    }
    ids, rows = torch.arange(3), unit(3)
    banks = {kind: negatron.Bank(group, 20, 8, kind=kind) for kind in refused}
    for kind, bank in banks.items():
        assert bank.kind == kind and kind in repr(bank) and bank.filled == 20
        calls = {
            "enqueue": ("stay; a queue takes keys", lambda: bank.enqueue(rows)),
            "fetch": ("are those of no sample", lambda: bank.fetch(ids)),
            "blend": ("are the rows of a memory bank", lambda: bank.blend(ids, rows)),
            "step_rows": ("are not trained", lambda: bank.step_rows(0.1)),
        }
        for call in refused[kind]:
            said, act = calls[call]
            with pytest.raises(ValueError, match=f"{call}: .*{said}"):
                act()
    for kind in ("parametric", "learned"):
        with pytest.raises(ValueError, match="rows have no gradient"):
            banks[kind].step_rows(0.1)
    with pytest.raises(ValueError, match="leave fill 'random'"):
        negatron.Bank(group, 20, 8, kind="memory", fill="empty")
    with pytest.raises(ValueError, match="leave k out"):
        negatron.ContrastiveLoss(banks["parametric"])(rows, rows, ids)
    with pytest.raises(ValueError, match="ids are needed"):
        negatron.ContrastiveLoss(banks["memory"])(rows)


def test_looking_leaves_no_gradient_in_rows(group):
    bank = negatron.Bank(group, 20, 8, kind="parametric")
    loss = negatron.ContrastiveLoss(bank)
    with torch.no_grad():
        looked = loss(unit(3), ids=torch.arange(3)).item()
    assert not loss.eval()(unit(3), ids=torch.arange(3)).requires_grad and bank.row_gradient() is None
    value = loss.train()(unit(3), ids=torch.arange(3))
    assert value.item() == looked and bank.row_gradient() is None
    value.backward()
    assert bank.row_gradient().abs().sum() > 0


def test_a_memory_bank_takes_other_positives(group):
    bank = negatron.Bank(group, 20, 8, kind="memory")
    loss = negatron.ContrastiveLoss(bank)
    ids = torch.arange(4)
    own, given = loss(unit(4), ids=ids), loss(unit(4), bank.fetch(ids), ids)
    assert own.item() == given.item() != loss(unit(4), unit(4, seed=1), ids).item()
