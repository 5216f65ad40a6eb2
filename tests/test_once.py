"""A file is parsed once, whatever is asked of it: by every command, and by every function."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import spinedsl
from spinedsl import compare, reading
from spinedsl.cli import main
from spinedsl.source import Source
from spinedsl.syntax.parse import parse

EXAMPLE = Path(__file__).resolve().parent.parent / "examples/tutorial/6_edits.spine"
NETWORK = "Permuted"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was parsed; those of the prelude are kept between runs."""
    count: Counter[str] = Counter()

    def counting(source: Source, *more: int | None) -> object:
        if not source.name.startswith("std/"):
            count[source.name] += 1
        return parse(source, *more)

    monkeypatch.setattr(reading, "parse", counting)
    return count


COMMANDS = [
    "check FILE", "check FILE --network NETWORK", "show FILE --network NETWORK", "stats FILE --network NETWORK",
    "compile FILE --network NETWORK --to torch -o -", "compile FILE --network NETWORK --to mermaid -o -",
    "draw FILE --network NETWORK -o -", "draw FILE --network NETWORK --against Plain -o -",
    "draw FILE --network NETWORK --network Plain -o -", "stats FILE --network NETWORK --outputs P3,P4",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_parses_its_file_once(command: str, parsed: Counter[str], capfd: pytest.CaptureFixture[str]) -> None:
    words = [{"FILE": str(EXAMPLE), "NETWORK": NETWORK}.get(word, word) for word in command.split()]
    status = main(words)
    assert (status, parsed) == (0, {str(EXAMPLE): 1}), capfd.readouterr().err


@pytest.mark.parametrize("command", ["diff FILE:Plain FILE:NETWORK", "breaking FILE FILE"])
def test_what_compares_two_files_parses_each_once(
    command: str, parsed: Counter[str], capfd: pytest.CaptureFixture[str]
) -> None:
    main(command.replace("FILE", str(EXAMPLE)).replace("NETWORK", NETWORK).split())
    assert parsed == {str(EXAMPLE): 2}, capfd.readouterr().err


FUNCTIONS: Sequence[str] = ("check", "program", "compile", "load", "verify", "side")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_parses_its_file_once(name: str, parsed: Counter[str]) -> None:
    calls: dict[str, Callable[[], object]] = {
        "check": lambda: spinedsl.check(EXAMPLE),
        "program": lambda: spinedsl.program(EXAMPLE, network=NETWORK),
        "compile": lambda: spinedsl.compile(EXAMPLE, to="torch", network=NETWORK),
        "load": lambda: spinedsl.load(EXAMPLE, network=NETWORK),
        "verify": lambda: spinedsl.verify(EXAMPLE, network=NETWORK, sizes=[(64, 64), (128, 64)]),
        "side": lambda: compare.side(EXAMPLE, network=NETWORK),
    }
    calls[name]()
    assert parsed == {str(EXAMPLE): 1}


@pytest.mark.parametrize("on", [True, False])
def test_the_search_for_garbage_is_as_it_was(on: bool) -> None:
    """It is paused while a file is read: also after mistakes, and for whoever had it off."""
    before = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        for text in ("spine 1\n", "spine 1\nnetwork N {\n"):
            spinedsl.check(Source.from_text(text, "net.spine"))
            assert gc.isenabled() == on
    finally:
        (gc.enable if before else gc.disable)()
