"""The learning rate of each step, as a pure function.

In: a `Schedule`, all of whose lengths are in steps, and a step from 0. Out: what the base rate is multiplied by.
"""

from __future__ import annotations

import math

from spinedsl.record import Record

KINDS = ("cosine", "step", "constant")


class Schedule(Record):
    """How the rate goes: up from `warm_up_from` in `warm_up` steps, then as its kind says, down to `floor`.

    `cosine` falls along half a cosine until step `total`; `step` is multiplied by `factor` at each of `milestones`.
    """

    kind: str
    total: int
    warm_up: int = 0
    warm_up_from: float = 0.0
    milestones: tuple[int, ...] = ()
    factor: float = 0.1
    floor: float = 0.0

    def rate(self, step: int) -> float:
        """What the base rate is multiplied by in this step."""
        if step < self.warm_up:
            return self.warm_up_from + (1 - self.warm_up_from) * (step + 1) / self.warm_up
        if self.kind == "cosine":
            part = min(1.0, (step - self.warm_up) / max(1, self.total - self.warm_up))
            return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * part))
        if self.kind == "step":
            return max(self.floor, self.factor ** sum(step >= milestone for milestone in self.milestones))
        return 1.0
