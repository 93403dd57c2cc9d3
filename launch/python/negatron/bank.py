"""The bank: the last K keys of all ranks, or K rows that stay."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import torch

from negatron import _core
from negatron.job import Group
from negatron.kept_rows import KeptRows
from negatron.mistakes import (
    assign,
    path_bytes,
    require_tensor,
    require_tensor_or_none,
    told_before,
    told_in_call,
    whole_number,
)

if TYPE_CHECKING:
    import numpy


class HardestRows(NamedTuple):
    """The N best rows of a bank for each of b queries, best first."""

    scores: torch.Tensor  # [b, N] float32, -inf where the bank has fewer rows
    slots: torch.Tensor  # [b, N] int64, -1 there
    ids: torch.Tensor  # [b, N] int64, -1 for a random row of the start, or one of nobody


_KINDS = ("queue", "memory", "index", "parametric", "learned")
_ROWS_LEARN = ("parametric", "learned")
_LENGTHS = ("unit", "raw", "distance")
_ROW_OPTIMIZERS = ("sgd", "adagrad", "adam")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    return value


def _dtype(value: object) -> torch.dtype:
    if not isinstance(value, torch.dtype):
        raise TypeError(f"dtype must be a torch.dtype, not {value!r}")
    return value


def _with_index(device: torch.device | str) -> torch.device:
    device = torch.device(device)
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device


class Bank(KeptRows):
    """K rows over all ranks of a group, each kept by one of them. Of which kind (samplers/bank/BANK.md):

    - "queue": the last K keys, first in, first out, as MoCo's (He et al., CVPR 2020). Every rank keeps the keys that it
      made, and the union of the shards is exactly the queue of one device. `enqueue` after the loss.
    - "memory": a row for each of K samples, which is a running mean of what the encoder made of it and the positive of
      its query (Wu et al., InstDisc, CVPR 2018). `loss(q, ids=ids)`, then `blend(ids, q)`; no k.
    - "index": a row for each of K samples, which steps leave alone; `write` makes rows anew.
    - "parametric": a row for each of K samples, trained with the encoder, and the positive of its query (Cao et al., PIC,
      NeurIPS 2020). `loss(q, ids=ids)`, backward, `step_rows`; no k.
    - "learned": K rows of nobody, trained to raise a loss (Hu et al., AdCo, CVPR 2021). `loss(q, k)`, backward,
      `step_rows`.

    Rows of samples are told by ids from 0 to K - 1, and begin as random ones: `write` what the encoder makes of each
    sample before the first step, or an encoder may collapse.

    Args:
        group: the ranks, as `init` gives them.
        rows: K, over all ranks. Any number.
        width: d, the length of a key.
        dtype: how rows are stored: float64, float32, bfloat16 or float16.
        device: where this rank's shard lies, and queries and keys with it.
        kind: as above.
        fill: "random" begins with random unit rows, as MoCo does; "empty", of a queue, with none.
        seed: of the random rows, which are the same for any number of ranks.
        global_batch: of a queue, the keys per step over all ranks to lay it out for. Others are right too, and cost a
            move of the shard the first time that they do not fit.
        row_optimizer: of rows that learn: "sgd", "adagrad" or "adam" (samplers/bank/row_optimizer.h). With the last two,
            rows that no query met stay as they are.
        length: "unit" for vectors of length 1, whose scores are cosines; "raw" for such as keep their lengths, whose
            scores are inner products (samplers/objectives/LOSSES.md 21); "distance" for rows of `negatron.distance_rows`,
            of width d + 2, as runs with `--head-output distance` have them: what blends, trains or writes rows works on
            their d numbers and makes the two others anew. What means cosines is refused with either.

    Collective. Raises ValueError, or DisagreementError where ranks ask for different banks.
    """

    def __init__(
        self,
        group: Group,
        rows: int,
        width: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        *,
        kind: str = "queue",
        fill: str = "random",
        seed: int = 0,
        global_batch: int = 256,
        row_optimizer: str = "sgd",
        length: str = "unit",
    ) -> None:
        with told_before(group, "the bank"):
            options = _core.BankOptions()
            assign(options, rows=rows, width=width, seed=seed, global_batch=global_batch)
            options.set_dtype(_dtype(dtype))
            options.set_device(_with_index(device))
            if kind not in _KINDS:
                raise ValueError(f"kind is one of {', '.join(map(repr, _KINDS))}, not {kind!r}")
            if row_optimizer not in _ROW_OPTIMIZERS:
                raise ValueError(f"row_optimizer is 'sgd', 'adagrad' or 'adam', not {row_optimizer!r}")
            if length not in _LENGTHS:
                raise ValueError(f"length is 'unit', 'raw' or 'distance', not {length!r}")
            options.set_kind(kind)
            options.set_length(length)
            options.set_fill(_text("fill", fill))
            if kind in _ROWS_LEARN:
                options.set_row_optimizer(row_optimizer)
        self._group = group
        self._core = _core.Bank(group._core, options)

    @classmethod
    def load(
        cls,
        group: Group,
        path: str | os.PathLike[str],
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
        *,
        name: str | None = None,
    ) -> Bank:
        """The bank that `save`, or a run of `negatron pretrain`, left at `path`: a snapshot, or a run, of which the newest
        snapshot that verifies is taken. On any number of ranks it is the same bank, of the kind that was saved. `dtype`
        converts its rows. `name` says which bank of a snapshot that has several: "view-a" or "view-b" of a run with
        --bank-per-view.

        Collective. Raises SnapshotError where there is no bank, or none that is whole, and ValueError with their names
        where `name` leaves open which of several is meant.
        """
        bank = cls.__new__(cls)
        bank._group = group
        with told_before(group, "the bank to load"):
            where = path_bytes(path)
            which = "" if name is None else _text("name", name)
            on, kept = _with_index(device), None if dtype is None else _dtype(dtype)
        bank._core = _core.Bank.load(group._core, where, which, on, kept)
        return bank

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the bank of all ranks into the new directory `path`, as a snapshot without a trainer: `Bank.load`,
        `negatron bank` and `negatron pretrain --bank` read it, and bank.h5 in it is one bank for h5py.

        Collective. Raises SnapshotError, among others where `path` exists; then nothing is left of it.
        """
        with told_before(self._group, "the path of the bank"):
            where = path_bytes(path)
        self._core.save(where)

    def enqueue(self, k: torch.Tensor, ids: torch.Tensor | None = None, labels: torch.Tensor | None = None) -> None:
        """Of a queue. Appends the keys of all ranks, in the order of the ranks, and lets the oldest expire. After the loss,
        so that no query meets its own key.

        Args:
            k: [b, d] unit rows of any floating dtype on the bank's device; copied, without gradient. Ranks may bring
                different numbers of them.
            ids: [b] int64, which samples they are. A query with the same id leaves its own rows out.
            labels: [b] int64, for objectives and samplers that go by label.

        Collective. Raises ValueError, or DisagreementError, on all ranks before any key travels.
        """
        with told_in_call(self._group, "enqueue"):
            require_tensor("k", k)
            require_tensor_or_none("ids", ids)
            require_tensor_or_none("labels", labels)
        self._core.enqueue(k, ids, labels)

    def hardest(self, q: torch.Tensor, n: int) -> HardestRows:
        """The n rows of the whole bank that score highest with each query, exactly, ties to the lower slot
        (samplers/exchange/EXCHANGE.md 2).

        Args:
            q: [b, d] float32 or float64.
            n: at most K.

        Collective. Local for one rank.
        """
        with told_in_call(self._group, "hardest"):
            require_tensor("q", q)
            count = whole_number("n", n)
        return HardestRows(*self._core.hardest(q.detach(), count))

    def shard(self) -> dict[str, torch.Tensor]:
        """This rank's part, without a copy, until the next `enqueue`: "vectors" [m, d]; and [m] int64 each "slots" (-1
        where no row lies), "ids", "labels" and "steps" (-1 where there is none). Do not change them. Local."""
        core = self._core
        return {
            "vectors": core.vectors(),
            "slots": core.slots(),
            "ids": core.ids(),
            "labels": core.labels(),
            "steps": core.steps(),
        }

    def numpy(self) -> numpy.ndarray:
        """The vectors of `shard` as a read-only array [m, d], without a copy. Some may be of no row: those where
        `shard()["slots"]` is -1. Local.

        Raises TypeError for a bank on a GPU and for bfloat16, which numpy does not have.
        """
        vectors = self._core.vectors()
        if vectors.device.type != "cpu":
            raise TypeError(f"the bank lies on {vectors.device}; bank.shard()['vectors'].cpu().numpy() makes a copy")
        if vectors.dtype == torch.bfloat16:
            raise TypeError("numpy has no bfloat16; bank.shard()['vectors'].float().numpy() makes a copy")
        array = vectors.numpy()
        array.flags.writeable = False
        return array

    @property
    def group(self) -> Group:
        """The ranks that share it."""
        return self._group

    @property
    def kind(self) -> str:
        """"queue", "memory", "index", "parametric" or "learned"."""
        return self._core.kind

    @property
    def rows(self) -> int:
        """K, over all ranks."""
        return self._core.rows

    @property
    def width(self) -> int:
        """d"""
        return self._core.width

    @property
    def filled(self) -> int:
        """Rows that may score, over all ranks, random ones included."""
        return self._core.filled

    @property
    def step(self) -> int:
        """How often keys were enqueued, or rows blended or trained, or a loss trained over an index; a bank that was
        loaded goes on counting."""
        return self._core.step

    @property
    def dtype(self) -> torch.dtype:
        return self._core.vectors().dtype

    @property
    def device(self) -> torch.device:
        return self._core.vectors().device

    def __len__(self) -> int:
        return self.rows

    def __repr__(self) -> str:
        return f"negatron.Bank({self.kind} of {self.rows} x {self.width} {self.dtype} on {self.device}, {self._group!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a negatron.Bank is spread over running processes and cannot be pickled or copied; bank.save(path) keeps it "
            "and negatron.Bank.load(group, path) brings it back"
        )
