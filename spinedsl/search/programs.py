"""Run a program of the user's: what it is given, and as much of what it prints as is wanted.

It may print without end, or leave something in the background that holds what it prints to open: neither fills the
memory, nor is waited for.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Sequence

from spinedsl.record import Record

CHUNK = 1 << 16  # bytes that are read or written at once
TAIL = 1 << 16  # bytes that are kept of what counts by its end
LINGER = 1.0  # seconds that what a program left running may go on printing
PAUSE = 0.1  # seconds between two looks at a program that prints nothing


class Done(Record):
    """How a program ended, and what it printed: all of it, its beginning or its end."""

    status: int
    out: str
    errors: str


class _Kept:
    """What is kept of a stream: the end of it, or so many bytes of its beginning, after which it is `full`."""

    def __init__(self, first: int | None) -> None:
        self.first, self.kept = first, bytearray()

    @property
    def full(self) -> bool:
        return self.first is not None and len(self.kept) >= self.first

    @property
    def text(self) -> str:
        wanted = self.kept[-TAIL:] if self.first is None else self.kept[: self.first]
        return wanted.decode("utf-8", "replace")

    def take(self, data: bytes) -> None:
        self.kept += data
        if self.first is None and len(self.kept) > 2 * TAIL:
            del self.kept[:-TAIL]


def run(words: Sequence[str], given: str, first: int | None = None) -> Done:
    """Run a program by its words, with a text on its standard input, until it ends.

    Args:
        words: the program and its arguments.
        given: what stands on its standard input.
        first: so many bytes of what it prints are kept, and one that prints more is ended, which counts as a status
            of 0. If not given, the last 64 KiB are kept. Of standard error it is always these.

    Raises:
        OSError, ValueError: it cannot be started.
    """
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)  # noqa: S603  the user asks for it
    out, errors = _Kept(first), _Kept(None)
    try:
        _exchange(process, given.encode(), out, errors)
        if out.full:
            process.kill()
        status = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            stream.close()
    return Done(0 if out.full else status, out.text, errors.text)


def _exchange(process: subprocess.Popen[bytes], given: bytes, out: _Kept, errors: _Kept) -> None:
    """Write and read until both streams end, `out` is full, or the program has ended and nothing more comes."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    left = memoryview(given)
    ended: float | None = None  # when the program was seen to have ended
    with selectors.DefaultSelector() as streams:
        for stream, kept in ((process.stdin, None), (process.stdout, out), (process.stderr, errors)):
            os.set_blocking(stream.fileno(), False)
            streams.register(stream, selectors.EVENT_READ if kept else selectors.EVENT_WRITE, kept)
        while any(key.data is not None for key in streams.get_map().values()) and not out.full:
            for key, _ in streams.select(PAUSE):
                if key.data is None:
                    left = left[_written(key.fd, left[:CHUNK]) :]
                    over = not left
                else:
                    data = os.read(key.fd, CHUNK)
                    key.data.take(data)
                    over = not data
                if over:
                    streams.unregister(key.fileobj)
                if over and key.data is None:
                    process.stdin.close()
            if ended is not None and time.monotonic() - ended > LINGER:
                return  # what it wrote itself was read: a pipe holds no more than a chunk
            if ended is None and process.poll() is not None:
                ended = time.monotonic()


def _written(file: int, data: memoryview) -> int:
    """How much of the input a program took, which is all of it for one that has closed its input."""
    try:
        return os.write(file, data) if data else 0
    except BrokenPipeError:
        return len(data)
