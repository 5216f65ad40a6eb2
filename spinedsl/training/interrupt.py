"""Interruptions: what is asked of a run from outside, by Ctrl-C or by a scheduler that ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interruptible(ask: Callable[[], bool]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM `ask` for an end instead of making one. Where it says no, as a second time, they do."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: object) -> None:
        if not ask():
            raise KeyboardInterrupt

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
