"""Whatever a text holds, it is answered: a value and diagnostics in it, never an exception, and in few steps."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.source import Source
from spinedsl.testing.laws import answered, most_steps
from spinedsl.testing.texts import PIECES
from tests.patience import HANG
from tests.profiles import drawn
from tests.syntax.heaps import HEAPS, KIB_64
from tests.texts import ROOT, mutated

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
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    ) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


@pytest.mark.parametrize("name", HEAPS)
def test_heaps(name: str, process: subprocess.Popen[str]) -> None:
    assert len(HEAPS[name]) <= KIB_64 + 200
    found = answer_of(process, name)
    assert found["steps"] < most_steps(HEAPS[name])
    assert found["megabytes"] < MEGABYTES


def answer_of(process: subprocess.Popen[str], name: str) -> dict[str, Any]:
    """What `alone` says of a heap."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(name) + "\n")
    process.stdin.flush()
    answers, _, _ = select.select([process.stdout], [], [], HANG)
    if not answers:
        os.killpg(process.pid, signal.SIGKILL)
    assert answers, f"{name} does not end"
    found: dict[str, Any] = json.loads(process.stdout.readline())
    assert found, "no answer: see the traceback above"
    return found


def test_a_file_of_megabytes() -> None:
    (diagnostic,) = driver.analyse(Source.from_text("# a\n" * 1_100_000)).diagnostics[:1]
    assert diagnostic.code.id == "E0601"
