"""Wait for what has to happen, however slow the machine is: the only place of the tests that looks at a clock."""

from __future__ import annotations

import time
from collections.abc import Callable

HANG = 600.0  # seconds after which a test gives up, so that one that hangs ends; nothing else depends on it


def until(happened: Callable[[], object], what: Callable[[], object] = str, pause: float = 0.01) -> None:
    """Look again and again until something has happened; `what` says what there was instead."""
    end = time.monotonic() + HANG
    while not happened():
        assert time.monotonic() < end, f"waited in vain: {what()}"
        time.sleep(pause)
