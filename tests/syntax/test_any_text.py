"""Whatever a text holds, it is answered: a value and diagnostics in it, never an exception, and soon."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.source import Source
from spinedsl.testing.laws import answered, timed
from spinedsl.testing.texts import PIECES
from tests.profiles import drawn
from tests.syntax.heaps import HEAD, HEAPS, KIB_64, NET
from tests.texts import ROOT, mutated

SECONDS = 1.0 if sys.gettrace() is None else 5.0  # of processor time, for 64 KiB; more under a tracer, as of coverage
MEGABYTES = 200  # that the whole process may have at most


@given(mutated())
@drawn(500)
def test_mutated_files(text: str) -> None:
    answered(Source.from_text(text, "any.spine"))


@given(st.lists(st.sampled_from(PIECES), max_size=80))
@drawn(300)
def test_heaps_of_pieces(pieces: list[str]) -> None:
    answered(Source.from_text(" ".join(pieces), "any.spine"))


@given(st.text(max_size=200))
@drawn(300)
def test_any_characters(text: str) -> None:
    answered(Source.from_text(text, "any.spine"))


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    """`alone` in a process."""
    command = [sys.executable, "-m", "tests.syntax.alone"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


@pytest.mark.parametrize("name", HEAPS)
def test_heaps(name: str, process: subprocess.Popen[str]) -> None:
    assert len(HEAPS[name]) <= KIB_64 + 200
    found = answer_of(process, name)
    if found["seconds"] > SECONDS:
        found = answer_of(process, name)  # a busy machine is slow once
    assert found["seconds"] < SECONDS
    assert found["megabytes"] < MEGABYTES


def answer_of(process: subprocess.Popen[str], name: str) -> dict[str, Any]:
    """What `alone` says of a heap."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(name) + "\n")
    process.stdin.flush()
    found: dict[str, Any] = json.loads(process.stdout.readline())
    assert found, "no answer: see the traceback above"
    return found


def rows(count: int) -> str:
    """A network that the checks accept, of so many rows."""
    first = "block b0: residual level 2 after s\nblock b1: residual level 3 from s, b0\n"
    following = [f"block b{i}: residual level {2 + i % 4} from b{i - 1}, b{i - 2}\n" for i in range(2, count)]
    return "".join([HEAD, NET, first, *following, f"output P: b{count - 1}\n}}\n"])


def test_time_grows_with_the_number_of_rows() -> None:
    """Twice the rows take at most about twice the time."""

    def seconds(count: int) -> float:
        source = Source.from_text(rows(count))
        tries = [timed(lambda: driver.analyse(source), SECONDS) for _ in range(3)]
        assert all(outcome.diagnostics == () for outcome, _ in tries)
        return min(seconds for _, seconds in tries)

    assert seconds(4_000) < 2.6 * seconds(2_000)


def test_a_file_of_megabytes() -> None:
    (diagnostic,) = driver.analyse(Source.from_text("# a\n" * 1_100_000)).diagnostics[:1]
    assert diagnostic.code.id == "E0601"
