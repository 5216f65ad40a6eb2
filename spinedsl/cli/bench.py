"""Measure how long a network takes in PyTorch, ONNX Runtime and OpenVINO, side by side."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spinedsl import api, extras
from spinedsl.cli.given_network import OF_A_FILE, given_checkpoint
from spinedsl.cli.lints import lint_arguments
from spinedsl.cli.options import (
    choice_arguments,
    count,
    file_argument,
    format_argument,
    input_argument,
    network_argument,
    output_arguments,
    path,
    seed_argument,
    weights_argument,
)
from spinedsl.cli.output import apart, kind_of_figure, refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.request import chosen_values, need_weights, requested_program
from spinedsl.cli.terminal import say_mistakes
from spinedsl.cli.voice import UsageError, note
from spinedsl.performance.given import is_checkpoint
from spinedsl.timing.names import LISTED, chosen, left_out, needs, unknown

if TYPE_CHECKING:
    from spinedsl.timing.engines import Job
    from spinedsl.timing.report import Bench

EXAMPLES = """\
examples:
  spine bench net.spine --rounds 5
  spine bench runs/cells --engines torch-inference,onnxruntime-O1
  spine bench examples/spinenet.spine --network SpineNet49 --input 256x256 --engines torch,onnxruntime-O1
  spine bench net.spine --weights model.safetensors --int8 int8.onnx -o bench.svg
  spine bench net.spine --engines onnxruntime-O0,onnxruntime-O1 --batch 8 --threads 2 --format json

Engines run in turns in one process, one image after the other. Times are those of the processor, over all threads;
`wall` is the time that passed. The ratio is to the first engine, round by round. `of peak` is the share of the
multiply-adds that a core does at most, as measured here in float32; narrower numbers can be above it. `memory` is what
the first run added at most, `error` the largest relative difference from the first engine's outputs.

In the place of a file stands a checkpoint of `spine train`, or the folder of its run: what its task reads is measured,
with its own values.

Engines: torch, torch-channels-last, torch-inference (as `spine compile --inference` writes it), torch-compiled
(minutes, and only where it is named), onnxruntime-O0, onnxruntime-O1, onnxruntime-O2, openvino (told to compute in
float32), openvino-bfloat16, int8 (with --int8).
"""
PICTURES = ("svg", "png")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    file_argument(parser, help="a .spine file, or a checkpoint of `spine train`, or the folder of its run")
    network_argument(parser)
    input_argument(parser)
    parser.add_argument(
        "--engines", metavar="NAMES", type=_engines, help="which ones, in this order, with commas between; else all"
    )
    parser.add_argument(
        "--int8", metavar="PATH", type=path, help="an int8 model of the network, as `spine quantize` has"
    )
    parser.add_argument("--batch", metavar="N", type=_some, default=1, help="images at once (default 1)")
    parser.add_argument("--threads", metavar="N", type=_some, default=1, help="threads of each engine (default 1)")
    parser.add_argument("--rounds", metavar="N", type=_some, default=30, help="how often each runs (default 30)")
    parser.add_argument(
        "--seconds", metavar="N", type=_some, default=60,
        help="begin no other round after so many seconds and 5 rounds (default 60)",
    )  # fmt: skip
    weights_argument(parser)
    choice_arguments(parser)
    seed_argument(parser, ": the image, and the values without --weights")
    lint_arguments(parser)
    output_arguments(parser, "a picture of the times, .svg or .png", required=False)
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Measure and print; status 1 if an engine cannot run the network."""
    need_weights(options)
    names = _asked(options)
    if status := _refused(options):
        return status
    extras.require("numpy", *(package for name in names for package in needs(name)))
    if options.weights is not None:
        extras.require(*extras.of_weights(options.weights))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the peak is that of one core
    found = _measured(options, names)
    if found is None:
        return 1
    if options.format == "json":
        print(json.dumps(found.to_json(), indent=2))
    else:
        print(found)
        _remarks(options, found, names)
    return 0 if options.output is None else _draw(options.output, found)


def _measured(options: argparse.Namespace, names: Sequence[str]) -> Bench | None:
    """The report; None where there is none, which is reported."""
    from spinedsl.timing.measure import Limit, bench  # noqa: PLC0415  NumPy is only needed here

    with tempfile.TemporaryDirectory() as folder:
        job = _job(options, Path(folder))
        if job is None:
            return None
        with phases() as say:
            found = bench(job, names, Limit(options.rounds, options.seconds), say)
    if found.value is None:
        say_mistakes(found.diagnostics)
    return found.value


def _job(options: argparse.Namespace, folder: Path) -> Job | None:
    """What is measured; None where it is wrong, which is reported."""
    from spinedsl.timing.engines import Job  # noqa: PLC0415  NumPy is only needed here

    program, tensors = None, None
    if is_checkpoint(options.file):
        extras.require(*extras.INFERENCE)
        try:
            given = given_checkpoint(options, tuple(name for name in OF_A_FILE if name != "seed"))
        except api.Mistakes as mistakes:
            say_mistakes(mistakes.diagnostics)
            return None
        program, tensors = given.program, given.tensors
    elif (program := requested_program(options)) is not None:
        if options.output is not None:
            apart(options.output, [text.name for text in program.sources])
        tensors = chosen_values(options, program)
    if program is None or tensors is None:
        return None
    return Job(program, tensors, folder, options.batch, options.threads, options.seed, options.int8)


# ---- what is asked ----


def _engines(text: str) -> tuple[str, ...]:
    """Names with commas between; one that is none is reported with what was meant."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in LISTED:
            raise argparse.ArgumentTypeError(unknown(name))
        if names.count(name) > 1:
            raise argparse.ArgumentTypeError(f"`{name}` is named twice: each engine runs once a round")
    return names


def _asked(options: argparse.Namespace) -> list[str]:
    """The engines that run: those that are named, else all that are installed.

    Raises:
        UsageError: one has no model.
        MissingPackage: none is installed.
    """
    names = list(options.engines or ())
    if "int8" in names and options.int8 is None:
        raise UsageError("--engines int8 runs a model that is given: --int8 PATH, as `spine quantize` writes it")
    return chosen(names, int8=options.int8 is not None)


def _refused(options: argparse.Namespace) -> int:
    """Whether the picture cannot be written, or the int8 model is not there: 1 if so, which is reported."""
    reads = [options.file, *filter(None, [options.weights, options.int8])]
    if options.int8 is not None and not options.int8.is_file():
        from spinedsl import checks as say  # noqa: PLC0415  only for errors
        from spinedsl.source import Source  # noqa: PLC0415

        reason = "it is a folder" if options.int8.is_dir() else "no such file"
        place = Source(str(options.int8), "").span(0, 0)
        say_mistakes([say.CANNOT_READ.at(place, path=str(options.int8), reason=reason)])
        return 1
    if options.output is None:
        return 0
    if options.output == "-":
        raise UsageError("the times are printed, so name a file for the picture, as in bench.svg")
    kind = kind_of_figure(options.output, PICTURES)
    extras.require(*extras.FIGURES.get(kind, ()))
    return refused(options.output, kind, force=options.force, reads=reads)


def _some(text: str) -> int:
    found = count(text)
    if not 0 < found < 100_000:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 99999, got {text!r}")
    return found


# ---- what is told ----


def _remarks(options: argparse.Namespace, report: Bench, names: Sequence[str]) -> None:
    """What a reader should know of these figures."""
    for one in report.timings:
        if one.note:
            note(f"{one.title}: {one.note}")
    if "openvino" in names and "openvino-bfloat16" in names:
        note("OpenVINO, where it is not told otherwise, computes in bfloat16 on processors that can")
    if options.weights is None and not is_checkpoint(options.file):
        note(f"no --weights: values made from seed {options.seed}, and errors are those of such values")
        if options.int8 is not None:
            note("int8 has the values that it was made of: where these are others, its error says nothing")
    if report.busy:
        note("other programs took the cores meanwhile: compare ratios, and times of the processor")
    left, lacking = ([], []) if options.engines else left_out(names)
    if lacking:
        note(f"{', '.join(left)}: not installed ({extras.install(lacking)})")


def _draw(output: str, report: Bench) -> int:
    from spinedsl.timing.plot import plot  # noqa: PLC0415  NumPy is only needed here

    svg = plot(report)
    if kind_of_figure(output) == "svg":
        return write_output(output, svg.encode())
    from spinedsl.draw.png import NoFont, to_png  # noqa: PLC0415  only for PNG

    try:
        return write_output(output, to_png(svg))
    except NoFont:
        print("spine: no font is there to draw words with; the extra `draw` brings one", file=sys.stderr)
        return 1
