"""Which samplers and objectives there are, as data."""

from __future__ import annotations

from typing import Any, Mapping

from negatron import _core


def samplers() -> list[dict[str, Any]]:
    """What may pick negatives from a bank: a dict for each, with "name", "paper", "summary", "options", "effects", "needs"
    and "makes_positives". An option has "name", "default", "help", "minimum", "maximum" and "choices". Formulas and
    sources are in samplers/negative_samplers/SAMPLERS.md. Local."""
    return _core.samplers()


def objectives() -> list[dict[str, Any]]:
    """The losses: a dict for each, with "name", "paper", "summary", "options" as those of samplers, "negatives" (where they
    may come from; the first is the default), "needs_labels", "needs_predictor" and "uses_temperature". Formulas and
    sources are in samplers/objectives/LOSSES.md. Local."""
    return _core.objectives()


def option_text(options: Mapping[str, Any] | str | None) -> str:
    """As the command line takes options: {"n": 1024, "attached": True} is "n=1024,attached=on". A list of numbers has /
    between them."""
    if options is None:
        return ""
    if isinstance(options, str):
        return options
    return ",".join(f"{name}={_value_text(value)}" for name, value in options.items())


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return "/".join(_value_text(number) for number in value)
    return str(value)
