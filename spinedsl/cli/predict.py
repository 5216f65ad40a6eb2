"""Predict: the classes of images, how similar they are to each other, or who of a gallery they show."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spinedsl import api, extras
from spinedsl.brief import table
from spinedsl.cli.options import count, format_argument, landmarks_argument, model_argument, output_arguments
from spinedsl.cli.output import refused, refused_folder, write_folder, write_results
from spinedsl.cli.progress import Say, phases
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.voice import UsageError, note, warn
from spinedsl.diagnostics.plain import counted, one_line

if TYPE_CHECKING:
    from spinedsl.inference.prediction import Predictions

EXAMPLES = """\
examples:
  spine predict runs/sizes photo.jpg                            the likeliest classes, with their shares
  spine predict sizes.onnx photos/ 'more/*.png' -o out          pictures with what was predicted, and tables
  spine predict runs/faces one.jpg other.jpg                    how similar they are
  spine predict runs/faces photos/ --gallery known.safetensors  who it is, or nobody who is known
  spine predict runs/sizes photos/ --format csv --top 1 > predicted.csv
  spine predict runs/finder frames/ --score 0.4 -o found        boxes with their classes, drawn on each frame
  spine predict runs/finder photos/ --coco-results found.json   all boxes, as COCO's results
  spine predict runs/finder photos/ --coco-results found.json --coco-ids test.json   with the ids of that file

Images are files, folders (all images below them) and patterns. Those that cannot be read are all reported, the others
go on, and the exit status is 1. -o writes predictions.json, predictions.csv and a picture for each image.

A network that was trained on faces aligned by five points needs such: --landmarks has them, a line for each image.

A person is unknown below a threshold: that of --threshold, else the one that --evaluation chose, else the gallery's
own; which of them counts is printed. Without one, everybody is named.

A detector finds boxes in pixels of the image itself, from a checkpoint, or from a model of `spine export` or of
`spine compile --detect`. Those above --score are shown; --coco-results has all that the
network finds, with images and classes numbered from 1 in their order, or as --coco-ids has them, and their names.
"""
TABLES = ("predictions.json", "predictions.csv")
LETTERS = 100  # of an image's name, in that of its picture
FEW = 3  # guesses that a line shows


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    model_argument(parser)
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="files, folders and patterns")
    parser.add_argument("--gallery", metavar="PATH", help="known persons, as `spine gallery` writes them")
    parser.add_argument(
        "--threshold",
        metavar="NUMBER",
        type=_cosine,
        help="the similarity from which on two are one person, from -1 to 1",
    )
    parser.add_argument("--evaluation", metavar="PATH", help="an eval.json of the same network, whose threshold counts")
    landmarks_argument(parser)
    parser.add_argument(
        "--top", metavar="N", type=count, help="guesses for each image at most (default 5; of a detector, all boxes)"
    )
    parser.add_argument(
        "--score", metavar="NUMBER", type=_score, help="of a detector: the score that boxes are above (default 0.3)"
    )
    parser.add_argument(
        "--coco-results", metavar="FILE", help="write what a detector found as COCO's results, a box a line"
    )
    parser.add_argument(
        "--coco-ids", metavar="FILE", help="file with the ids for --coco-results: COCO's JSON that lists the images"
    )
    output_arguments(parser, "the folder for pictures and tables", required=False)
    format_argument(parser, "csv")


def run(options: argparse.Namespace) -> int:
    """Predict, print and write; 1 where an image could not be read."""
    extras.require(*extras.MODULE, "numpy", "PIL", "safetensors")
    if options.top is not None and options.top < 1:
        raise UsageError("--top: expected 1 or more, got 0")
    if options.threshold is not None and options.evaluation is not None:
        raise UsageError("--threshold and --evaluation both say from which similarity on: give one of them")
    if options.output is not None and (status := _refused(options, TABLES)):
        return status
    if options.coco_ids is not None and options.coco_results is None:
        raise UsageError("--coco-ids says how --coco-results number images, and there are none: give both")
    if options.coco_results is not None:
        reads = [options.model, *options.images, *filter(None, [options.landmarks, options.coco_ids])]
        if status := refused(options.coco_results, "results", force=options.force, reads=reads):
            return status
    from spinedsl.data.pictures import BadPicture  # noqa: PLC0415  Pillow and torch are only needed here
    from spinedsl.inference.prediction import predict  # noqa: PLC0415
    from spinedsl.inference.using import engine_of  # noqa: PLC0415

    try:
        with phases() as say:
            say("opening the network")
            engine = engine_of(options.model, options.device)
            if engine.find is None and (options.score is not None or options.coco_results is not None):
                what = "score" if options.score is not None else "coco-results"
                raise UsageError(f"--{what} is for detectors; {one_line(options.model)} was trained for {engine.kind}")
            for text in engine.notes:
                warn(text)
            found = predict(
                engine, options.images, gallery=options.gallery, threshold=options.threshold,
                evaluation=options.evaluation, landmarks=options.landmarks, top=options.top, score=options.score,
                ids=options.coco_ids, device=options.device,
                hear=lambda done, of: say(f"looking at the images: {done:,} of {of:,}"),
            )  # fmt: skip
            status = _given_out(options, found, say)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1
    except BadPicture as gone:  # since it was predicted for
        warn(str(gone))
        return 1
    return 1 if status or found.unread else 0


def _given_out(options: argparse.Namespace, found: Predictions, say: Say) -> int:
    """What is wrong, then the predictions, then files."""
    if found.reported:
        say_diagnostics(found.reported, sys.stderr)
    _tell_threshold(found)
    if options.format == "json":
        print(json.dumps(found.to_json(), indent=2))
    elif options.format == "csv":
        print(found.to_csv(), end="")
    elif found.rows:
        print("\n".join(table(list(_lines(found)), left=range(2 + FEW))))
    if options.coco_results is not None and (status := write_results(options.coco_results, found)):
        return status
    if options.output is None or not found.rows:
        return 0
    names = pictures(found)
    if status := _refused(options, names, found):
        return status
    status = write_folder(options.output, _files(found, names, say))
    if not status:
        note(f"{one_line(options.output)} has {', '.join(TABLES)} and {counted(len(names), 'picture')}")
    return status


def _refused(options: argparse.Namespace, names: tuple[str, ...], found: Predictions | None = None) -> int:
    reads = [one for one in (options.model, options.gallery, options.evaluation, options.landmarks) if one]
    reads += [row.path for row in found.rows] if found is not None else []
    return refused_folder(options.output, names, force=options.force, reads=reads)


def pictures(found: Predictions) -> tuple[str, ...]:
    """A name for the picture of each image, after its own: none twice, whatever a system takes for the same."""
    taken: dict[str, str] = {}
    for row in found.rows:
        stem = Path(row.path).stem[:LETTERS]
        name, number = f"{stem}.png", 2
        while name.casefold() in taken:
            name, number = f"{stem}-{number}.png", number + 1
        taken[name.casefold()] = name
    return tuple(taken.values())


def _files(found: Predictions, names: tuple[str, ...], say: Say) -> Iterator[tuple[str, bytes]]:
    yield TABLES[0], (json.dumps(found.to_json(), indent=2) + "\n").encode()
    yield TABLES[1], found.to_csv().encode()
    for index, name in enumerate(names):
        say(f"drawing: {index:,} of {len(names):,}")
        yield name, found.to_png(index)


def _tell_threshold(found: Predictions) -> None:
    """Which threshold counts, on standard error."""
    if found.threshold is not None:
        how = f": it {found.threshold.how}" if found.threshold.how not in ("", "given") else ""
        nobody = found.threshold.value is None
        value = "that nothing reaches" if nobody else f"{found.threshold.value:.6g}"
        note(f"threshold {value}, from {one_line(found.source)}{one_line(how)}")
    elif found.gallery is not None:
        note("no threshold: nobody is unknown; `spine eval --gallery` chooses one")


def _lines(found: Predictions) -> Iterator[list[str]]:
    """A line for each image: what was predicted, and the next guesses."""
    for row in found.rows:
        cells = [one_line(row.path)]
        if found.kind == "persons":
            first = row.guesses[0]
            near = f"nearest {one_line(first.name)}" if row.person is None else ""
            cells += ["unknown" if row.person is None else one_line(row.person), f"{first.value:.4f}", near]
        else:
            form = {"classes": "{} {:.1%}", "boxes": "{} {:.2f}"}.get(found.kind, "{} {:.4f}")
            if found.kind == "boxes":
                cells.append(f"{len(row.guesses):,} box{'es' * (len(row.guesses) != 1)}")
            cells += [form.format(one_line(one.name), one.value) for one in row.guesses[:FEW]] or [
                "" if found.kind == "boxes" else "nothing to compare with"
            ]
        yield [*cells, *[""] * (2 + FEW - len(cells))]


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a score, from 0 to 1, got {text!r}")
    return value


def _cosine(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 2.0
    if not -1 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a cosine, from -1 to 1, got {text!r}")
    return value
