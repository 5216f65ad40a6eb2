"""Quantise a network: an int8 ONNX model, calibrated on pictures, with the rows that suffer most left in float."""

from __future__ import annotations

import argparse
import json
import sys

from spinedsl import api, extras
from spinedsl.backends import DEFAULT_OPSET, OPSETS
from spinedsl.brief import unit_of
from spinedsl.cli.given_network import given_network
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
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.performance.given import Given
from spinedsl.performance.quantize import PICTURES, USUAL_ERROR, Quantized, Wanted, quantized
from spinedsl.quantise.engines import ENGINES, USUAL

EXAMPLES = """\
examples:
  spine quantize runs/cells --calibrate photos -o int8.onnx
  spine quantize cells.spine --weights runs/cells/best.safetensors --calibrate photos --data test -o int8.onnx
  spine quantize net.spine --weights model.safetensors --calibrate photos --error 0.02 --keep s,b1 -o int8.onnx
  spine quantize runs/cells --calibrate photos --engine nncf -o int8.onnx

The graph of `-O1` becomes int8, with one scale for each channel of a kernel; the last convolutions and linear layers
before the outputs stay float. Ranges come from the pictures, prepared as the checkpoint says. Each row is tried alone,
and the error is measured on pictures that were not calibrated on: where the whole is above --error, the worst rows stay
float, as few as it takes. The table has both. --data judges by the task: the figures of float and int8, side by side.

Of a checkpoint the model takes pictures, and `spine eval` and `spine predict` run it.
`spine bench net.spine --int8 int8.onnx` measures it. What int8 gains depends on the processor.
"""


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
    parser.add_argument(
        "--engine", choices=ENGINES, default=USUAL,
        help=f"what places the int8 operations (default {USUAL}); nncf corrects biases too, and is an extra",
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
    extras.require(*_wanted(options).packages)
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
    try:
        with phases() as tell:
            found = quantized(given, _wanted(options), tell)
    except api.OptionChoice as choice:
        raise UsageError(f"--{choice.option} {choice.reason}") from None
    if found.reported:
        say_diagnostics(found.reported, sys.stderr)
    if status := write_output(options.output, found.model):
        return status
    print(json.dumps(found.to_json(), indent=2) if options.format == "json" else found)
    _remarks(options, given, found)
    return 0


def _wanted(options: argparse.Namespace) -> Wanted:
    return Wanted(
        options.calibrate, options.images, options.data, options.error, options.keep, options.reduce_range,
        options.opset, options.engine,
    )  # fmt: skip


def _remarks(options: argparse.Namespace, given: Given, found: Quantized) -> None:
    """What a reader should know of these figures, and what was written."""
    from spinedsl.timing.machine import this_machine  # noqa: PLC0415

    but = f", with {counted(len(found.kept), 'row')} in float" if found.kept else ""
    note(
        f"error {found.error:.4f} on {counted(found.measured, 'picture')}{but}; {found.error_all_int8:.4f} all in int8"
    )
    if not found.apart:
        note("errors are measured on what was calibrated on, and too small: name two pictures that differ")
    elif found.calibrated < 16:
        note(f"calibrated on {counted(found.calibrated, 'picture')} only: ranges of a few dozen hold better")
    if given.trained is None and options.weights is None:
        note(f"no --weights: values made from seed {options.seed or 0}, whose errors say little about trained ones")
    machine = this_machine()
    if machine.instructions is not None and not machine.dots and not options.reduce_range:
        note("this processor has no int8 dot products: sums may overflow here, which --reduce-range avoids")
    unit, called = unit_of(found.float_bytes)
    size, before = len(found.model) / unit, found.float_bytes / unit
    note(f"{one_line(options.output)}: {size:.1f} {called}; the tensors in float take {before:.1f}")


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
