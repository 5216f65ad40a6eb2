"""An `eval.json` that `spine eval` wrote, read again: for the threshold that it chose, or for the card of a model.

In: a path, and the engine of the network that it has to be of. Out: what the file says, or why it is of no use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl import reading
from spinedsl.diagnostics import Outcome
from spinedsl.inference.engine import Engine
from spinedsl.inference.using import other_network
from spinedsl.settings import is_number
from spinedsl.source import Source, Span

FORMAT = "spine.evaluation"  # the key of an eval.json, with its version
VERSION = 1
NEEDED = {"images": int, "data": str, "level": float, "figures": dict}  # for a card
FIX = "`spine eval -o FOLDER` of this network writes one: FOLDER/eval.json"


def read_evaluation(path: str, engine: Engine) -> Outcome[Mapping[str, Any]]:
    """What an evaluation of this network says, as far as every one does."""
    return reading.read(Path(path)).then(lambda source: _of(source, path, engine))


def read_figures(path: str, engine: Engine) -> Outcome[Mapping[str, Any]]:
    """The same, whose figures can be read: for each a value and the ends of its interval."""

    def whole(held: Mapping[str, Any]) -> Outcome[Mapping[str, Any]]:
        there = all(isinstance(held.get(name), kind) for name, kind in NEEDED.items())
        return Outcome(held) if there and _are_figures(held["figures"]) else unfit(path, "its figures cannot be read")

    return read_evaluation(path, engine).then(whole)


def unfit(path: str, reason: str, at: Span | None = None) -> Outcome[Any]:
    """The evaluation cannot serve."""
    found = say.NOT_AN_EVALUATION.at(at or Source(path, "").span(0, 0), path=path, reason=reason)
    return Outcome(None, (found.with_fix(FIX),))


def _of(source: Source, path: str, engine: Engine) -> Outcome[Mapping[str, Any]]:
    try:
        held = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        at = min(getattr(error, "pos", 0), len(source.text))
        return unfit(path, f"it is not JSON ({getattr(error, 'msg', 'nested too deep')})", source.span(at, at))
    if not isinstance(held, dict) or FORMAT not in held:
        return unfit(path, "`spine eval` did not write it")
    if held[FORMAT] != VERSION:
        return unfit(path, f"it is of version {held[FORMAT]}, and this spinedsl knows {VERSION}")
    names, digest, step = (held.get(name) for name in ("network", "digest", "step"))
    if not isinstance(digest, str) or not isinstance(step, int):
        return unfit(path, "it does not say of which network it is")
    if digest != engine.digest:
        return Outcome(None, (other_network(path, str(names), step, digest, engine),))
    return Outcome(held)


def _are_figures(figures: Mapping[str, Any]) -> bool:
    """A value and the ends of its interval for each, or null."""
    return all(
        isinstance(one, dict)
        and all(one.get(key) is None or is_number(one[key]) for key in ("value", "low", "high"))
        and {"value", "low", "high"} <= one.keys()
        for one in figures.values()
    )
