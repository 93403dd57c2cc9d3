"""The bank: the last K keys of all ranks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import torch

from negatron import _core
from negatron.job import Group

if TYPE_CHECKING:
    import numpy


class HardestRows(NamedTuple):
    """The N best rows of a bank for each of b queries, best first."""

    scores: torch.Tensor  # [b, N] float32, -inf where the bank has fewer rows
    slots: torch.Tensor  # [b, N] int64, -1 there
    ids: torch.Tensor  # [b, N] int64, -1 for a random row of the start


def _with_index(device: torch.device | str) -> torch.device:
    device = torch.device(device)
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device


class Bank:
    """A first-in first-out queue of K keys over all ranks of a group, as MoCo's (He et al., CVPR 2020), of which each rank
    keeps the keys that it made. The union of the shards is exactly the queue of one device (samplers/bank/BANK.md 1).

    Args:
        group: the ranks, as `init` gives them.
        rows: K, over all ranks. Any number.
        width: d, the length of a key.
        dtype: how rows are stored: float64, float32, bfloat16 or float16.
        device: where this rank's shard lies, and queries and keys with it.
        fill: "random" begins with random unit rows, as MoCo does; "empty" with none.
        seed: of the random rows, which are the same for any number of ranks.
        global_batch: the keys per step over all ranks to lay the bank out for. Others are right too, and cost a move of
            the shard the first time that they do not fit.

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
        fill: str = "random",
        seed: int = 0,
        global_batch: int = 256,
    ) -> None:
        options = _core.BankOptions()
        options.rows = rows
        options.width = width
        options.seed = seed
        options.global_batch = global_batch
        options.set_dtype(dtype)
        options.set_device(_with_index(device))
        options.set_fill(fill)
        self._group = group
        self._core = _core.Bank(group._core, options)

    @classmethod
    def load(
        cls,
        group: Group,
        path: str | os.PathLike[str],
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> Bank:
        """The bank that `save`, or a run of `negatron pretrain`, left at `path`: a snapshot, or a run, of which the newest
        snapshot that verifies is taken. On any number of ranks it is the same bank. `dtype` converts its rows.

        Collective. Raises SnapshotError where there is no bank, or none that is whole.
        """
        bank = cls.__new__(cls)
        bank._group = group
        bank._core = _core.Bank.load(group._core, os.fspath(path), _with_index(device), dtype)
        return bank

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the bank of all ranks into the new directory `path`, as a snapshot without a trainer: `Bank.load`,
        `negatron bank` and `negatron pretrain --bank` read it, and bank.h5 in it is one bank for h5py.

        Collective. Raises SnapshotError, among others where `path` exists; then nothing is left of it.
        """
        self._core.save(os.fspath(path))

    def enqueue(self, k: torch.Tensor, ids: torch.Tensor | None = None, labels: torch.Tensor | None = None) -> None:
        """Appends the keys of all ranks, in the order of the ranks, and lets the oldest expire. After the loss, so that no
        query meets its own key.

        Args:
            k: [b, d] unit rows of any floating dtype on the bank's device; copied, without gradient. Ranks may bring
                different numbers of them.
            ids: [b] int64, which samples they are. A query with the same id leaves its own rows out.
            labels: [b] int64, for objectives and samplers that go by label.

        Collective. Raises ValueError, or DisagreementError, on all ranks before any key travels.
        """
        self._core.enqueue(k, ids, labels)

    def hardest(self, q: torch.Tensor, n: int) -> HardestRows:
        """The n rows of the whole bank that score highest with each query, exactly, ties to the lower slot
        (samplers/exchange/EXCHANGE.md 2).

        Args:
            q: [b, d] float32 or float64.
            n: at most K.

        Collective. Local for one rank.
        """
        return HardestRows(*self._core.hardest(q.detach(), n))

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
        """How often keys were enqueued; a bank that was loaded goes on counting."""
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
        return f"negatron.Bank({self.rows} x {self.width} {self.dtype} on {self.device}, {self._group!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a negatron.Bank is spread over running processes and cannot be pickled or copied; bank.save(path) keeps it "
            "and negatron.Bank.load(group, path) brings it back"
        )
