"""Whatever a text holds, it is answered: a value and diagnostics in it, never an exception, and soon."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics.render import render
from spinedsl.source import Source, Span
from spinedsl.testing.texts import PIECES
from tests.profiles import drawn
from tests.syntax.heaps import HEAD, HEAPS, KIB_64, NET
from tests.texts import ROOT, mutated

SECONDS = 1.0 if sys.gettrace() is None else 5.0  # of processor time, for 64 KiB; more under a tracer, as of coverage
MEGABYTES = 200  # that the whole process may have at most


def spans_of(diagnostic: Diagnostic) -> list[Span]:
    edits = [edit.span for fix in diagnostic.fixes for edit in fix.edits]
    return [diagnostic.span, *(label.span for label in diagnostic.others), *edits]


def answer(text: str) -> tuple[Diagnostic, ...]:
    """All that is said of a text, which is what a command does with it."""
    started = time.process_time()
    source = Source.from_text(text, "any.spine")
    outcome = driver.analyse(source)
    diagnostics = outcome.diagnostics
    rendered = render(diagnostics)
    assert time.process_time() - started < SECONDS
    for diagnostic in diagnostics:
        for span in spans_of(diagnostic):
            assert 0 <= span.start <= span.end <= len(span.source.text)
    if outcome.ok:
        # Nothing is dropped in silence: every network is there.
        assert outcome.value is not None
        assert not outcome.value.unit.file.broken
        complete = {name for name, network in outcome.value.networks.items() if not driver.needs_arguments(network)}
        assert outcome.value.checked.keys() == complete
        assert all(defined.sound for defined in outcome.value.unit.own())
    assert "\x00" not in rendered
    assert "\u202e" not in rendered
    return diagnostics


@given(mutated())
@drawn(500)
def test_mutated_files(text: str) -> None:
    answer(text)


@given(st.lists(st.sampled_from(PIECES), max_size=80))
@drawn(300)
def test_heaps_of_pieces(pieces: list[str]) -> None:
    answer(" ".join(pieces))


@given(st.text(max_size=200))
@drawn(300)
def test_any_characters(text: str) -> None:
    answer(text)


def alone() -> None:
    """Answer the texts whose names come in, each in a process of its own, and say what that took."""
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    answer(HEAD)  # the prelude is read
    for name in sys.stdin:
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            os.close(ours)
            started = time.process_time()
            said = [diagnostic.code.id for diagnostic in answer(HEAPS[json.loads(name)])]
            took = time.process_time() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
            os.write(theirs, json.dumps({"seconds": took, "megabytes": peak, "said": len(said)}).encode())
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as file:
            sys.stdout.write(f"{file.read() or {}}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    """`alone` in a process."""
    command = [sys.executable, "-c", f"from {__name__} import alone; alone()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


@pytest.mark.parametrize("name", HEAPS)
def test_heaps(name: str, process: subprocess.Popen[str]) -> None:
    assert len(HEAPS[name]) <= KIB_64 + 200
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(name) + "\n")
    process.stdin.flush()
    found: dict[str, Any] = json.loads(process.stdout.readline())
    assert found, "no answer: see the traceback above"
    assert found["seconds"] < SECONDS
    assert found["megabytes"] < MEGABYTES


def rows(count: int) -> str:
    """A network that the checks accept, of so many rows."""
    first = "block b0: residual level 2 after s\nblock b1: residual level 3 from s, b0\n"
    following = [f"block b{i}: residual level {2 + i % 4} from b{i - 1}, b{i - 2}\n" for i in range(2, count)]
    return "".join([HEAD, NET, first, *following, f"output P: b{count - 1}\n}}\n"])


def test_time_grows_with_the_number_of_rows() -> None:
    """Twice the rows take at most about twice the time."""

    def seconds(count: int) -> float:
        text = rows(count)
        times: list[float] = []
        for _ in range(3):
            started = time.process_time()
            assert driver.analyse(Source.from_text(text)).diagnostics == ()
            times.append(time.process_time() - started)
        return min(times)

    assert seconds(4_000) < 2.6 * seconds(2_000)


def test_a_file_of_megabytes() -> None:
    (diagnostic,) = driver.analyse(Source.from_text("# a\n" * 1_100_000)).diagnostics[:1]
    assert diagnostic.code.id == "E0601"
