"""Worker processes: the same function of many tasks, in processes of their own, that leave nothing behind.

In: a function and tasks, which pickle can send. Out: what the function returns for each task, as it gets done; or what
it raised. A worker is a new Python that runs `worker.serve`: nothing is copied from the process that started it,
neither its threads nor its locks, and its script is not run a second time. A worker ends when its connection does, so
none outlives whoever started it, whatever ended that one. One that ends by itself is noticed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterator
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import Any, Self

from spinedsl.record import Record

START = "import sys; sys.path[:] = {path!r}; from spinedsl.data.worker import serve; serve({handle})"
# What a picture was decoded into is given back and asked for again thousands of times: without this glibc returns it to
# the system each time, and getting it anew takes as long as decoding. Others do not read these.
KEEPS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**27)}
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # a worker is the unit of parallel work


class WorkerDied(RuntimeError):
    """A worker process ended while it had work. `pid`, `reason` and `task` say which, how, and doing what."""

    def __init__(self, pid: int, reason: str, task: object) -> None:
        self.pid, self.reason, self.task = pid, reason, task
        super().__init__(
            f"a worker (process {pid}) {reason} while it made {task}. If memory ran out, fewer workers or smaller "
            f"batches help; with workers = 0 all is done in the one process, which shows what goes wrong"
        )

    def __reduce__(self) -> tuple[type[WorkerDied], tuple[int, str, object]]:
        return WorkerDied, (self.pid, self.reason, self.task)


class Closed(RuntimeError):
    """Workers that were closed are asked for something: no answer would ever come."""

    def __init__(self) -> None:
        super().__init__("these workers were closed")


class NotSent(TypeError):
    """What a worker should do cannot be sent to it."""


class _Worker(Record, frozen=False, eq=False):
    """A process, the connection to it, and the keys of what it was given and has not answered, in order."""

    process: subprocess.Popen[bytes]
    connection: Connection
    pending: list[Hashable]


class Workers:
    """`count` processes that compute `function(*arguments)` for tasks with keys. Close them, or use `with`."""

    def __init__(self, function: Callable[..., Any], count: int) -> None:
        self._workers: list[_Worker] = []
        try:
            for _ in range(count):
                self._workers.append(_started())
            for worker in self._workers:
                _send(worker, function)
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return [worker.process.pid for worker in self._workers]

    @property
    def pending(self) -> int:
        """Tasks that were given and not answered yet."""
        return sum(len(worker.pending) for worker in self._workers)

    def give(self, key: Hashable, *arguments: object) -> None:
        """Give a task to the worker that has least to do. The key says in errors which one it is.

        Raises:
            Closed: there are no workers any more.
        """
        if not self._workers:
            raise Closed
        worker = min(self._workers, key=lambda one: len(one.pending))
        worker.pending.append(key)
        _send(worker, arguments)

    def answers(self) -> Iterator[tuple[Any, Any]]:
        """What is answered next, at least one: keys and results. Waits for it.

        Raises:
            WorkerDied: a worker ended.
            Closed: there are no workers any more, or none has anything to do.
            Exception: whatever the function raised.
        """
        by_connection = {worker.connection: worker for worker in self._workers if worker.pending}
        if not by_connection:
            raise Closed
        for connection in wait(list(by_connection)):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                failed, result = worker.connection.recv()
            except (EOFError, OSError):
                raise _died(worker) from None
            key = worker.pending.pop(0)
            if failed:
                raise result
            yield key, result

    def close(self) -> None:
        """End all processes at once: they hold nothing that has to be saved."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.connection.close()
            worker.process.wait()
        self._workers = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _started() -> _Worker:
    ours, theirs = Pipe()
    with theirs:
        code = START.format(path=sys.path, handle=theirs.fileno())
        process = subprocess.Popen(  # noqa: S603 - this Python, and code of ours
            [sys.executable, "-c", code],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=KEEPS_MEMORY | os.environ | dict.fromkeys(ONE_THREAD, "1"),
        )
    return _Worker(process, ours, [])


def _send(worker: _Worker, what: object) -> None:
    try:
        worker.connection.send(what)
    except OSError:
        raise _died(worker) from None
    except (TypeError, AttributeError, ValueError) as error:  # of pickling
        raise NotSent(f"it cannot be sent to a worker process ({error}): use workers = 0") from None
    except Exception as error:
        if type(error).__name__ == "PicklingError":
            raise NotSent(f"it cannot be sent to a worker process ({error}): use workers = 0") from None
        raise


def _died(worker: _Worker) -> WorkerDied:
    status = worker.process.wait()
    reason = f"ended with status {status}"
    if status < 0:
        with contextlib.suppress(ValueError):
            reason = f"was ended by {signal.Signals(-status).name}"
    return WorkerDied(worker.process.pid, reason, worker.pending[0] if worker.pending else "a start")


def usual_workers() -> int:
    """How many workers there are if nobody says: the cores that this process may use, up to 8."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
