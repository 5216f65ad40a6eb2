"""Memory that a piece of work adds to this process at its fullest moment, where Linux tells.

What was freed before goes back to the system first, and so is not mistaken for memory that was there already.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET = "5"  # sets the high-water mark to what is used now


def added_by(work: Callable[[], T]) -> tuple[T, int | None]:
    """What the work gives, and the bytes that it added at most; None where the system does not tell."""
    _trim()
    try:
        CLEAR.write_text(RESET)
        before = _held("VmRSS")
    except OSError:
        return work(), None
    result = work()
    after = _held("VmHWM")
    return result, None if before is None or after is None else max(0, after - before)


def _held(name: str) -> int | None:
    found = re.search(rf"^{name}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    return None if found is None else 1024 * int(found[1])


def _trim() -> None:
    """Let the allocator return what is free."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # of another C library
        return
