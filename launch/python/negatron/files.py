"""Banks that lie in files: what `negatron bank` does, with the answer as data.

    from negatron import files
    files.info("run")["rows"]
    files.near("run", queries, top=5).ids

A path is that of a snapshot, or of a run, of which the newest snapshot that verifies is taken. Where a snapshot has
several banks, as that of a run with --bank-per-view has "view-b" and "view-a", `name` says which. Nothing is ever
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
from negatron.mistakes import assign, number, path_bytes, require_tensor, whole_number

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


def info(
    path: Path, *, name: str | None = None, sample: int = 2048, seed: int = 0, memory: int = 256
) -> dict[str, Any]:
    """What is in a bank: "rows", "filled", "width", "dtype", "name", "kind", "step", "shards", "keys" (sequence numbers,
    without the end), "bytes", "age", "labels" (how many rows each has), "norms", "uniformity" (Wang & Isola, ICML 2020, over
    `sample` rows drawn by `seed`) and others, as `negatron bank info --json` prints them. None for a number without a
    value. Local."""
    numbers = (whole_number("sample", sample, least=0), whole_number("seed", seed, least=0), _memory(memory))
    found = json.loads(_core.bank_info(path_bytes(path), _name(name), *numbers))
    found["labels"]["rows"] = {int(label): count for label, count in found["labels"]["rows"].items()}
    return found


def verify(path: Path, *, memory: int = 256) -> dict[str, Any]:
    """Every digest and everything else that must hold of a snapshot, or of all snapshots of a run: "good", and
    "snapshots", a dict for each with "path", "good", "files" ("file", "bytes", "good", "problem") and "not_part_of_it".
    Of several banks, all. A bank that is not good is no exception. Local."""
    return json.loads(_core.bank_verify(path_bytes(path), _memory(memory)))


def diff(
    a: Path, b: Path, *, name: str | None = None, tolerance: float = 0.0, memory: int = 256
) -> dict[str, Any]:
    """Compares two banks as sets of (id, step, vector), and their order and labels, however many files either lies in:
    "equal", "common", "only_a", "only_b", "other_vector", "same_order", "same_labels", and of rows that are the same key
    "pairs", "largest_difference" and "smallest_cosine". With a tolerance, numbers that differ by no more are equal.
    `name` chooses where there is a choice: one of two views may be compared with the bank of a run that has one. Local."""
    paths = (path_bytes(a), path_bytes(b))
    return json.loads(_core.bank_diff(*paths, _name(name), number("tolerance", tolerance), _memory(memory)))


def rows(
    path: Path,
    *,
    ids: torch.Tensor | Iterable[int] | None = None,
    labels: torch.Tensor | Iterable[int] | None = None,
    range: range | Sequence[int] | None = None,
    name: str | None = None,
    memory: int = 256,
) -> BankRows:
    """Some rows of a bank: those of samples, those with labels, or a range of sequence numbers, as range(first, end) or
    (first, end); `info(path)["keys"]` are all. Local."""
    return BankRows(*_core.bank_rows(path_bytes(path), _name(name), _choice(ids, labels, range), _memory(memory)))


def extract(
    path: Path,
    out: Path,
    *,
    ids: torch.Tensor | Iterable[int] | None = None,
    labels: torch.Tensor | Iterable[int] | None = None,
    range: range | Sequence[int] | None = None,
    name: str | None = None,
    memory: int = 256,
) -> dict[str, Any]:
    """The same rows into a new file: plain HDF5, or for OUT.npy arrays of numpy, OUT.npy, OUT.ids.npy and so on. Returns
    "path", "rows" (how many) and "ids_not_found" or "labels_not_found". Local."""
    choice = _choice(ids, labels, range)
    return json.loads(_core.bank_extract(path_bytes(path), path_bytes(out), _name(name), choice, _memory(memory)))


def near(
    path: Path,
    queries: torch.Tensor | None = None,
    *,
    ids: torch.Tensor | Iterable[int] | None = None,
    top: int = 10,
    normalize: bool = False,
    name: str | None = None,
    memory: int = 256,
) -> NearRows:
    """The rows of a bank with the largest scores, for each of the vectors `queries` [n, d], or for the samples `ids`, each
    once, whose newest keys are taken and whose other keys are passed over. Queries must be unit rows in a bank of such;
    `normalize` makes them that. Scores are computed in float64. Local."""
    if (queries is None) == (ids is None):
        raise ValueError("near takes either queries or ids")
    if queries is not None:
        require_tensor("queries", queries)
    request = _core.NearRequest(queries, [] if ids is None else _numbers("ids", ids))
    assign(request, top=whole_number("top", top), normalize=bool(normalize))
    return NearRows(*_core.bank_near(path_bytes(path), _name(name), request, _memory(memory)))


def reshard(path: Path, out: Path, ranks: int, *, memory: int = 256) -> dict[str, Any]:
    """The same snapshot, with all its banks, over another number of ranks, into the new directory `out`; a run can be
    resumed from it. Returns what is told of the new bank, of several of the first with the names of all as "banks".
    Local."""
    paths = (path_bytes(path), path_bytes(out))
    return json.loads(_core.bank_reshard(*paths, whole_number("ranks", ranks), _memory(memory)))


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
    newest survive (0: all fit). Only queues can be merged. `dtype` rounds all rows; without it banks must have one dtype.
    Returns what is told of the new bank, with "rows_read", "duplicates" and "dropped". Local."""
    # A text is a row of texts as well.
    if isinstance(paths, (str, bytes, os.PathLike)):
        raise TypeError(f"paths must be a list of paths, and {paths!r} is one")
    options = _core.MergeOptions()
    assign(options, rows=rows, ranks=ranks)
    if dtype is not None:
        options.set_dtype(dtype)
    sources = [path_bytes(path) for path in paths]
    return json.loads(_core.bank_merge(sources, path_bytes(out), options, _memory(memory)))


def import_rows(
    rows: torch.Tensor,
    out: Path,
    *,
    transpose: bool = False,
    normalize: bool = False,
    raw: bool = False,
    distance: bool = False,
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
        distance: rows keep them as well, for scores that are squared distances (`--head-output distance`).
        dtype: how they are stored; as they come, by default.
        capacity: rows of the bank, which is partly filled when there are more of them; 0 for as many.
        oldest: the row that is overwritten first, MoCo's queue_ptr.
        global_batch: the keys per step to lay it out for.
        ranks: how many files it lies in.

    Returns what is told of the new bank. Local."""
    require_tensor("rows", rows)
    options = _core.ImportOptions()
    assign(options, transpose=transpose, normalize=normalize, raw=raw, distance=distance, rows=capacity,
           oldest=oldest, global_batch=global_batch, ranks=ranks)
    if dtype is not None:
        options.set_dtype(dtype)
    return json.loads(_core.bank_import(rows, path_bytes(out), options, _memory(memory)))


def _name(given: Any) -> str:
    """Empty for the only bank."""
    if given is not None and not isinstance(given, str):
        raise TypeError(f"name must be a str, not {given!r}")
    return given or ""


def _memory(mib: Any) -> int:
    return whole_number("memory", mib, least=1)


def _numbers(name: str, values: Any) -> list[int]:
    values = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} must be several whole numbers, not {values!r}")
    return [whole_number(name, value) for value in values]


def _choice(ids: Any, labels: Any, keys: Any) -> tuple[list[int] | None, list[int] | None, tuple[int, int] | None]:
    if keys is not None:
        if isinstance(keys, range):
            if keys.step != 1:
                raise ValueError(f"range must go by steps of 1, not {keys.step}")
            keys = (keys.start, keys.stop)
        ends = _numbers("range", keys)
        if len(ends) != 2:
            raise ValueError(f"range must be two numbers, (first, end), not {len(ends)}")
        keys = (ends[0], ends[1])
    return (
        None if ids is None else _numbers("ids", ids),
        None if labels is None else _numbers("labels", labels),
        keys,
    )

