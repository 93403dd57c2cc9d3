"""Mistakes of one rank alone. The other ranks are in a collective, or on their way into it; where one rank cannot come,
what it raises is told to them in the place of its first message, and all can go on."""

from __future__ import annotations

import contextlib
import operator
import os
from typing import Any, Iterator

import torch

from negatron import _core
from negatron.job import Group


@contextlib.contextmanager
def told_in_call(group: Group, call: str) -> Iterator[None]:
    """What is raised inside is a ValueError of the other ranks, which are in that call of a bank or a loss."""
    try:
        yield
    except Exception as error:
        with contextlib.suppress(ValueError, _core.CommError):
            _core.refuse_call(group._core, call, str(error))
        raise


@contextlib.contextmanager
def told_together(group: Group) -> Iterator[None]:
    """The same of ranks that evaluate together."""
    try:
        yield
    except Exception as error:
        with contextlib.suppress(ValueError, _core.CommError):
            _core.refuse_together(group._core, str(error))
        raise


@contextlib.contextmanager
def told_before(group: Group, what: str) -> Iterator[None]:
    """What is raised inside is a DisagreementError of the other ranks, which are about to agree on `what`."""
    try:
        yield
    except Exception as error:
        with contextlib.suppress(ValueError, _core.CommError):
            _core.agree(group._core, what, f"a mistake: {error}")
        raise


def require_tensor(name: str, value: Any) -> None:
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, not {type(value).__name__}")


def require_tensor_or_none(name: str, value: Any) -> None:
    if value is not None:
        require_tensor(name, value)


def whole_number(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None


def number(name: str, value: Any) -> float:
    """A bool or a text is none."""
    if isinstance(value, (str, bytes, bool)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None


def path_bytes(value: Any) -> bytes:
    """Names of files are bytes, which need not be UTF-8."""
    try:
        return os.fsencode(value)
    except TypeError:
        raise TypeError(f"a path must be a str or os.PathLike, not {value!r}") from None


def assign(options: Any, **values: Any) -> None:
    """Fields of an options object of the extension."""
    for name, value in values.items():
        try:
            setattr(options, name, value)
        except TypeError:
            raise TypeError(f"{name} cannot be {value!r}") from None
