"""Compare two networks: what changed, what it costs, and what it breaks.

OLD and NEW are files, FILE:NAME for a network of several, or REVISION:FILE, perhaps with :NAME, for a file in git's
history. Imports of such a file are read from the same revision.
"""

from __future__ import annotations

import argparse
import sys

from spinedsl import api, extras
from spinedsl.cli import revision
from spinedsl.cli.draw import marked, write_figure
from spinedsl.cli.options import format_argument, input_argument, network_argument, output_arguments
from spinedsl.cli.output import apart, kind_of_figure, refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import say_mistakes
from spinedsl.cli.voice import UsageError, note, page_of
from spinedsl.compare import Difference, Side, compare, derive, out_of_reach, side
from spinedsl.draw.colours import THEMES
from spinedsl.extras import require
from spinedsl.source import Source

EXAMPLES = """\
examples:
  spine diff old.spine new.spine
  spine diff HEAD~1:net.spine net.spine                     since the last commit
  spine diff examples/spinenet.spine:SpineNet49 examples/spinenet.spine:SpineNet96
  spine diff v1.0:nets/net.spine HEAD:nets/net.spine --network SpineNet49
  spine diff old.spine new.spine --edits                    as a `with { … }` that makes the new of the old
  spine diff old.spine new.spine -o changes.svg             the figure, with marks; or .png, .html
  spine diff old.spine new.spine --mapping names.json       old to new names of renamed tensors

tiers, from the lowest up; each contains those below it:
  NONE       the same weights give the same numbers
  NUMERIC    the same weights load, and give other numbers
  WEIGHTS    weights of the old network do not load: a tensor is missing, unexpected or of another shape
  INTERFACE  the input, or an output's name, level or channels
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    sides_arguments(parser)
    input_argument(parser)
    parser.add_argument("--edits", action="store_true", help="print the edits that make NEW of OLD")
    format_argument(parser)
    output_arguments(parser, "draw both, with marks: a .svg, .png or .html file", required=False)
    parser.add_argument("--theme", choices=THEMES, help="of what -o draws, as in `spine draw`")
    parser.add_argument(
        "--mapping", metavar="PATH", help="write old and new names of renamed tensors as JSON, or - to print them"
    )


def sides_arguments(parser: argparse.ArgumentParser) -> None:
    """The two networks or files to compare, and which network of them."""
    parser.add_argument("old", metavar="OLD", help="the one before: FILE, FILE:NAME, or REVISION:FILE of git")
    parser.add_argument("new", metavar="NEW", help="the one after")
    network_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Compare, print, and draw what is asked for."""
    if status := _refused(options):
        return status
    sources = read_both(options.old, options.new)
    if sources is None:
        return 1
    (old, was), (new, now) = sources
    if options.network is not None and was is not None and now is not None:
        raise UsageError("--network is for files without :NAME, and both have one: leave one of the two out")
    sides: list[Side] = []
    for source, network in ((old, was), (new, now)):
        found = _side(source, network or options.network, options.input)
        if found is None:
            return 1
        sides.append(found)
    for output in filter(None, (options.output, options.mapping)):
        apart(output, [text.name for one in sides for text in one.program.sources])
    with phases() as say:
        say(f"comparing {sides[0].name} and {sides[1].name}")
        difference = compare(*sides)
    if "-" not in (options.mapping, options.output):
        _say(difference, options)
    if options.mapping is not None and (status := _write_mapping(difference, options.mapping)):
        return status
    if options.output is None:
        return 0
    return write_figure(marked(difference), options.output, options.theme or "auto")


def _refused(options: argparse.Namespace) -> int:
    """Whether what is to be written cannot be, before anything is compared."""
    if options.output is not None and options.output == options.mapping:
        raise UsageError(f"-o and --mapping both write {options.output}: choose another name for one of them")
    _refuse_unread(options)
    reads = (options.old, options.new)
    if options.output is not None:
        kind = kind_of_figure(options.output)
        require(*extras.FIGURES.get(kind, ()))
        if status := refused(options.output, kind, force=options.force, reads=reads):
            return status
    if options.mapping is not None:
        return refused(options.mapping, "mapping", force=options.force, reads=reads)
    return 0


def _refuse_unread(options: argparse.Namespace) -> None:
    """What is given has to be of something that is printed, drawn or written."""
    if options.theme is not None and options.output is None:
        raise UsageError("--theme is of what -o draws: say -o changes.svg too")
    if options.force and options.output is None and options.mapping is None:
        raise UsageError("--force is of what -o and --mapping write: nothing is written here")
    if "-" in (options.mapping, options.output) and (options.edits or options.format != "human"):
        option = "--edits" if options.edits else "--format"
        other, name = ("--mapping", "names.json") if options.mapping == "-" else ("-o", "changes.svg")
        raise UsageError(f"{option} is of what is not printed beside `{other} -`: name a file, `{other} {name}`")


def read_both(old: str, new: str) -> tuple[tuple[Source, str | None], tuple[Source, str | None]] | None:
    """Both files and the networks named with them; None where one cannot be read, which is reported."""
    if old == new == "-":
        raise UsageError("only one of the two can be standard input")
    found: list[tuple[Source, str | None]] = []
    for argument in (old, new):
        asked = revision.named(argument)
        source = revision.read(asked.text)
        if source.value is None:
            say_mistakes(source.diagnostics)
            return None
        found.append((source.value, asked.network))
    return found[0], found[1]


def _side(source: Source, network: str | None, size: tuple[int, int] | None) -> Side | None:
    try:
        return side(source, network=network, size=size)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return None
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} (FILE:NAME, or --network NAME for both)") from None


def _say(difference: Difference, options: argparse.Namespace) -> None:
    """Print the difference, and the edits if they were asked for, for people or for programs."""
    from spinedsl.compare.machine import plain, to_json  # noqa: PLC0415  one of the two is needed
    from spinedsl.compare.words import to_text  # noqa: PLC0415

    edits = derive(difference.old, difference.new) if options.edits else None
    if options.format == "json":
        found = plain(difference, edits)
        if options.edits and edits is None:
            found |= {"edits": None, "out_of_reach": out_of_reach(difference)}
        print(to_json(found))
        return
    print(to_text(difference, colour=page_of(sys.stdout).colour))
    if edits is not None:
        print(f"\n{edits.to_text()}" if edits.items else "\nno edit is needed")
    elif options.edits:
        why = out_of_reach(difference) or "they do not reach all that changed"
        note(f"no edits make the one of the other: {why}")


def _write_mapping(difference: Difference, output: str) -> int:
    from spinedsl.compare.machine import mapping, to_json  # noqa: PLC0415  seldom asked for

    return write_output(output, f"{to_json(mapping(difference.tensors))}\n".encode())
