"""Draw a network: blocks in order, place by level, an arrow for each connection. Hovering a block tells its costs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spinedsl.cli.terminal import (
    UsageError,
    network_arguments,
    outputs_argument,
    requested_program,
    say_diagnostics,
    write_whole,
)
from spinedsl.draw import lay_out, to_svg

HELP = "draw the scale-permuted figure"
EXAMPLES = """\
examples:
  spine draw examples/spinenet.spine --network SpineNet49 -o spinenet49.svg
  spine draw net.spine --theme dark -o net.png
"""
THEMES = ("light", "dark")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)
    outputs_argument(parser)
    parser.add_argument("-o", "--output", required=True, metavar="PATH", help="a .svg or .png file, or - for SVG")
    parser.add_argument("--theme", choices=THEMES, default="light", help="for light or dark pages (default light)")


def run(options: argparse.Namespace) -> int:
    """Draw and write."""
    path = Path(options.output)
    if options.output != "-" and path.suffix not in (".svg", ".png"):
        raise UsageError(f"{options.output} is neither .svg nor .png")
    program = requested_program(options)
    if program is None:
        return 1
    svg = to_svg(lay_out(program), options.theme)
    if options.output == "-":
        sys.stdout.write(svg)
        return 0
    problem = write_whole(path, _to_png(svg) if path.suffix == ".png" else svg.encode())
    if problem is not None:
        say_diagnostics([problem], sys.stderr)
        return 1
    return 0


def _to_png(svg: str) -> bytes:
    """Twice as large as the SVG says, so that small print stays sharp."""
    import resvg_py  # noqa: PLC0415  only for PNG

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2))
