"""Evaluate a trained network: figures with intervals, the confusion of classes or the curve of verification."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from spinedsl import api, extras
from spinedsl.brief import cut
from spinedsl.cli.options import count, format_argument, model_argument, output_arguments, seed_argument
from spinedsl.cli.output import refused_folder, write_folder
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import say_diagnostics, say_mistakes, table
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics.plain import counted, one_line

if TYPE_CHECKING:
    from spinedsl.inference.evaluation import Evaluation

EXAMPLES = """\
examples:
  spine eval runs/sizes                                         on the validation images of its configuration
  spine eval runs/sizes/best.safetensors --data flowers/test -o eval
  spine eval faces.onnx --data lfw --pairs pairs.txt            verification, as LFW has it
  spine eval runs/faces --data people --gallery known.safetensors -o eval
  spine eval runs/sizes --format json | jq .figures.top_1

Classifiers: top-1, top-5, the mean recall of classes, the confusion. Networks that embed: verification over folds, the
share of accepted pairs of one person (TAR) at shares of accepted pairs of two (FAR), rank-1, and a threshold; with a
gallery, rank-1 in it, and how many of its persons are named (TPIR) where few others are (FPIR): persons whom it does
not know are unknown. Each has the interval that holds it with 95% confidence, by 1,000 resamples of the images, or,
since pairs of one person are not independent, of the persons.

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
    parser.add_argument(
        "--folds", metavar="N", type=count, help="over how many verification goes (10, or those there are)"
    )
    parser.add_argument(
        "--far", metavar="NUMBERS", type=_shares, help="shares of false pairs to accept, as in 0.01,0.001"
    )
    parser.add_argument(
        "--fpir", metavar="NUMBERS", type=_shares, help="shares of unknown persons' images to name, as in 0.1,0.01"
    )
    seed_argument(parser)
    output_arguments(parser, "the folder for eval.json and the picture", required=False)
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Evaluate, print and write; 1 where something is wrong with network or images."""
    extras.require(*extras.MODULE, "numpy", "PIL", "safetensors")
    if options.folds is not None and options.folds < 2:
        raise UsageError(f"--folds: verification needs 2 folds or more, got {options.folds}")
    if options.fpir is not None and options.gallery is None:
        raise UsageError("--fpir is a share of those who are not in a gallery: `--gallery` names one")
    if options.output is not None:
        reads = (options.model, options.data, options.gallery, options.pairs)
        if status := refused_folder(options.output, FILES, force=options.force, reads=[r for r in reads if r]):
            return status
    from spinedsl.inference.evaluation import evaluate  # noqa: PLC0415  torch is only needed here

    try:
        with phases() as say:
            say("opening the network")
            found = evaluate(
                options.model, options.data, gallery=options.gallery, pairs=options.pairs, folds=options.folds,
                far=options.far, fpir=options.fpir, device=options.device, seed=options.seed,
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
    return 0 if options.output is None else _write(options.output, found)


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
    what = f"of {len(found.classes):,} {'classes' if found.measured.confusion is not None else 'persons'}"
    print(f"{engine.network}, step {engine.step:,}, on {one_line(found.data)}: {counted(found.images, 'image')} {what}")
    rows = [
        (name, f"{one.value:.4f}", f"[{one.low:.4f}, {one.high:.4f}]" if one.low == one.low else "[no interval]")
        for name, one in found.figures.items()
    ]
    print("\n".join(table(rows)) if rows else "no figures")
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
