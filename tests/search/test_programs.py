"""Programs of the user's are run to their end, whatever they print, read, close or leave behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from spinedsl.search import programs
from spinedsl.search.programs import LINGER, TAIL
from tests.patience import until


def of_python(body: str) -> list[str]:
    return [sys.executable, "-c", f"import os, sys\n{body}"]


def test_what_is_given_and_printed_passes_whole() -> None:
    text = "".join(f"ü {number}\n" for number in range(300_000))
    body = "t = sys.stdin.read(); print(t, end=''); print(t[-7:], file=sys.stderr)"
    done = programs.run(of_python(body), text, first=2**23)
    assert (done.status, done.out, done.errors.strip()) == (0, text, "299999")


@pytest.mark.parametrize(("body", "status"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("pass", 0)])
def test_how_it_ended(body: str, status: int) -> None:
    assert programs.run(of_python(body), "given") == programs.Done(status, "", "")


def test_of_much_that_is_printed_the_end_is_kept() -> None:
    body = "for n in range(3000): print('x' * 1000); print('y' * 1000, file=sys.stderr)\nprint(0.5)"
    done = programs.run(of_python(body), "")
    assert done.out.endswith("x\n0.5\n")
    assert done.errors.endswith("y\n")
    assert len(done.out) == len(done.errors) == TAIL


def test_one_that_prints_without_end_is_ended() -> None:
    done = programs.run(of_python("while True: print('x' * 1000)"), "", first=100_000)
    assert (done.status, len(done.out)) == (0, 100_000)


@pytest.mark.parametrize("body", ["os.close(0); print(1)", "print(1)", "os.read(0, 1); print(1)"])
def test_one_may_leave_its_input_unread(body: str) -> None:
    assert programs.run(of_python(body), "x" * 5_000_000) == programs.Done(0, "1\n", "")


@contextmanager
def ended_at_last(file: Path) -> Iterator[None]:
    """Whose number stands in a file, is ended in the end."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)


def test_what_is_left_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    """It holds the streams open, and would go on for longer than any test."""
    file = tmp_path / "number"
    with ended_at_last(file):
        body = 'sleep 3600 & echo $! > "$0"; head -c 60000 /dev/zero; echo 2.5'
        done = programs.run(["sh", "-c", body, str(file)], "")
        os.kill(int(file.read_text()), 0)
        assert (done.status, done.out[-5:]) == (0, "\x002.5\n")


def test_what_comes_a_little_later_is_heard() -> None:
    done = programs.run(["sh", "-c", f"(sleep {LINGER / 10}; echo 2.5) & exit 0"], "")
    assert done == programs.Done(0, "2.5\n", "")


def test_it_is_ended_where_the_search_is(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        until(file.exists)
        raise KeyboardInterrupt

    file = tmp_path / "number"
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            programs.run(["sh", "-c", 'echo $$ > "$0.new"; mv "$0.new" "$0"; exec sleep 3600', str(file)], "")
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


def test_one_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        programs.run([str(tmp_path / "absent")], "")
    with pytest.raises(ValueError, match="null"):
        programs.run(["a\0b"], "")
