"""Count lines: how much a task does, in numbers that are the same on every machine, busy or not.

`spinedsl.testing.steps` counts calls of functions, fast enough for 64 KiB of text. Lines see every loop too, and take
ten times as long: they are for small tasks whose growth is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines(task: Callable[[], object]) -> int:
    """How many lines of Python a task runs, one more for each time round a loop. A tracer at work rests meanwhile."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        task()
    finally:
        sys.settrace(before)
    return count
