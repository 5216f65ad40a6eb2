"""The network that `spine bench` and `spine quantize` are given: a file and weights, or a checkpoint.

In: options. Out: a `Given`; what is wrong is reported.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from spinedsl.cli.request import chosen_values, requested_program
from spinedsl.cli.voice import UsageError
from spinedsl.ops.program import Program
from spinedsl.performance.given import Given, fitted, is_checkpoint, of_checkpoint

OF_A_FILE = ("network", "input", "weights", "key", "prefix", "seed", "warn", "allow", "deny", "set")


def given_network(options: argparse.Namespace) -> Given | None:
    """What the options name; None where it is wrong and that was reported.

    Raises:
        Mistakes: a checkpoint cannot be opened, or is of another network.
        UsageError: an option has no meaning beside a checkpoint.
    """
    if is_checkpoint(options.file):
        return given_checkpoint(options, OF_A_FILE)
    program = requested_program(options)
    if program is None:
        return None

    def at(height: int, width: int) -> Program | None:
        options.input = (height, width)
        return requested_program(options)

    found = fitted(program, options.weights, sized=options.input is not None, at=at)
    tensors = None if found is None else chosen_values(options, found.program)
    if found is None or tensors is None:
        return None
    origin = f"seed {options.seed or 0}" if options.weights is None else options.weights.name
    return Given(found.program, tensors, found.pre, origin, found.trained, str(options.weights or ""))


def given_checkpoint(options: argparse.Namespace, without: tuple[str, ...]) -> Given:
    """The checkpoint that is named in the place of a file; `without` are the options that it leaves no meaning.

    Raises:
        Mistakes: it cannot be opened.
        UsageError: one of these options is given.
    """
    for name in without:
        if getattr(options, name) not in (None, (), []):
            raise UsageError(f"--{name} is for a .spine file, and a checkpoint has its own: leave it out")
    return of_checkpoint(Path(options.file))
