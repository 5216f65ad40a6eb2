"""Steps: what a task costs, as a number that no other program, and no other machine, changes.

In: a task. Out: what it gives, and how many functions it called, ours and built-in ones alike. Time is for benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable
from cProfile import Profile
from typing import TypeVar

T = TypeVar("T")


def stepped(task: Callable[[], T]) -> tuple[T, int]:
    """What a task gives, and its steps: the calls of functions in it. A profiler at work would have to end first."""
    profile = Profile()
    value = profile.runcall(task)
    return value, sum(entry.callcount for entry in profile.getstats())
