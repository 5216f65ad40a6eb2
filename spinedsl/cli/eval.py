"""Evaluate a trained network: figures with intervals, the confusion of classes, curves of verification or precision."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl.brief import cut, table
from spinedsl.cli.options import (
    asked_limits,
    count,
    format_argument,
    landmarks_argument,
    limit_arguments,
    model_argument,
    output_arguments,
    seed_argument,
)
from spinedsl.cli.output import refused, refused_folder, write_folder, write_results
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.voice import UsageError, note, warn
from spinedsl.diagnostics.plain import counted, one_line

if TYPE_CHECKING:
    from spinedsl.inference.detected import Detected
    from spinedsl.inference.engine import Engine
    from spinedsl.inference.evaluation import Evaluation
    from spinedsl.tasks.intervals import Interval

EXAMPLES = """\
examples:
  spine eval runs/sizes                                         on the validation images of its configuration
  spine eval runs/sizes/best.safetensors --data flowers/test -o eval
  spine eval faces.onnx --data lfw --pairs pairs.txt            verification, as LFW has it
  spine eval runs/faces --data people --gallery known.safetensors -o eval
  spine eval runs/sizes --format json | jq .figures.top_1
  spine eval runs/shapes --data shapes/test.json --coco-results found.json   a detector, and what it found

Classifiers: top-1, top-5, the mean recall of classes, the confusion. Detectors: COCO's average precision (AP), by size
and by class, on boxes in the pictures' own pixels, and precision over recall. Networks that embed: verification over
folds, the share of accepted pairs of one person (TAR) at shares of accepted pairs of two (FAR), rank-1, and a
threshold; with a gallery, rank-1 in it, and how many of its persons are named (TPIR) where few others are (FPIR):
persons whom it does not know are unknown. Each has the interval that holds it with 95% confidence, by 1,000 resamples
of the images (of many with boxes fewer, as eval.json says), or, since pairs of one person are not independent, of the
persons.

-o writes eval.json, and the picture as SVG and, where the extra `draw` is installed, as PNG.
"""
FILES = ("eval.json", "eval.svg", "eval.png")
IN_TABLE = 12  # classes whose confusion is printed whole
WORST = 5  # confusions that are printed of more


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    model_argument(parser)
    parser.add_argument(
        "--data", metavar="PATH",
        help="the images: a folder for each class or person, a list, idx files, or a configuration (.toml)",
    )  # fmt: skip
    parser.add_argument("--gallery", metavar="PATH", help="known persons, as `spine gallery` writes them")
    parser.add_argument(
        "--pairs", metavar="PATH", help="the list of pairs for verification, if it is not the data's own"
    )
    landmarks_argument(parser)
    parser.add_argument(
        "--folds", metavar="N", type=count, help="over how many verification goes (10, or those there are)"
    )
    parser.add_argument(
        "--far", metavar="NUMBERS", type=_shares, help="shares of false pairs to accept, as in 0.01,0.001"
    )
    parser.add_argument(
        "--fpir", metavar="NUMBERS", type=_shares, help="shares of unknown persons' images to name, as in 0.1,0.01"
    )
    limit_arguments(parser)
    parser.add_argument(
        "--coco-results", metavar="FILE", help="write what a detector found as COCO's results: JSON with the data's ids"
    )
    seed_argument(parser)
    output_arguments(parser, "the folder for eval.json and the picture", required=False)
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Evaluate, print and write; 1 where something is wrong with network or images."""
    extras.require(*extras.MODULE, "numpy", "PIL", "safetensors")
    if status := _refused(options):
        return status
    from spinedsl.inference.evaluation import evaluate  # noqa: PLC0415  torch is only needed here
    from spinedsl.inference.using import engine_of  # noqa: PLC0415

    try:
        with phases() as say:
            say("opening the network")
            engine = engine_of(options.model, options.device)
            limits = _limits(options, engine)
            for text in engine.notes:
                warn(text)
            found = evaluate(
                engine, options.data, gallery=options.gallery, pairs=options.pairs, landmarks=options.landmarks,
                folds=options.folds, far=options.far, fpir=options.fpir, limits=limits, seed=options.seed,
                hear=lambda done, of: say(
                    f"looking at the images: {done:,} of {of:,}" if done < of else "computing figures and intervals"
                ),
            )  # fmt: skip
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1
    if found.reported:
        say_diagnostics(found.reported, sys.stderr)
    if options.format == "json":
        print(json.dumps(found.to_json(), indent=2))
    else:
        _print(found)
    if options.coco_results is not None and (status := write_results(options.coco_results, found)):
        return status
    return 0 if options.output is None else _write(options.output, found)


def _refused(options: argparse.Namespace) -> int:
    """Whether something is asked for that cannot be, or written where it cannot be; 1 if so.

    Raises:
        UsageError: it should not be asked for so.
    """
    if options.folds is not None and options.folds < 2:
        raise UsageError(f"--folds: verification needs 2 folds or more, got {options.folds}")
    if options.fpir is not None and options.gallery is None:
        raise UsageError("--fpir is a share of those who are not in a gallery: `--gallery` names one")
    if options.coco_results == "-":
        raise UsageError("--coco-results: figures are printed, so name a file for the boxes, as in found.json")
    given = (options.model, options.data, options.gallery, options.pairs, options.landmarks)
    reads = [one for one in given if one]
    status = 0
    if options.coco_results is not None:
        status = refused(options.coco_results, "results", force=options.force, reads=reads)
    if options.output is not None and not status:
        status = refused_folder(options.output, FILES, force=options.force, reads=reads)
    return status


def _limits(options: argparse.Namespace, engine: Engine) -> dict[str, Any]:
    """What is asked of a detector.

    Raises:
        Mistakes: the network is none, and something is asked of one.
        UsageError: a limit is out of its range.
    """
    from spinedsl.inference.using import limits_of  # noqa: PLC0415  as above

    asked = asked_limits(options)
    if not asked and options.coco_results is None:
        return {}
    try:
        return limits_of(engine.kind, engine.path, asked)
    except ValueError as error:
        raise UsageError(str(error).replace("limits: ", "--")) from None


def _write(output: str, found: Evaluation) -> int:
    """The files of an evaluation, into a folder."""
    files = [("eval.json", (json.dumps(found.to_json(), indent=2) + "\n").encode())]
    svg = found.to_svg()
    if svg is not None:
        files.append(("eval.svg", svg.encode()))
        if not extras.missing(extras.FIGURES["png"]):
            from spinedsl.draw.png import NoFont, to_png  # noqa: PLC0415  only where it is installed

            try:
                files.append(("eval.png", to_png(svg)))
            except NoFont:
                note("no font is there to draw words with, and so no eval.png; the extra `draw` brings one")
    status = write_folder(output, files)
    if not status:
        note(f"{one_line(output)} has {', '.join(name for name, _ in files)}")
    return status


# ---- for people ----


def _print(found: Evaluation) -> None:
    engine = found.engine
    if found.measured.detected is not None:
        _print_detector(found, found.measured.detected)
        return
    what = f"of {len(found.classes):,} {'classes' if found.measured.confusion is not None else 'persons'}"
    print(f"{engine.network}, step {engine.step:,}, on {one_line(found.data)}: {counted(found.images, 'image')} {what}")
    _print_figures(found.figures)
    verified = found.measured.verification
    if verified is not None:
        over = f"{len(verified.accuracies)} folds of {counted(found.measured.pairs, 'pair')}"
        print(f"verification over {over}: standard deviation {verified.deviation:.4f}")
    if found.threshold is not None:
        print(f"threshold {found.threshold}")
    if found.measured.confusion is not None:
        _print_confusion(found.measured.confusion.tolist(), found.classes)
    for text in found.notes:
        note(text)


def _print_figures(figures: Mapping[str, Interval]) -> None:
    rows = [(name, f"{one.value:.4f}", _ends(one)) for name, one in figures.items()]
    print("\n".join(table(rows)) if rows else "no figures")


def _ends(one: Interval) -> str:
    return f"[{one.low:.4f}, {one.high:.4f}]" if one.low == one.low else "[no interval]"


def _print_detector(found: Evaluation, detected: Detected) -> None:
    """Its figures, and those of each class where there are few; else of those that are found worst."""
    from spinedsl.data.dataset import of_classes  # noqa: PLC0415  NumPy is only needed here

    engine, classes = found.engine, detected.classes
    there = f"{counted(found.images, 'image')} with {counted(detected.objects, 'object')} of {of_classes(len(classes))}"
    print(f"{engine.network}, step {engine.step:,}, on {one_line(found.data)}: {there}")
    _print_figures(found.figures)
    known = [one for one in classes if one.objects]
    shown = known if len(known) <= IN_TABLE else sorted(known, key=lambda one: one.ap.value)[:WORST]
    rows = [
        (cut(one_line(one.name), 18), counted(one.objects, "object"), f"{one.ap.value:.4f}", _ends(one.ap))
        for one in shown
    ]
    if len(known) > IN_TABLE:
        print(f"the {WORST} classes that are found worst:")
    if len(known) > 1:
        print("\n".join(table(rows)))
    for text in found.notes:
        note(text)


def _print_confusion(counts: list[list[int]], names: tuple[str, ...]) -> None:
    """All of it where there are few classes; else the most frequent confusions."""
    short = [cut(one_line(name), 18) for name in names]
    if len(names) <= IN_TABLE:
        rows = [["true \\ predicted", *short]]
        rows += [[name, *map(str, cells)] for name, cells in zip(short, counts, strict=True)]
        print("\n".join(table(rows)))
        return
    wrong = sorted(
        ((cell, row, column) for row, cells in enumerate(counts) for column, cell in enumerate(cells) if row != column),
        key=lambda one: (-one[0], one[1:]),
    )
    for cell, row, column in wrong[:WORST]:
        if cell:
            print(f"{short[row]} taken for {short[column]}: {counted(cell, 'time')}")


def _shares(text: str) -> tuple[float, ...]:
    """Shares above 0, below 1, with commas between."""
    try:
        found = tuple(float(one) for one in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < one < 1 for one in found):
        raise argparse.ArgumentTypeError(f"expected shares between 0 and 1, as in 0.01,0.001, got {text!r}")
    return tuple(sorted(set(found), reverse=True))
