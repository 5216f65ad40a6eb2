"""A threshold: from which similarity on two vectors are taken for one person, and the file that it comes from.

In: the `eval.json` of an evaluation. Out: the `Threshold` that was chosen, or why there is none for a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinedsl.diagnostics import Outcome
from spinedsl.inference.engine import Engine
from spinedsl.inference.evaluated import read_evaluation, unfit
from spinedsl.record import Record
from spinedsl.settings import is_number


class Threshold(Record):
    """From which similarity on two images are of one person, and how that was chosen. None: nothing is accepted."""

    value: float | None
    how: str

    def __str__(self) -> str:
        return f"{'that nothing reaches' if self.value is None else f'{self.value:.6g}'}: {self.how}"


def read_threshold(path: str, engine: Engine) -> Outcome[Threshold]:
    """The threshold of an evaluation of this network."""

    def chosen(held: Mapping[str, Any]) -> Outcome[Threshold]:
        threshold = held.get("threshold")
        if not isinstance(threshold, dict):
            return unfit(path, "it chose no threshold")
        value = threshold.get("value")
        if value is not None and not is_number(value):
            return unfit(path, "its threshold is no number")
        return Outcome(Threshold(None if value is None else float(value), str(threshold.get("how", ""))))

    return read_evaluation(path, engine).then(chosen)
