"""Quantise a network: an int8 ONNX model, calibrated on pictures, with the rows that suffer most left in float."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl import checks as say
from spinedsl.backends import DEFAULT_OPSET, OPSETS
from spinedsl.brief import unit_of
from spinedsl.cli.given_network import Given, given_network
from spinedsl.cli.lints import lint_arguments
from spinedsl.cli.options import (
    choice_arguments,
    count,
    file_argument,
    format_argument,
    input_argument,
    network_argument,
    output_arguments,
    seed_argument,
    weights_argument,
)
from spinedsl.cli.output import apart, refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.request import need_weights
from spinedsl.cli.terminal import say_diagnostics, say_mistakes, table
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics import Outcome, nearest, one_of
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.ops.graph import flatten

if TYPE_CHECKING:
    from spinedsl.inference.evaluation import Evaluation
    from spinedsl.quantise.choose import Choice, Pictures
    from spinedsl.quantise.engine import Float

EXAMPLES = """\
examples:
  spine quantize runs/cells --calibrate photos -o int8.onnx
  spine quantize cells.spine --weights runs/cells/best.safetensors --calibrate photos --data test -o int8.onnx
  spine quantize net.spine --weights model.safetensors --calibrate photos --error 0.02 --keep s,b1 -o int8.onnx

The graph of `-O1` becomes int8, with one scale for each channel of a kernel; the last convolutions and linear layers
before the outputs stay float. Ranges come from the pictures, prepared as the checkpoint says. Each row is tried alone,
and the error is measured on pictures that were not calibrated on: where the whole is above --error, the worst rows stay
float, as few as it takes. The table has both. --data judges by the task: the figures of float and int8, side by side.

Of a checkpoint the model takes pictures, and `spine eval` and `spine predict` run it.
`spine bench net.spine --int8 int8.onnx` measures it. What int8 gains depends on the processor.
"""
USUAL_ERROR = 0.05
PICTURES = 64
MEASURED = 16  # pictures at most that errors are measured on


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    file_argument(parser, help="a .spine file, or a checkpoint of `spine train`, or the folder of its run")
    network_argument(parser)
    input_argument(parser)
    weights_argument(parser, "; of a checkpoint, task and preprocessing too")
    choice_arguments(parser)
    seed_argument(parser, ": the values without --weights", default=None)
    parser.add_argument(
        "--calibrate", metavar="PATH", required=True, help="pictures: a folder, a list, a pattern or a file"
    )
    parser.add_argument(
        "--images", metavar="N", type=_several, default=PICTURES,
        help=f"how many of the pictures, evenly spread (default {PICTURES}); a quarter of them is for measuring",
    )  # fmt: skip
    parser.add_argument("--data", metavar="PATH", help="images with labels, to judge by the checkpoint's task")
    parser.add_argument(
        "--error", metavar="NUMBER", type=_error, default=USUAL_ERROR,
        help=f"the relative error that an output may have (default {USUAL_ERROR})",
    )  # fmt: skip
    parser.add_argument("--keep", metavar="ROWS", type=_rows, default=(), help="rows that stay float, as in s,b1")
    parser.add_argument(
        "--reduce-range",
        action="store_true",
        help="weights of 7 bits, for x86 processors without VNNI, whose sums overflow",
    )
    parser.add_argument(
        "--opset", metavar="N", type=int, choices=tuple(OPSETS), default=DEFAULT_OPSET,
        help=f"version of ONNX's operators, {OPSETS[0]} to {OPSETS[-1]} (default {DEFAULT_OPSET})",
    )  # fmt: skip
    lint_arguments(parser)
    output_arguments(parser, "the .onnx file to write")
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Quantise, judge, print and write; nothing is written unless all of it is good."""
    need_weights(options)
    if options.output == "-":
        raise UsageError("the table is printed, so name a file for the model, as in int8.onnx")
    if options.seed is not None and options.weights is not None:
        raise UsageError("--seed makes values, and --weights brings them: leave one out")
    reads = [options.file, *filter(None, [options.weights])]
    if status := refused(options.output, "onnx", force=options.force, reads=reads):
        return status
    extras.require(*extras.INFERENCE, "onnx", "onnxruntime")
    if options.weights is not None:
        extras.require(*extras.of_weights(options.weights))
    try:
        given = given_network(options)
        return 1 if given is None else _run(options, given)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1


def _run(options: argparse.Namespace, given: Given) -> int:
    apart(options.output, [text.name for text in given.program.sources])
    if options.data is not None and given.trained is None:
        raise UsageError("--data judges by the task of a checkpoint, and none is named")
    from spinedsl.quantise.choose import choose  # noqa: PLC0415  NumPy and ONNX are only needed here
    from spinedsl.quantise.engine import Float  # noqa: PLC0415

    if given.trained is not None and options.data is not None:
        from spinedsl.quantise.judge import see_data  # noqa: PLC0415  torch is only needed here

        see_data(given.trained, Path(given.checkpoint), options.data)
    network = Float(given.program, given.tensors, options.opset)
    _see_rows(options, network)
    pictures = _pictures(options, given)
    with phases() as tell:
        choice = choose(
            network, pictures, keep=options.keep, limit=options.error, reduce_range=options.reduce_range, hear=tell
        )
        _see_int8(options, given, choice)
        tell("judging by the task")
        figures = _judged(options, given, choice)
    data = _model(options, given, network, choice, pictures)
    if status := write_output(options.output, data):
        return status
    found = _for_programs(choice, pictures, figures, network, len(data))
    print(json.dumps(found, indent=2) if options.format == "json" else "\n".join(_for_people(choice, figures)))
    _remarks(options, given, choice, pictures, len(data))
    return 0


# ---- what becomes of it ----


def _see_rows(options: argparse.Namespace, network: Float) -> None:
    """See that rows that are named are there.

    Raises:
        UsageError: one is not, or has nothing that could become int8.
    """
    for name in options.keep:
        if name not in network.rows:
            near = nearest(name, network.rows)
            hint = f"did you mean `{near}`?" if near else f"there are {one_of(network.rows, conjunction='and')}"
            raise UsageError(f"--keep: no row `{one_line(name)}` can become int8; {hint}")


def _pictures(options: argparse.Namespace, given: Given) -> Pictures:
    """Pictures as the network takes them.

    Raises:
        Mistakes: there are none, or one cannot be read.
    """
    import numpy as np

    from spinedsl.inference.compared import pictures_in  # noqa: PLC0415
    from spinedsl.quantise.choose import Pictures  # noqa: PLC0415

    path = Path(options.calibrate)
    found: Outcome[Any] = pictures_in(path, given.pre, boxes=given.finds_boxes, most=options.images)
    if found.value is None:
        raise api.Mistakes(found.diagnostics)
    images = [given.pre.apply(pixels)[None] for pixels in found.value.pictures]
    measured = images[3::4][:MEASURED] or images[:MEASURED]
    calibrated = [image for number, image in enumerate(images) if number % 4 != 3]
    return Pictures(calibrated, np.concatenate(measured))


def _see_int8(options: argparse.Namespace, given: Given, choice: Choice) -> None:
    """See that something became int8.

    Raises:
        Mistakes: nothing did.
    """
    if any(row.heavy and not row.kept for row in choice.rows):
        return
    reason = "it has no convolution and no linear layer before its last ones"
    if any(row.heavy for row in choice.rows):
        reason = f"with any row in int8 the error is above {options.error:g}; with all of them {choice.whole:.2g}"
    raise api.Mistakes([say.NOTHING_QUANTISED.at(given.place, network=given.program.name, reason=reason)])


def _judged(options: argparse.Namespace, given: Given, choice: Choice) -> tuple[Evaluation, Evaluation] | None:
    """The figures of the float network and of the int8 one; None where no labelled images are named."""
    if options.data is None or given.trained is None:
        return None
    from spinedsl.quantise.engine import runner  # noqa: PLC0415  torch is only needed here
    from spinedsl.quantise.judge import judged  # noqa: PLC0415

    found = judged(given.trained, runner(choice.model), Path(given.checkpoint), options.data)
    if found[0].reported:
        say_diagnostics(found[0].reported, sys.stderr)
    return found


def _model(options: argparse.Namespace, given: Given, network: Float, choice: Choice, pictures: Pictures) -> bytes:
    """The file of the model."""
    import onnxruntime

    from spinedsl.quantise.written import int8_model  # noqa: PLC0415

    about = {
        "by": f"onnxruntime {onnxruntime.__version__}", "pictures": len(pictures.calibrate),
        "reduce_range": options.reduce_range, "preprocessing": given.pre.to_json(),
    }  # fmt: skip
    return int8_model(network, choice, about, given.pre, given.trained, given.origin)


# ---- what is told ----


def _for_people(choice: Choice, figures: tuple[Evaluation, Evaluation] | None) -> list[str]:
    """A line for each row, and below them the figures of the task."""
    rows = [("row", "convolutions", "error alone", "")]
    rows += [
        (
            row.name,
            str(row.heavy),
            f"{row.error:.4f}",
            ("float, as asked" if row.asked else "float") if row.kept else "int8",
        )
        for row in choice.rows
        if row.heavy or row.error
    ]
    lines = table(rows, left=(0, 3))
    if figures is not None:
        first, second = (one.figures for one in figures)
        both = [
            (name, f"{one.value:.4f}", f"{second[name].value:.4f}", f"{second[name].value - one.value:+.4f}")
            for name, one in first.items()
            if name in second
        ]
        lines += ["", *table([("figure", "float", "int8", "difference"), *both])]
    return lines


def _remarks(options: argparse.Namespace, given: Given, choice: Choice, pictures: Pictures, size: int) -> None:
    """What a reader should know of these figures, and what was written."""
    from spinedsl.bench.machine import this_machine  # noqa: PLC0415

    rows = counted(len(choice.kept), "row")
    but = f", with {rows} in float" if choice.kept else ""
    note(
        f"error {choice.error:.4f} on {counted(len(pictures.measure), 'picture')}{but}; {choice.whole:.4f} all in int8"
    )
    if len(pictures.calibrate) < 16:
        note(f"calibrated on {counted(len(pictures.calibrate), 'picture')} only: ranges of a few dozen hold better")
    if given.trained is None and options.weights is None:
        note(f"no --weights: values made from seed {options.seed or 0}, whose errors say little about trained ones")
    machine = this_machine()
    if machine.instructions is not None and not machine.dots and not options.reduce_range:
        note("this processor has no int8 dot products: sums may overflow here, which --reduce-range avoids")
    before = sum(4 * parameter.elements for parameter in flatten(given.program).parameters.values())
    unit, called = unit_of(before)
    note(f"{one_line(options.output)}: {size / unit:.1f} {called}; the tensors in float take {before / unit:.1f}")


def _for_programs(
    choice: Choice, pictures: Pictures, figures: tuple[Evaluation, Evaluation] | None, network: Float, size: int
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "network": network.program.name, "error": choice.error, "error_all_int8": choice.whole,
        "pictures": {"calibrated": len(pictures.calibrate), "measured": len(pictures.measure)}, "bytes": size,
        "rows": [
            {"name": row.name, "convolutions": row.heavy, "error": row.error, "float": row.kept} for row in choice.rows
        ],
    }  # fmt: skip
    if figures is not None:
        found["figures"] = {
            name: {"float": _number(one.value), "int8": _number(figures[1].figures[name].value)}
            for name, one in figures[0].figures.items()
            if name in figures[1].figures
        }
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


# ---- what values are ----


def _several(text: str) -> int:
    found = count(text)
    if not 2 <= found < 100_000:
        raise argparse.ArgumentTypeError(f"expected 2 or more pictures, got {text!r}")
    return found


def _error(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 < found <= 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, up to 1, got {text!r}")
    return found


def _rows(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"expected names of rows, as in s,b1, got {text!r}")
    return names
