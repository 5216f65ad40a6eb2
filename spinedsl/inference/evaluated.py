"""An evaluation for the card of an exported model: the `eval.json` that `spine eval` wrote for the same network.

In: a path, and the digest of the network. Out: what the file says, or why it does not belong to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl import reading
from spinedsl.diagnostics import Outcome
from spinedsl.inference.threshold import FORMAT, VERSION
from spinedsl.settings import is_number
from spinedsl.source import Source

NEEDED = {"images": int, "data": str, "level": float, "figures": dict}


def read_evaluation(path: Path, digest: str) -> Outcome[Mapping[str, Any]]:
    """What an eval.json says of the network with this digest."""
    return reading.read(path).then(lambda source: _of(source, str(path), digest))


def _of(source: Source, path: str, digest: str) -> Outcome[Mapping[str, Any]]:
    try:
        held = json.loads(source.text)
    except (ValueError, RecursionError):
        return _none(source, path, "it is not JSON")
    if not isinstance(held, dict) or FORMAT not in held:
        return _none(source, path, "`spine eval` did not write it")
    if held[FORMAT] != VERSION:
        return _none(source, path, f"it is of version {held[FORMAT]}, and this spinedsl knows {VERSION}")
    if held.get("digest") != digest:
        theirs = f"network `{held.get('network')}`, step {held.get('step')}"
        return _none(source, path, f"it is of another network ({theirs}, with another digest)")
    if not all(isinstance(held.get(name), kind) for name, kind in NEEDED.items()) or not _are_figures(held["figures"]):
        return _none(source, path, "its figures cannot be read")
    return Outcome(held)


def _are_figures(figures: Mapping[str, Any]) -> bool:
    """A value and the ends of its interval for each, or null."""
    return all(
        isinstance(one, dict)
        and all(one.get(key) is None or is_number(one[key]) for key in ("value", "low", "high"))
        and {"value", "low", "high"} <= one.keys()
        for one in figures.values()
    )


def _none(source: Source, path: str, reason: str) -> Outcome[Mapping[str, Any]]:
    found = say.OTHER_EVALUATION.at(source.span(0, 0), path=path, reason=reason)
    return Outcome(None, (found.with_fix("`spine eval CHECKPOINT -o FOLDER` writes one: FOLDER/eval.json"),))
