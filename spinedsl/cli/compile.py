"""Compile a network to a PyTorch file, an ONNX model, or a Mermaid chart."""

from __future__ import annotations

import argparse
import sys

from spinedsl import api, extras
from spinedsl.backends import ADAPTERS, AXES, BACKENDS, DEFAULT_OPSET, EXTERNAL, OPSETS
from spinedsl.cli.options import network_arguments, output_arguments, outputs_argument, seed_argument, weights_argument
from spinedsl.cli.output import apart, refused, write_files
from spinedsl.cli.progress import phases
from spinedsl.cli.request import read_weights, requested_program
from spinedsl.cli.terminal import say_diagnostics
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics.plain import one_line

VERIFIED = ("torch", "onnx")
HELP = "compile a network to PyTorch or ONNX"
EXAMPLES = """\
examples:
  spine compile net.spine --to torch -o model.py
  spine compile examples/spinenet.spine --network SpineNet49 --to torch --adapter timm -o spinenet49.py
  spine compile examples/spinenet.spine --network SpineNet49 --to onnx -o model.onnx
  spine compile net.spine --to torch --outputs P3,P4,P5 -o model.py
  spine compile net.spine --to onnx --dynamic batch,height,width --weights model.safetensors -o model.onnx
  spine compile net.spine --to onnx --opset 13 --batch 8 -o model.onnx
  spine compile net.spine --to onnx --verify -o model.onnx
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)
    outputs_argument(parser)
    parser.add_argument("--to", required=True, choices=list(BACKENDS), help="what to compile to")
    output_arguments(parser, "the file to write, or - for standard output")
    parser.add_argument(
        "--dynamic", metavar="AXES", type=_axes, default=frozenset(),
        help="ONNX: axes that stay open, any of batch,height,width; sizes divide as the network's divisor says",
    )  # fmt: skip
    weights_argument(parser, "; ONNX only")
    seed_argument(parser, ": ONNX, the values without --weights")
    parser.add_argument(
        "--opset", type=int, choices=OPSETS, default=DEFAULT_OPSET, metavar="N",
        help=f"ONNX: version of its operators, {OPSETS[0]} to {OPSETS[-1]} (default {DEFAULT_OPSET}); old runtimes need"
        " old ones",
    )  # fmt: skip
    parser.add_argument("--batch", type=_images, default=1, metavar="N", help="ONNX: images at once (default 1)")
    parser.add_argument("--half", action="store_true", help="ONNX: tensors, input and outputs are float16")
    parser.add_argument(
        "--external-data", choices=EXTERNAL, default="auto", metavar="WHEN",
        help="ONNX: keep the tensors in a second file beside the model: always, never, or auto (above 2 GB)",
    )  # fmt: skip
    parser.add_argument(
        "--adapter", choices=ADAPTERS, default="", metavar="HOST",
        help=f"PyTorch: what a host expects of a backbone, in the same file: {', '.join(ADAPTERS)}",
    )  # fmt: skip
    parser.add_argument(
        "--verify", action="store_true",
        help="PyTorch, ONNX: compare as `spine verify` does; write only if all agree, and say so in the file",
    )  # fmt: skip


def _images(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) < 100_000:
        raise argparse.ArgumentTypeError(f"expected a number of images, 1 or more, got {text!r}")
    return int(text)


def _axes(text: str) -> frozenset[str]:
    axes = [axis.strip() for axis in text.split(",")]
    for axis in axes:
        if axis not in AXES:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(AXES)}, got {axis!r}")
    return frozenset(axes)


def run(options: argparse.Namespace) -> int:
    """Compile and write; nothing is written unless all of it is good."""
    if options.to != "onnx" and (options.weights is not None or options.dynamic):
        raise UsageError(
            "--weights and --dynamic are for --to onnx: a PyTorch file loads a state dict, and takes any size"
        )
    if options.adapter and options.to != "torch":
        raise UsageError("--adapter is for --to torch: hosts take PyTorch modules")
    if options.verify and options.to not in VERIFIED:
        raise UsageError(f"--verify is for --to {' and --to '.join(VERIFIED)}: nothing else can be run")
    reads = [options.file, *filter(None, [options.weights])]
    if status := refused(options.output, options.to, force=options.force, reads=reads):
        return status
    extras.require(*_needs(options))
    program = requested_program(options)
    if program is None:
        return 1
    apart(options.output, [text.name for text in program.sources])
    weights = None if options.weights is None else read_weights(options.weights)
    if weights is None and options.weights is not None:
        return 1
    try:
        with phases() as say:
            say(f"compiling {program.name}" + (", and comparing the engines" if options.verify else ""))
            files = api.emit(
                program, to=options.to, weights=weights, seed=options.seed, dynamic=options.dynamic,
                opset=options.opset, batch=options.batch, half=options.half,
                external_data="never" if options.output == "-" else options.external_data,
                adapter=options.adapter, verify=options.verify,
            )  # fmt: skip
    except api.Mistakes as mistakes:
        say_diagnostics(mistakes.diagnostics, sys.stderr)
        return 1
    except api.Disagreement as disagreement:
        from spinedsl.cli.verify import for_people  # noqa: PLC0415  nobody needs it on a good day

        print(for_people(disagreement.report), file=sys.stderr)
        return 1
    except api.TooFewWitnesses as error:
        raise UsageError(str(error)) from None
    if program.dropped and options.weights is not None:
        note(f"tensors of rows that are left out are not taken from {one_line(options.weights)}")
    if options.to == "onnx" and options.weights is None:
        note(f"no --weights: values made from seed {options.seed}")
    return write_files(options.output, files, force=options.force)


def _needs(options: argparse.Namespace) -> tuple[str, ...]:
    """The packages that this takes, all of them."""
    of_weights = extras.of_weights(options.weights) if options.weights is not None else ()
    return (*extras.BACKENDS[options.to], *of_weights, *(extras.to_compare() if options.verify else ()))
