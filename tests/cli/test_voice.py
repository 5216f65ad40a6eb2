"""How the command line speaks: colours, widths, counts, progress."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spinedsl.cli import progress, voice
from spinedsl.cli.progress import CLEAR, PATIENCE, Progress, phases
from spinedsl.cli.voice import NARROW, USUAL, page_of
from spinedsl.diagnostics.plain import counted
from tests.cli.running import NET, run

ROOT = Path(__file__).parents[2]
VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS")


class Stream(io.StringIO):
    """A terminal of no known width, or something else."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("set_to", "terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),  # empty is as if it were not set
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "3", "TERM": "dumb"}, True, True),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
    ],
)
def test_colours(set_to: dict[str, str], terminal: bool, elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    assert page_of(Stream(terminal=True)).colour == terminal
    assert page_of(Stream(terminal=False)).colour == elsewhere


@pytest.mark.parametrize(
    ("columns", "width"),
    [("80", 80), ("1", NARROW), ("300", 300), ("0", USUAL), ("-4", USUAL), ("x", USUAL), ("", USUAL), ("9" * 9, USUAL)],
)
def test_columns(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert page_of(Stream(terminal=False)).width == width
    assert page_of(Stream(terminal=True)).width == width


def test_both_reach_what_is_said(
    net: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (net / "net.spine").write_text(
        NET.replace("after s", "after nothing_of_the_kind  # and a comment that is long enough")
    )
    plain = run(capsys, "check", "net.spine")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = run(capsys, "check", "net.spine")[1]
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("NO_COLOR", "1")
    narrow = run(capsys, "check", "net.spine")[1]
    rows = [line for line in narrow.splitlines() if re.match(r" *\d+ *\|", line)]
    assert rows
    assert max(map(len, rows)) <= 50 < max(map(len, plain.splitlines()))


# ---- counts ----


def test_counts() -> None:
    assert [counted(number, "file") for number in (0, 1, 2, 1000)] == ["0 files", "1 file", "2 files", "1,000 files"]


@pytest.mark.parametrize(
    "line",
    [
        "check net.spine", "fmt net.spine", "weights show net.spine", "weights show one.npz", "stats net.spine",
        "weights convert one.npz net.spine --partial -o w.safetensors", "weights verify one.npz net.spine --partial",
        "weights verify one.npz net.spine", "weights verify w.npz net.spine", "diff net.spine net.spine",
        "compile net.spine --to mermaid --outputs C2 -o -", "check wrong.spine", "fmt wrong.spine", "check",
    ],
)  # fmt: skip
def test_nothing_is_said_of_1_things(line: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    np.savez(net / "one.npz", **{"b.refine.norm.bias": np.zeros(8, np.float32)})  # type: ignore[arg-type]
    (net / "wrong.spine").write_text("spine 1\nnetwork N { }\n")
    _, out, err = run(capsys, *line.split())
    assert not re.search(
        r"\b1 (?:files|networks|errors|warnings|tensors|numbers|outputs|rows|inputs|sizes)\b", out + err
    )


# Texts that are not reached with 1: what they say then is another sentence.
SEVERAL = ("all {", "{len(other)} tensors", "{len(known)} networks")


def test_counts_come_from_one_place() -> None:
    """No other text puts an `s` where there are several."""
    own = re.compile(r"""['"]s['"] ?(?:\*|if)|\} (?:files|networks|errors|warnings|tensors)\b""")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("cli", "compare", "diagnostics", "watch", "weights")
        for path in (ROOT / "spinedsl" / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if own.search(line) and not any(text in line for text in SEVERAL)
    ]
    assert found == [], "`counted` of `spinedsl/brief.py` does that"


# ---- progress ----


class Clock:
    """One that is told when time has passed."""

    def __init__(self, seconds: float, then: Callable[[], None]) -> None:
        self.seconds, self.then, self.started, self.cancelled = seconds, then, False, False

    def start(self) -> None:
        self.started = True

    def cancel(self) -> None:
        self.cancelled = True


def test_what_is_soon_done_says_nothing() -> None:
    stream = Stream(terminal=True)
    progress = Progress(stream, Clock)
    progress.say("one")
    progress.say("two")
    progress.close()
    assert stream.getvalue() == ""
    assert isinstance(progress.clock, Clock)
    assert (progress.clock.seconds, progress.clock.started, progress.clock.cancelled) == (PATIENCE, True, True)
    progress.clock.then()  # too late
    assert stream.getvalue() == ""


def test_a_phase_that_lasts_is_shown_and_goes_again() -> None:
    stream = Stream(terminal=True)
    progress = Progress(stream, Clock)
    progress.say("one")
    progress.late()
    assert stream.getvalue() == f"{CLEAR}spine: one …"
    progress.say("two" * 100)
    shown = stream.getvalue().split(CLEAR)[-1]
    assert shown.startswith("spine: twotwo")
    assert len(shown) < USUAL, "one line"
    progress.clear()
    progress.close()
    assert stream.getvalue().endswith(CLEAR)


def test_a_note_takes_the_line_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(terminal=True)
    monkeypatch.setattr(sys, "stderr", stream)
    clocks: list[Clock] = []

    def clock(seconds: float, then: Callable[[], None]) -> Clock:
        clocks.append(Clock(seconds, then))
        return clocks[-1]

    with phases(clock) as say:
        say("one")
        clocks[0].then()
        voice.note("something")
    assert stream.getvalue() == f"{CLEAR}spine: one …{CLEAR}spine: something\n{CLEAR}"
    assert voice.LINE == []


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True), (False, True)])
def test_pipes_and_quiet_get_no_line(terminal: bool, quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Stream(terminal=terminal))
    monkeypatch.setattr(voice.MANNER, "quiet", quiet)

    def clock(seconds: float, then: Callable[[], None]) -> Clock:
        raise AssertionError("nobody is looking")

    with phases(clock) as say:
        say("one")


@pytest.mark.parametrize(
    "line",
    [
        "verify net.spine", "compile net.spine --to onnx -o m.onnx", "diff net.spine net.spine",
        "draw net.spine -o n.svg", "weights convert w.npz net.spine -o w.safetensors",
    ],
)  # fmt: skip
def test_what_may_take_long_tells_its_phases(line: str, net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these begins to say something, which the clock would show."""
    said: list[str] = []
    stream = Stream(terminal=True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress.Progress, "say", lambda self, text: said.append(text))
    from spinedsl.cli import main

    assert main(line.split()) == 0
    assert said
    assert all(text[0].islower() and not text.endswith(".") for text in said)


def test_the_machines_clock_is_a_thread_that_holds_nobody_up() -> None:
    found = progress.timer(60, lambda: None)
    assert getattr(found, "daemon", False)
    found.cancel()


def test_the_width_of_a_terminal_is_its_own() -> None:
    """Of the stream that is written to, and not of standard output."""
    ours, theirs = os.openpty()
    try:
        os.environ.pop("COLUMNS", None)
        import fcntl
        import struct
        import termios

        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 77, 0, 0))
        with os.fdopen(os.dup(theirs), "w") as stream:
            assert page_of(stream).width == 77
            assert page_of(stream).colour
    finally:
        os.close(ours)
        os.close(theirs)
