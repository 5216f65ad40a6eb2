"""Compile a network to a PyTorch file, an ONNX model, or a Mermaid chart."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO, cast

from spinedsl import api, extras
from spinedsl.backends import BACKENDS, declared
from spinedsl.backends.choose import OPTIONS, takers
from spinedsl.backends.option import Option
from spinedsl.brief import table
from spinedsl.cli.lints import lint_arguments
from spinedsl.cli.options import (
    choice_arguments,
    network_arguments,
    output_arguments,
    outputs_argument,
    seed_argument,
    weights_argument,
)
from spinedsl.cli.output import apart, refused, write_files
from spinedsl.cli.progress import phases
from spinedsl.cli.request import chosen_weights, need_weights, requested_program
from spinedsl.cli.terminal import say_diagnostics
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics.plain import one_line
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program

if TYPE_CHECKING:
    from spinedsl.weights import Weights

EXAMPLES = """\
examples:
  spine compile net.spine --to torch -o model.py
  spine compile examples/spinenet.spine --network SpineNet49 --to torch --adapter timm -o spinenet49.py
  spine compile examples/spinenet.spine --network SpineNet49 --to onnx -o model.onnx
  spine compile net.spine --to torch --outputs P3,P4,P5 -o model.py
  spine compile net.spine --to onnx --dynamic batch,height,width --weights model.safetensors -o model.onnx
  spine compile net.spine --to onnx --opset 13 --batch 8 -o model.onnx
  spine compile net.spine --to onnx --verify -o model.onnx
  spine compile detector.spine --to onnx --detect --dynamic batch,height,width --score 0.3 -o detector.onnx
  spine compile net.spine --to onnx --explain-passes -o model.onnx
  spine compile net.spine --to onnx -O2 --for onnxruntime -o model.onnx
  spine compile net.spine --to torch --inference -o fast.py
"""

FLAGS = {"runtime": "for"}  # options that are called otherwise here, where it is no keyword


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)
    outputs_argument(parser)
    lint_arguments(parser)
    parser.add_argument("--to", required=True, choices=list(BACKENDS), help="what to compile to")
    output_arguments(parser, "the file to write, or - for standard output")
    for option in OPTIONS.values():
        _option(parser, option)
    parser.add_argument(
        "--explain-passes", action="store_true", help="list what each pass over an ONNX graph did, by row"
    )


def _option(parser: argparse.ArgumentParser, option: Option) -> None:
    """An option as the tables of the backends declare it; those that other commands have are the same here."""
    titles = ", ".join(declared(to).title for to in takers(option.name))
    if option.name == "weights":
        weights_argument(parser, f"; {titles} only")
        choice_arguments(parser)
    elif option.name == "seed":
        seed_argument(parser, f": {titles}, the values without --weights", default=None)
    else:
        forms: dict[str, dict[str, Any]] = {
            "flag": {"action": "store_true"},
            "count": {"type": partial(_count, option.what), "metavar": option.metavar},
            "share": {"type": _share, "metavar": option.metavar},
            "text": {"metavar": option.metavar},
            "names": {"type": _names, "metavar": option.metavar, "default": ()},
            "choice": {
                "type": type(option.choices[0]) if option.choices else str,
                "choices": option.choices,
                "metavar": option.metavar,
            },
        }
        short = ("-O",) if option.name == "optimise" else ()
        parser.add_argument(
            *short, _flag(option.name), dest=option.name, help=f"{titles}: {option.help}", **forms[option.kind]
        )


def _flag(name: str) -> str:
    """What an option is called here."""
    return f"--{FLAGS.get(name, name).replace('_', '-')}"


def _count(what: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) < 100_000:
        raise argparse.ArgumentTypeError(f"expected a number of {what}, 1 or more, got {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return found


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def run(options: argparse.Namespace) -> int:
    """Compile and write; nothing is written unless all of it is good."""
    given = _given(options)
    need_weights(options)
    reads = [options.file, *filter(None, [options.weights])]
    if status := refused(options.output, options.to, force=options.force, reads=reads):
        return status
    extras.require(*_needs(options))
    program = requested_program(options)
    if program is None:
        return 1
    apart(options.output, [text.name for text in program.sources])
    weights = None if options.weights is None else chosen_weights(options, program)
    if weights is None and options.weights is not None:
        return 1
    try:
        with phases() as say:
            say(f"compiling {program.name}" + (", and comparing the engines" if options.verify else ""))
            given["weights"] = weights
            files = api.emit(program, to=options.to, **given)
    except api.Mistakes as mistakes:
        say_diagnostics(mistakes.diagnostics, sys.stderr)
        return 1
    except api.Disagreement as disagreement:
        from spinedsl.cli.verify import for_people  # noqa: PLC0415  only for errors

        print(for_people(disagreement.report), file=sys.stderr)
        return 1
    except api.TooFewWitnesses as error:
        raise UsageError(str(error)) from None
    if program.dropped and options.weights is not None:
        note(f"tensors of rows that are left out are not taken from {one_line(options.weights)}")
    if options.to == "onnx" and options.weights is None:
        note(f"no --weights: values made from seed {options.seed or 0}")
    if options.explain_passes:
        _explain(program, options, weights, sys.stderr if options.output == "-" else sys.stdout)
    return write_files(options.output, files, force=options.force)


def _explain(program: Program, options: argparse.Namespace, weights: Weights | None, stream: TextIO) -> None:
    """What each pass did, by row."""
    from spinedsl.backends.onnx.target import Target  # noqa: PLC0415  most runs do without
    from spinedsl.passes import Numbers, effects, fitted  # noqa: PLC0415  as above

    graph, keep = flatten(program), frozenset[str]()
    chosen = api.chosen(options.to, {"optimise": options.optimise, "runtime": options.runtime})
    asked = chosen.optimise, chosen.runtime
    if weights is not None:  # of which some norms may be kept
        tensors = api.tensors_of(program, weights)
        keep = fitted(graph, asked[0], tensors, Target(half=options.half).most, asked[1])[0].keep
    found = effects(graph, *asked, keep, Numbers(options.half, frozenset(options.dynamic or ())))
    heads = ("pass", "row", "operations", "after", "multiply-adds saved", "KiB saved")
    rows = [
        (one.name, one.row, str(one.before), str(one.after), f"{one.multiply_adds:,}", f"{one.bytes / 1024:,.1f}")
        for one in found
    ]
    work, size = sum(one.multiply_adds for one in found), sum(one.bytes for one in found)
    print("\n".join(table([heads, *rows], left=(0, 1))), file=stream)
    print(f"\nall: {work:,} multiply-adds and {size / 1024:,.1f} KiB saved", file=stream)


def _given(options: argparse.Namespace) -> api.Given:
    """What is given for the backend, all of which it takes.

    Raises:
        UsageError: it does not.
    """
    given = cast("api.Given", {name: getattr(options, name) for name in OPTIONS})
    try:
        api.chosen(options.to, given)
    except api.OptionChoice as choice:
        raise UsageError(f"{_flag(choice.option)} {choice.reason}") from None
    if options.explain_passes and (options.to != "onnx" or options.optimise == 0):
        raise UsageError("--explain-passes says what passes did, and there are none: give --to onnx, without -O0")
    if options.to == "onnx" and options.output == "-":
        if options.external_data not in (None, "never"):
            raise UsageError("--external-data is for a file, beside which the second one stands: -o model.onnx")
        given["external_data"] = "never"
    return given


def _needs(options: argparse.Namespace) -> tuple[str, ...]:
    """The packages that this takes, all of them."""
    of_weights = extras.of_weights(options.weights) if options.weights is not None else ()
    passes = ("numpy",) if options.inference else ()
    return (*declared(options.to).packages, *passes, *of_weights, *(extras.to_compare() if options.verify else ()))
