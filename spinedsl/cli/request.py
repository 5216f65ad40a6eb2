"""What most commands ask for: the program of a network, and weights, both named on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from spinedsl import api
from spinedsl.cli.terminal import read_source, say_diagnostics
from spinedsl.cli.voice import UsageError, note, warn
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.ops.program import Program
from spinedsl.source import Source

if TYPE_CHECKING:
    from spinedsl.weights import Weights


def requested_program(options: argparse.Namespace) -> Program | None:
    """The program of the network that the options name; None when its file has mistakes, which are printed."""
    source = read_source(options.file)
    if source.value is None:
        say_diagnostics(source.diagnostics, sys.stderr)
        return None
    outputs = getattr(options, "outputs", None)  # some commands take all of them
    return program_of(source.value, options.network, options.input, outputs)


def program_of(
    source: Source,
    network: str | None,
    size: tuple[int, int] | None,
    outputs: Iterable[str] | None = None,
    option: str = "--network NAME",
) -> Program | None:
    """The program of a network of a file; None when the file has mistakes, which are printed.

    `option` is how the command line chooses the network, where it did not or not rightly.
    """
    try:
        made = api.program(source, network=network, size=size, outputs=outputs)
    except api.Mistakes as mistakes:
        say_diagnostics(mistakes.diagnostics, sys.stderr)
        return None
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} ({option})") from None
    except api.OutputChoice as choice:
        raise UsageError(f"{choice} (--outputs NAMES)") from None
    if made.dropped:
        rows = f"{len(made.dropped)} of {counted(len(made.dropped) + len(made.rows), 'row')}"
        note(f"--outputs leaves out {rows}: {', '.join(made.dropped)}")
    return made


def read_weights(path: Path) -> Weights | None:
    """A weights file named on the command line; None where it has mistakes, which are printed."""
    try:
        found = api.read_weights(path)
    except api.Mistakes as mistakes:
        say_diagnostics(mistakes.diagnostics, sys.stderr)
        return None
    if not found.sealed:
        warn(f"{one_line(path)} has no digests: damage to it may go unseen")
    return found
