"""Draw networks as the paper does: blocks in order, place by level, an arrow for each connection.

Hovering a block or an arrow (SVG, HTML) says what it is, what it costs and which operations are inserted. Several
networks stand side by side on one scale; --against marks what changed between two.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spinedsl import driver, extras
from spinedsl.checks.switches import Switches
from spinedsl.cli import revision
from spinedsl.cli.lints import lint_arguments
from spinedsl.cli.options import files_argument, input_argument, network_argument, output_arguments, outputs_argument
from spinedsl.cli.output import apart, kind_of_figure, refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.request import asked_switches, made_of
from spinedsl.cli.terminal import read_source, say_diagnostics, spine_files
from spinedsl.cli.voice import UsageError
from spinedsl.diagnostics import Outcome
from spinedsl.draw import Figure, NoFont, lay_out, to_html, to_png, to_svg
from spinedsl.draw.colours import THEMES
from spinedsl.draw.figure import WIDTHS
from spinedsl.draw.svg import LEVEL
from spinedsl.draw.words import COSTS
from spinedsl.source import Source

if TYPE_CHECKING:
    from spinedsl.compare import Difference

EXAMPLES = """\
examples:
  spine draw examples/spinenet.spine --network SpineNet49 -o spinenet49.svg
  spine draw examples/spinenet.spine --network SpineNet49 -o spinenet49.html       to look around in
  spine draw net.spine --color cost --widths channels -o net.png                   where the work is
  spine draw examples/fpn.spine examples/spinenet.spine --network ResNet50FPN --network SpineNet49 -o two.svg
  spine draw examples/tutorial/6_edits.spine --network Permuted --against Plain -o changes.svg
  spine draw new.spine --against old.spine --theme dark -o changes.png
  spine draw net.spine --against HEAD~1:net.spine -o changes.svg                   since the last commit
"""
Wanted: TypeAlias = tuple[driver.Loaded, str | None]  # a file, and a network in it
COST = "cost"  # short for the first of COSTS


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    files_argument(parser)
    network_argument(parser, "; again for another one beside it", action="append", default=[])
    input_argument(parser)
    outputs_argument(parser)
    lint_arguments(parser)
    output_arguments(parser, "a .svg, .png or .html file to write, or - for SVG on standard output")
    parser.add_argument(
        "--against", metavar="OTHER",
        help="mark what changed since OTHER: a network of the file, FILE, FILE:NAME, or REVISION:FILE of git",
    )  # fmt: skip
    parser.add_argument(
        "--theme", choices=THEMES, default="auto",
        help="for light or dark pages; auto, the default, is what the reader's system asks for, and light in a PNG",
    )  # fmt: skip
    parser.add_argument(
        "--widths", choices=WIDTHS, default=WIDTHS[0], help="how wide blocks are: all the same, or by their channels"
    )
    parser.add_argument(
        "--color", choices=(LEVEL, COST, *COSTS), default=LEVEL,
        help="colour by level, or how much a block costs: cost is short for multiply-adds",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Draw and write."""
    kind = kind_of_figure(options.output)
    extras.require(*extras.FIGURES.get(kind, ()))
    if status := refused(options.output, kind, force=options.force, reads=[*options.files, options.against]):
        return status
    with phases() as say:
        say("laying out")
        figure = _figure(options)
    if figure is None:
        return 1
    colour = COSTS[0] if options.color == COST else options.color
    return write_figure(figure, options.output, options.theme, colour)


def write_figure(figure: Figure, output: str, theme: str = "auto", colour: str = LEVEL) -> int:
    """Write a figure as what its file's name says, `-` as SVG; the exit status."""
    kind = kind_of_figure(output)
    with phases() as say:
        say("drawing")
        data = _written(figure, kind, theme, colour)
    return write_output(output, data)


def _written(figure: Figure, kind: str, theme: str, colour: str) -> bytes:
    if kind == "html":
        return to_html(figure, theme, colour).encode()
    if kind == "svg":
        return to_svg(figure, theme, colour).encode()
    try:
        return to_png(to_svg(figure, "light" if theme == "auto" else theme, colour))
    except NoFont:
        raise UsageError(
            "this machine has no font to draw the words of a PNG with: pip install 'spinedsl[draw]' brings one, "
            "and .svg and .html need none"
        ) from None


# ---- which networks ----


def _figure(options: argparse.Namespace) -> Figure | None:
    """The figure of what the options name; None where a file has mistakes, which are printed."""
    names = list(spine_files(options.files))
    files = [_read(read_source(file)) for file in names]
    switches = asked_switches(options, names[0]) if names else driver.USUAL
    if None in files or switches is None:
        return None
    wanted = list(_wanted([file for file in files if file is not None], options.network))
    if options.against is not None and len(wanted) != 1:
        raise UsageError("--against compares one network with another: name one FILE, and one --network")
    made = _made(wanted, options, "--network NAME", switches)
    programs = [one.program for one in made or ()]
    for program in programs:
        apart(options.output, [text.name for text in program.sources])
    if made is None or options.against is None:
        return lay_out(*programs, widths=options.widths) if made is not None else None
    (new,) = made
    other = _other(options.against, new.loaded, new.program.name)
    before = _made([other], options, "--against FILE:NAME", switches) if other is not None else None
    return marked(_compared(before[0], new), options.widths) if before is not None else None


def marked(difference: Difference, widths: str = WIDTHS[0]) -> Figure:
    """The figure of two networks with what changed."""
    from spinedsl.compare.marks import markings  # noqa: PLC0415  seldom asked for

    old, new = difference.old.program, difference.new.program
    titles = [f"{old.name} (before)", f"{new.name} (after)"]
    return lay_out(old, new, widths=widths, titles=titles, markings=markings(difference))


def _compared(old: driver.Made, new: driver.Made) -> Difference:
    from spinedsl.compare import compare, side_of  # noqa: PLC0415  seldom asked for

    return compare(side_of(old), side_of(new))


def _read(source: Outcome[Source]) -> driver.Loaded | None:
    if source.value is None:
        say_diagnostics(source.diagnostics, sys.stderr)
        return None
    return driver.load(source.value)


def _wanted(files: Sequence[driver.Loaded], names: Sequence[str]) -> Iterator[Wanted]:
    """Of one file the networks that are named; of several those of them that each has, else its only one."""
    known = [names if len(files) == 1 else tuple(file.networks) for file in files]
    if unknown := [name for name in names if name not in chain(*known)]:
        raise UsageError(f"none of the files has a network `{unknown[0]}`")
    for file, here in zip(files, known, strict=True):
        chosen = [name for name in names if name in here]
        yield from ((file, name) for name in chosen or (None,))


def _made(
    wanted: Sequence[Wanted], options: argparse.Namespace, option: str, switches: Switches
) -> list[driver.Made] | None:
    """All that is drawn, or None where a file has mistakes, which are reported once for each file."""
    found: dict[Wanted, driver.Made] = {}
    wrong: set[str] = set()
    for file, name in wanted:
        if file.source.name not in wrong:
            made = made_of(file, name, options.input, options.outputs, option, switches)
            if made is None:
                wrong.add(file.source.name)
            else:
                found[file, name] = made
    return None if wrong else [found[one] for one in wanted]


def _other(other: str, file: driver.Loaded, name: str) -> Wanted | None:
    """What a network `name` is compared with; None where the file cannot be read, which is reported.

    `other` is NAME in its own file, FILE (the network of that name there, else the only one), REVISION:FILE, or one of
    these with :NAME.
    """
    if ":" not in other and not other.endswith(".spine") and not Path(other).is_file():
        return file, other
    asked = revision.named(other)
    found = _read(revision.read(asked.text))
    if found is None:
        return None
    return found, asked.network or (name if name in found.networks else None)
