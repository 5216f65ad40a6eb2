"""A threshold: from which similarity on two vectors are taken for one person, and the file that it comes from.

In: the `eval.json` of an evaluation. Out: the `Threshold` that was chosen, or why there is none for a network.
"""

from __future__ import annotations

import json
from pathlib import Path

from spinedsl import checks as say
from spinedsl import reading
from spinedsl.diagnostics import Outcome
from spinedsl.inference.engine import Engine
from spinedsl.inference.using import other_network
from spinedsl.record import Record
from spinedsl.settings import is_number
from spinedsl.source import Source

FORMAT = "spine.evaluation"  # the key of an eval.json, with its version
VERSION = 1


class Threshold(Record):
    """From which similarity on two images are of one person, and how that was chosen. None: nothing is accepted."""

    value: float | None
    how: str

    def __str__(self) -> str:
        return f"{'none' if self.value is None else f'{self.value:.6g}'}: {self.how}"


def read_threshold(path: str, engine: Engine) -> Outcome[Threshold]:
    """The threshold of an evaluation of this network."""
    return reading.read(Path(path)).then(lambda source: _of(source, path, engine))


def _of(source: Source, path: str, engine: Engine) -> Outcome[Threshold]:
    try:
        held = json.loads(source.text)
    except (json.JSONDecodeError, RecursionError) as error:
        at = min(getattr(error, "pos", 0), len(source.text))
        reason = f"it is not JSON ({getattr(error, 'msg', 'nested too deep')})"
        return Outcome(None, (say.NOT_AN_EVALUATION.at(source.span(at, at), path=path, reason=reason),))
    if not isinstance(held, dict) or FORMAT not in held:
        return _none(source, path, "`spine eval` did not write it")
    if held[FORMAT] != VERSION:
        return _none(source, path, f"it is of version {held[FORMAT]}, and this spinedsl knows {VERSION}")
    names, digest, step = (held.get(name) for name in ("network", "digest", "step"))
    if not isinstance(digest, str) or not isinstance(step, int):
        return _none(source, path, "it does not say of which network it is")
    if digest != engine.digest:
        return Outcome(None, (other_network(path, str(names), step, digest, engine),))
    threshold = held.get("threshold")
    if not isinstance(threshold, dict):
        return _none(source, path, "it chose none")
    value = threshold.get("value")
    if value is not None and not is_number(value):
        return _none(source, path, "its threshold is no number")
    return Outcome(Threshold(None if value is None else float(value), str(threshold.get("how", ""))))


def _none(source: Source, path: str, reason: str) -> Outcome[Threshold]:
    found = say.NOT_AN_EVALUATION.at(source.span(0, 0), path=path, reason=reason)
    return Outcome(None, (found.with_fix("`spine eval -o FOLDER` of this network writes one: FOLDER/eval.json"),))
