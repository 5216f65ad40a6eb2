"""Show a network as the compiler sees it: every row, every operation inserted, with levels, channels and shapes."""

from __future__ import annotations

import argparse
import sys

from spinedsl import api
from spinedsl.cli.terminal import UsageError, network_arguments, read_source, say_diagnostics
from spinedsl.ops.text import to_text

HELP = "show every operation of a network"
EXAMPLES = """\
examples:
  spine show net.spine
  spine show examples/spinenet.spine --network SpineNet49 --input 512x512
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the op program."""
    source = read_source(options.file)
    if source.value is None:
        say_diagnostics(source.diagnostics, sys.stderr)
        return 1
    try:
        program = api.program(source.value, network=options.network, size=options.input)
    except api.Mistakes as mistakes:
        say_diagnostics(mistakes.diagnostics, sys.stderr)
        return 1
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} (--network NAME)") from None
    print(to_text(program), end="")
    return 0
