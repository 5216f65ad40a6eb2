"""Show a network as the compiler sees it: every row, every operation inserted, with levels, channels and shapes."""

from __future__ import annotations

import argparse
import json

from spinedsl.cli.lints import lint_arguments
from spinedsl.cli.options import format_argument, network_arguments, outputs_argument
from spinedsl.cli.request import requested_program
from spinedsl.ops.text import plain, to_text

EXAMPLES = """\
examples:
  spine show net.spine
  spine show examples/spinenet.spine --network SpineNet49 --input 512x512
  spine show net.spine --outputs P3
  spine show net.spine --format json | jq '.rows[].operations[].primitive'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)
    outputs_argument(parser)
    lint_arguments(parser)
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the op program."""
    program = requested_program(options)
    if program is None:
        return 1
    print(json.dumps(plain(program), indent=2) if options.format == "json" else to_text(program).rstrip("\n"))
    return 0
