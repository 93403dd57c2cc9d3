"""What is refused in one process, and how."""

import pytest
import torch

import negatron
from unit_rows import unit


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


def test_a_device_that_ranks_cannot_have_is_refused():
    with pytest.raises(ValueError, match="device must be 'cuda'"):
        negatron.init(device="meta")
    with pytest.raises(ValueError, match=r"'cuda:99', and torch finds \d+ GPUs here"):
        negatron.init(device="cuda:99")
