"""Banks that lie in files: what `negatron bank` does, with the answer as data.

    from negatron import files
    files.info("run")["rows"]
    files.near("run", queries, top=5).ids

A path is that of a snapshot, or of a run, of which the newest snapshot that verifies is taken. Nothing is ever
overwritten. All functions are local: one process calls them, and needs no group. `memory` is how many MiB rows may take
while they are worked on, beside what is returned. They raise ValueError for what cannot be done as asked, and
SnapshotError for files that are damaged or cannot be read or written.
"""

from __future__ import annotations

import json
import os
from typing import Any, Iterable, NamedTuple, Sequence

import torch

from negatron import _core
from negatron.mistakes import assign, path_bytes, require_tensor, whole_number

Path = str | os.PathLike[str]

__all__ = ["BankRows", "NearRows", "diff", "extract", "import_rows", "info", "merge", "near", "reshard", "rows", "verify"]


class BankRows(NamedTuple):
    """n rows of a bank, the oldest first; -1 where an id, a label or a step is unknown."""

    vectors: torch.Tensor  # [n, d] in the bank's dtype
    ids: torch.Tensor  # [n] int64, as the next three
    labels: torch.Tensor
    steps: torch.Tensor
    sequence: torch.Tensor  # how many keys came before, since the bank's first
    missing: list[int]  # the ids or labels asked for that no row has
    notes: list[str]  # what people should hear about how the snapshot was chosen, as "notes" of `info`


class NearRows(NamedTuple):
    """For each of n queries the rows of a bank with the largest scores, best first, of equal scores the older one. Where
    a bank has fewer, the score is -inf and the rest -1."""

    scores: torch.Tensor  # [n, top] float64, inner products: cosines in a bank of unit rows
    sequence: torch.Tensor  # [n, top] int64, as the next three
    ids: torch.Tensor
    labels: torch.Tensor
    steps: torch.Tensor
    samples: torch.Tensor  # [n] int64, the id of a query that is a sample, else -1
    missing: list[int]  # the ids asked for that no row has
    notes: list[str]  # as those of BankRows


def info(path: Path, *, sample: int = 2048, seed: int = 0, memory: int = 256) -> dict[str, Any]:
    """What is in a bank: "rows", "filled", "width", "dtype", "kind", "step", "shards", "keys" (sequence numbers, without
    the end), "bytes", "age", "labels" (how many rows each has), "norms", "uniformity" (Wang & Isola, ICML 2020, over
    `sample` rows drawn by `seed`) and others, as `negatron bank info --json` prints them. None for a number without a
    value. Local."""
    found = json.loads(_core.bank_info(path_bytes(path), whole_number("sample", sample), seed, memory))
    found["labels"]["rows"] = {int(label): count for label, count in found["labels"]["rows"].items()}
    return found


def verify(path: Path, *, memory: int = 256) -> dict[str, Any]:
    """Every digest and everything else that must hold of a snapshot, or of all snapshots of a run: "good", and
    "snapshots", a dict for each with "path", "good", "files" ("file", "bytes", "good", "problem") and "not_part_of_it".
    A bank that is not good is no exception. Local."""
    return json.loads(_core.bank_verify(path_bytes(path), memory))


def diff(a: Path, b: Path, *, tolerance: float = 0.0, memory: int = 256) -> dict[str, Any]:
    """Compares two banks as sets of (id, step, vector), and their order and labels, however many files either lies in:
    "equal", "common", "only_a", "only_b", "other_vector", "same_order", "same_labels", and of rows that are the same key
    "pairs", "largest_difference" and "smallest_cosine". With a tolerance, numbers that differ by no more are equal.
    Local."""
    return json.loads(_core.bank_diff(path_bytes(a), path_bytes(b), tolerance, memory))


def rows(
    path: Path,
    *,
    ids: torch.Tensor | Iterable[int] | None = None,
    labels: torch.Tensor | Iterable[int] | None = None,
    range: range | Sequence[int] | None = None,
    memory: int = 256,
) -> BankRows:
    """Some rows of a bank: those of samples, those with labels, or a range of sequence numbers, as range(first, end) or
    (first, end); `info(path)["keys"]` are all. Local."""
    return BankRows(*_core.bank_rows(path_bytes(path), _choice(ids, labels, range), memory))


def extract(
    path: Path,
    out: Path,
    *,
    ids: torch.Tensor | Iterable[int] | None = None,
    labels: torch.Tensor | Iterable[int] | None = None,
    range: range | Sequence[int] | None = None,
    memory: int = 256,
) -> dict[str, Any]:
    """The same rows into a new file: plain HDF5, or for OUT.npy arrays of numpy, OUT.npy, OUT.ids.npy and so on. Returns
    "path", "rows" (how many) and "ids_not_found" or "labels_not_found". Local."""
    return json.loads(_core.bank_extract(path_bytes(path), path_bytes(out), _choice(ids, labels, range), memory))


def near(
    path: Path,
    queries: torch.Tensor | None = None,
    *,
    ids: torch.Tensor | Iterable[int] | None = None,
    top: int = 10,
    normalize: bool = False,
    memory: int = 256,
) -> NearRows:
    """The rows of a bank with the largest scores, for each of the vectors `queries` [n, d], or for the samples `ids`, each
    once, whose newest keys are taken and whose other keys are passed over. Queries must be unit rows in a bank of such;
    `normalize` makes them that. Scores are computed in float64. Local."""
    if (queries is None) == (ids is None):
        raise ValueError("near takes either queries or ids")
    if queries is not None:
        require_tensor("queries", queries)
    wanted = [] if ids is None else _numbers("ids", ids)
    choice = (whole_number("top", top), bool(normalize))
    return NearRows(*_core.bank_near(path_bytes(path), queries, wanted, choice, memory))


def reshard(path: Path, out: Path, ranks: int, *, memory: int = 256) -> dict[str, Any]:
    """The same snapshot over another number of ranks, into the new directory `out`; a run can be resumed from it. Returns
    what is told of the new bank. Local."""
    return json.loads(_core.bank_reshard(path_bytes(path), path_bytes(out), whole_number("ranks", ranks), memory))


def merge(
    paths: Iterable[Path],
    out: Path,
    *,
    rows: int = 0,
    dtype: torch.dtype | None = None,
    ranks: int = 1,
    memory: int = 256,
) -> dict[str, Any]:
    """The union of two or more banks, the same (id, step, vector) once, as the new bank `out` of `rows` rows, of which the
    newest survive (0: all fit). `dtype` rounds all rows; without it banks must have one dtype. Returns what is told of
    the new bank, with "rows_read", "duplicates" and "dropped". Local."""
    options = _core.MergeOptions()
    assign(options, rows=rows, ranks=ranks)
    if dtype is not None:
        options.set_dtype(dtype)
    return json.loads(_core.bank_merge([path_bytes(path) for path in paths], path_bytes(out), options, memory))


def import_rows(
    rows: torch.Tensor,
    out: Path,
    *,
    transpose: bool = False,
    normalize: bool = False,
    raw: bool = False,
    dtype: torch.dtype | None = None,
    capacity: int = 0,
    oldest: int = 0,
    global_batch: int = 256,
    ranks: int = 1,
    memory: int = 256,
) -> dict[str, Any]:
    """A matrix [K, d] of unit rows as the new bank `out`, a queue that `Bank.load` and `negatron pretrain --bank` take.

    Args:
        transpose: it is [d, K], as the queue of PyTorch's MoCo is.
        normalize: makes unit rows of it; else rows of another length are refused.
        raw: rows keep their lengths.
        dtype: how they are stored; as they come, by default.
        capacity: rows of the bank, which is partly filled when there are more of them; 0 for as many.
        oldest: the row that is overwritten first, MoCo's queue_ptr.
        global_batch: the keys per step to lay it out for.
        ranks: how many files it lies in.

    Returns what is told of the new bank. Local."""
    require_tensor("rows", rows)
    options = _core.ImportOptions()
    assign(options, transpose=transpose, normalize=normalize, raw=raw, rows=capacity, oldest=oldest,
           global_batch=global_batch, ranks=ranks)
    if dtype is not None:
        options.set_dtype(dtype)
    return json.loads(_core.bank_import(rows, path_bytes(out), options, memory))


def _numbers(name: str, values: Any) -> list[int]:
    values = values.tolist() if hasattr(values, "tolist") else values
    return [whole_number(name, value) for value in values]


def _choice(ids: Any, labels: Any, keys: Any) -> tuple[list[int] | None, list[int] | None, tuple[int, int] | None]:
    if keys is not None:
        if isinstance(keys, range):
            if keys.step != 1:
                raise ValueError(f"range must go by steps of 1, not {keys.step}")
            keys = (keys.start, keys.stop)
        first, end = _numbers("range", keys)
        keys = (first, end)
    return (
        None if ids is None else _numbers("ids", ids),
        None if labels is None else _numbers("labels", labels),
        keys,
    )

