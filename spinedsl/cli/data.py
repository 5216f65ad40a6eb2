"""Data: report every mistake in pictures and labels before a network is trained on them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from spinedsl.cli.options import format_argument, path
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import for_programs, read_source, say_diagnostics
from spinedsl.cli.voice import UsageError, summary
from spinedsl.diagnostics import Diagnostic, Severity, in_order
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.extras import require

if TYPE_CHECKING:
    from spinedsl.data.section import Sets
    from spinedsl.diagnostics import Outcome

EXAMPLES = """\
examples:
  spine data check flowers/train --validation flowers/test      a folder for each class
  spine data check labels.csv                                   a list of pictures and their classes
  spine data check training.toml                                the data of a configuration
"""
CHECK = """\
examples:
  spine data check flowers/train --validation flowers/test      a folder for each class
  spine data check labels.csv                                   a list: path,label
  spine data check lfw                                          a folder for each person, and pairs.txt
  spine data check train-images-idx3-ubyte.gz                   idx files, with the labels beside
  spine data check training.toml                                [data] of a configuration

Every picture is decoded. Files that are missing, cut off or damaged, labels of no class, lists in another encoding,
pictures that are in both sets: all of it is reported, with the file, and with the line where a list names it.
"""
MOST = 20  # of one code, for people


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    check = actions.add_parser("check", help="check pictures and labels", description="Check pictures and labels.")
    check.epilog = CHECK
    check.add_argument("file", metavar="FILE", type=path, help="a configuration (.toml), or a data set itself")
    check.add_argument(
        "--validation", metavar="PATH", type=path, help="the data set for validation, of the same classes"
    )
    check.add_argument(
        "--kind", choices=("auto", "folder", "csv", "persons", "idx"), default="auto",
        help="how the data is kept, where that does not follow from what is there",
    )  # fmt: skip
    check.add_argument("--all", action="store_true", help="print each mistake, however many there are of one kind")
    format_argument(check)


def run(options: argparse.Namespace) -> int:
    """Check the data; status 1 if there is an error."""
    require("numpy", "PIL")
    with phases() as say:
        say("reading lists")
        opened = _opened(options)
        found = list(opened.diagnostics)
        if opened.value is not None:
            from spinedsl.data.check import check  # noqa: PLC0415  NumPy is only needed here

            train, validation = opened.value.train, opened.value.validation
            found += check(train, validation, hear=lambda done, whole: say(f"decoding pictures: {done:,} of {whole:,}"))
    found = list(in_order(found))
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    if options.format != "human":
        print(for_programs(found, options.format))
        return 1 if errors else 0
    shown = found if options.all else _first_of_each(found)
    if shown:
        say_diagnostics(shown, sys.stdout)
    if len(shown) < len(found):
        print(f"… {len(found) - len(shown):,} more of the same codes: --all prints them", file=sys.stdout)
    summary(_summary(opened.value, found, errors))
    return 1 if errors else 0


def _opened(options: argparse.Namespace) -> Outcome[Sets]:
    """The data sets that the command line names, or those of its configuration."""
    from spinedsl.data.augment import Augmentation  # noqa: PLC0415
    from spinedsl.data.section import Section, open_sets, read_section  # noqa: PLC0415  as above
    from spinedsl.data.sources import Options  # noqa: PLC0415
    from spinedsl.toml import read_toml  # noqa: PLC0415

    if options.file.suffix.lower() != ".toml":
        section = Section(options.file, options.validation, options.kind, Options(), {}, Augmentation())
        return open_sets(section)
    for name in ("validation", "kind"):
        if getattr(options, name) not in (None, "auto"):
            raise UsageError(f"--{name} is what {one_line(options.file)} says in [data]")
    document = read_source(str(options.file)).then(read_toml)
    return document.then(lambda read: read_section(read, options.file.parent)).then(open_sets)


def _first_of_each(found: list[Diagnostic]) -> list[Diagnostic]:
    """The first ones of each code: nobody reads ten thousand lines that say the same."""
    counts: dict[str, int] = {}
    shown = []
    for one in found:
        counts[one.code.id] = counts.get(one.code.id, 0) + 1
        if counts[one.code.id] <= MOST:
            shown.append(one)
    return shown


def _summary(sets: Sets | None, found: list[Diagnostic], errors: int) -> str:
    counts = [counted(count, word) for count, word in ((errors, "error"), (len(found) - errors, "warning")) if count]
    more = next((f"; `spine explain {one.code.id}` says more" for one in found), "")
    result = (", ".join(counts) or "no mistakes") + more
    if sets is None:
        return result
    pictures = counted(len(sets.train), "picture")
    also = f" and {len(sets.validation):,} for validation" if sets.validation is not None else ""
    from spinedsl.data.dataset import of_classes  # noqa: PLC0415  as above

    return f"{pictures} of {of_classes(len(sets.train.classes))}{also} checked: {result}"
