"""Mistakes of one rank alone. The other ranks are in a collective, or on their way into it; where one rank cannot come,
what it raises is told to them in the place of its first message, and all can go on."""

from __future__ import annotations

import contextlib
import operator
import os
from typing import TYPE_CHECKING, Any, Iterator

import torch

from negatron import _core

if TYPE_CHECKING:
    from negatron.job import Group

_END_OF_64_BITS = 2**63


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


def whole_number(name: str, value: Any, least: int | None = None) -> int:
    """One that 64 bits hold, of at least `least`."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None
    if least is not None and whole < least:
        raise ValueError(f"{name} must be at least {least}, not {whole}")
    if not -_END_OF_64_BITS <= whole < _END_OF_64_BITS:
        raise ValueError(f"{name} must be a whole number of 64 bits, not {whole}")
    return whole


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
