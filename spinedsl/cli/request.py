"""What most commands ask for: the program of a network, and weights, both named on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spinedsl import api, driver
from spinedsl.checks.switches import Switches
from spinedsl.cli.lints import switches_of
from spinedsl.cli.terminal import read_source, say_diagnostics, say_mistakes
from spinedsl.cli.voice import UsageError, note, warn
from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.record import replace
from spinedsl.source import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spinedsl.weights import Fit, Weights


def requested_program(options: argparse.Namespace) -> Program | None:
    """The program of the network that the options name; None when its file has mistakes, which are printed."""
    found = requested_programs(options)
    return found[0] if found else None


def requested_programs(options: argparse.Namespace, *, whole: bool = False) -> tuple[Program, Program] | None:
    """The same, and with `whole` that of the network with all of its outputs; the file is read once."""
    source = read_source(options.file)
    if source.value is None:
        say_mistakes(source.diagnostics)
        return None
    switches = asked_switches(options, options.file)
    if switches is None:
        return None
    outputs = getattr(options, "outputs", None)  # some commands take all of them
    made = made_of(source.value, options.network, options.input, outputs, switches=switches)
    if made is None:
        return None
    if not whole or outputs is None:
        return made.program, made.program
    return made.program, api.made(source.value, network=options.network, size=options.input).program


def asked_switches(options: argparse.Namespace, file: str) -> Switches | None:
    """The lints that a command switches for a file; None where its configuration is wrong, which is printed."""
    asked = switches_of(options, file)
    if asked.value is None:
        say_mistakes(asked.diagnostics)
    return asked.value


def made_of(
    file: Source | driver.Loaded,
    network: str | None,
    size: tuple[int, int] | None,
    outputs: Iterable[str] | None = None,
    option: str = "--network NAME",
    switches: Switches = driver.USUAL,
) -> driver.Made | None:
    """A network of a file, with its program; None when the file has mistakes, which are printed. Warnings are, too.

    A file that was loaded before is not read again. `option` is how the command line chooses the network, where it did
    not or not rightly.
    """
    try:
        made = api.made(file, network=network, size=size, outputs=outputs, switches=switches)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return None
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} ({option})") from None
    except api.OutputChoice as choice:
        raise UsageError(f"{choice} (--outputs NAMES)") from None
    if made.warnings:
        say_diagnostics(made.warnings, sys.stderr)
    dropped, tasks = made.program.dropped, [task.name for task in made.program.dropped_tasks]
    left = []
    if dropped:
        rows = counted(len(dropped) + len(made.program.rows), "row")
        left.append(f"{len(dropped)} of {rows}: {', '.join(dropped)}")
    if tasks:
        left.append(f"{counted(len(tasks), 'task')}: {', '.join(tasks)}")
    if left:
        note(f"--outputs leaves out {'; and '.join(left)}")
    return made


def read_weights(
    path: Path, key: str | None = None, prefix: str | None = None, renames: Mapping[str, str] | None = None
) -> Weights | None:
    """A weights file named on the command line; None where it has mistakes, which are printed."""
    try:
        found = api.read_weights(path, key=key, prefix=prefix, renames=renames, hear=_hear)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return None
    if found.key and key is None:
        note(f"{one_line(path)} keeps its tensors under `{one_line(found.key)}`")
    if not found.sealed and not found.changed:
        warn(f"{one_line(path)} has no digests: damage to it may go unseen")
    return found


def _hear(diagnostics: Sequence[Diagnostic]) -> None:
    say_diagnostics(diagnostics, sys.stderr)


def chosen_weights(options: argparse.Namespace, program: Program) -> Weights | None:
    """The `--weights` of a command, by its `--key` and `--prefix`; what of them is taken is reported."""
    from spinedsl.weights import compare  # noqa: PLC0415  numpy is only needed here

    weights = read_weights(options.weights, options.key, options.prefix)
    if weights is None:
        return None
    fit = compare(flatten(program).parameters, weights.tensors, weights.prefix, program.dropped)
    tell_origin(options.weights, fit)
    return replace(weights, prefix=weights.prefix if fit.ways else fit.prefix)


def chosen_values(options: argparse.Namespace, program: Program) -> Mapping[str, NDArray[np.float32]] | None:
    """The values of all parameters: of `--weights`, else drawn by `--seed`; None where they do not fit, as reported."""
    from spinedsl.ops.initial import seeded  # noqa: PLC0415  as above
    from spinedsl.weights import match  # noqa: PLC0415  as above

    parameters = flatten(program).parameters
    if options.weights is None:
        return seeded(parameters, options.seed or 0)
    weights = chosen_weights(options, program)
    if weights is None:
        return None
    found = match(parameters, weights, program.name, program.dropped)
    if found.value is None:
        say_mistakes(found.diagnostics)
    return found.value


def tell_origin(path: Path, fit: Fit) -> None:
    """Say what of a weights file is taken and what not, where that is not simply all of it."""
    if fit.origin:
        note(f"{one_line(path)}: {one_line(fit.origin)}")


def need_weights(options: argparse.Namespace) -> None:
    """See that what chooses among weights has some to choose from.

    Raises:
        UsageError: it has none.
    """
    given = [name for name in ("key", "prefix") if getattr(options, name) is not None]
    if given and options.weights is None:
        raise UsageError(f"--{given[0]} chooses tensors of --weights PATH, which is not given")
