"""Show a network as the compiler sees it: every row, every operation inserted, with levels, channels and shapes."""

from __future__ import annotations

import argparse

from spinedsl.cli.request import requested_program
from spinedsl.cli.terminal import network_arguments, outputs_argument
from spinedsl.ops.text import to_text

HELP = "show every operation of a network"
EXAMPLES = """\
examples:
  spine show net.spine
  spine show examples/spinenet.spine --network SpineNet49 --input 512x512
  spine show net.spine --outputs P3
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)
    outputs_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the op program."""
    program = requested_program(options)
    if program is None:
        return 1
    print(to_text(program), end="")
    return 0
