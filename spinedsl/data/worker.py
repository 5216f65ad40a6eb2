"""What a worker process runs: takes a function, then tasks, and answers each; see `workers`."""

from __future__ import annotations

import contextlib
import pickle
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


def serve(handle: int) -> None:
    """Answer tasks over the connection until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal; whoever started this one ends it
    with Connection(handle) as connection, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        function, failed = _function(connection)
        while True:
            arguments = connection.recv()
            answer = (True, failed) if function is None else _answer(function, arguments)
            connection.send(answer)


def _function(connection: Connection) -> tuple[Callable[..., Any] | None, Exception | None]:
    """The function, or why it cannot be had here: its module may be the script that started this."""
    data = connection.recv_bytes()
    try:
        return pickle.loads(data), None  # noqa: S301 - from the process that started this one
    except Exception as error:  # noqa: BLE001 - whatever importing its module raises
        reason = f"a worker process cannot load what it should do ({error}): put it into a module that can be imported"
        return None, TypeError(f"{reason}, or use workers = 0")


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    """Whether it failed, and what came of it."""
    try:
        return False, function(*arguments)
    except Exception as error:  # noqa: BLE001 - raised again where the answer arrives
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        except Exception:  # noqa: BLE001 - an error that does not stand being sent
            return True, RuntimeError(f"{type(error).__name__}: {error}")
        return True, error
