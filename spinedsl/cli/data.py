"""Data: report every mistake in pictures and labels before a network is trained on them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from spinedsl.brief import table
from spinedsl.cli.options import format_argument, input_argument, path
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import for_programs, read_source, say_diagnostics
from spinedsl.cli.voice import UsageError, summary
from spinedsl.diagnostics import Diagnostic, Outcome, Severity, in_order
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.extras import require

if TYPE_CHECKING:
    from spinedsl.data.preprocessing import Preprocessing
    from spinedsl.data.section import Section, Sets

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
  spine data check annotations/boxes.json --images photos       boxes: a file as COCO's, a folder as VOC's or YOLO's
  spine data check training.toml                                [data] of a configuration

Every picture is decoded. Files that are missing, cut off or damaged, labels of no class, lists in another encoding,
pictures that are in both sets: all of it is reported, with the file, and with the line where a list names it.
Of boxes: those that lie outside or have no area, that are there twice, or of no class; pictures of another size than
their boxes; and how many objects of each class are small (below 32x32 pixels), medium and large (from 96x96 on).
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
        "--kind", choices=("auto", "folder", "csv", "persons", "idx", "coco", "voc", "yolo"), default="auto",
        help="how the data is kept, where that does not follow from what is there",
    )  # fmt: skip
    check.add_argument(
        "--images", metavar="PATH", type=path, help="the folder of the pictures that have boxes, if it is another"
    )
    check.add_argument(
        "--validation-images", metavar="PATH", type=path, help="the same of those for validation, if it is another"
    )
    input_argument(check, "; of pictures with boxes: counts those that get too small in it")
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

            section, sets = opened.value
            found += check(
                sets.train, sets.validation, preprocessing=_preprocessing(section, options.input),
                hear=lambda done, whole: say(f"decoding pictures: {done:,} of {whole:,}"),
            )  # fmt: skip
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
    whole = opened.value[1] if opened.value is not None else None
    if whole is not None:
        _counts(whole, whole=options.all)
    summary(_summary(whole, found, errors))
    return 1 if errors else 0


def _opened(options: argparse.Namespace) -> Outcome[tuple[Section, Sets]]:
    """The data sets that the command line names, or those of its configuration, and the section that names them."""
    from spinedsl.data.augment import Augmentation  # noqa: PLC0415
    from spinedsl.data.section import Section, read_section  # noqa: PLC0415  as above
    from spinedsl.data.sources import Options  # noqa: PLC0415
    from spinedsl.toml import read_toml  # noqa: PLC0415

    if options.file.suffix.lower() != ".toml":
        given = Options(images=str(options.images or ""))
        more = str(options.validation_images or "")
        section = Section(options.file, options.validation, options.kind, given, {}, Augmentation(), more)
        return _with_sets(section, options)
    for name in ("validation", "kind", "images", "validation_images"):
        if getattr(options, name) not in (None, "auto"):
            raise UsageError(f"--{name.replace('_', '-')} is what {one_line(options.file)} says in [data]")
    document = read_source(str(options.file)).then(read_toml)
    section_of = document.then(lambda read: read_section(read, options.file.resolve().parent))
    return section_of.then(lambda section: _with_sets(section, options))


def _with_sets(section: Section, options: argparse.Namespace) -> Outcome[tuple[Section, Sets]]:
    from spinedsl.data.boxes import BoxSet  # noqa: PLC0415  as above
    from spinedsl.data.section import open_sets  # noqa: PLC0415

    if options.validation_images is not None and options.validation is None:
        raise UsageError("--validation-images are those of --validation, which is not given")
    sets = open_sets(section)
    if sets.value is not None and not isinstance(sets.value.train, BoxSet):
        for name in ("images", "validation_images", "input"):
            if getattr(options, name) is not None:
                raise UsageError(f"--{name.replace('_', '-')} is for pictures with boxes, and these have a class each")
    return sets.then(lambda found: Outcome((section, found)))


def _preprocessing(section: Section, size: tuple[int, int] | None) -> Preprocessing | None:
    """How pictures get into the network, where the command line or the configuration says its size."""
    given = section.preprocessing
    height, width = size or (given.get("height"), given.get("width"))
    if height is None or width is None:
        return None
    from spinedsl.data.preprocessing import Preprocessing  # noqa: PLC0415  as above

    return Preprocessing(height, width, given.get("resize", "stretch"), crop=given.get("crop", 1.0))


def _counts(sets: Sets, *, whole: bool) -> None:
    """How many objects there are of each class, by size, where pictures have boxes."""
    from spinedsl.data.boxes import BoxSet  # noqa: PLC0415  as above
    from spinedsl.data.boxes.check import counts  # noqa: PLC0415

    if not isinstance(sets.train, BoxSet):
        return
    found = sorted(counts(sets.train), key=lambda one: -one.objects)
    shown = found if whole else found[:MOST]
    head = ("objects", "small", "medium", "large", "crowds")
    rows = [(one_line(one.name), *(f"{getattr(one, name):,}" for name in head)) for one in shown]
    if len(found) > 1:
        rows.append(("all", *(f"{sum(getattr(one, name) for one in found):,}" for name in head)))
    print("\n".join(table([("class", *head), *rows])))
    if len(shown) < len(found):
        print(f"… {len(found) - len(shown):,} more classes: --all prints them")


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
