"""`spine weights put`: an ONNX model that `spine compile` wrote, with other weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spinedsl import checks as say
from spinedsl import extras, reading
from spinedsl.cli.options import choice_arguments, output_arguments
from spinedsl.cli.output import refused, write_files
from spinedsl.cli.progress import phases
from spinedsl.cli.request import read_weights, tell_origin
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.voice import UsageError
from spinedsl.diagnostics.plain import one_line
from spinedsl.ops.digests import model_holds, model_is_ours
from spinedsl.source import Source

EXAMPLES = """\
examples:
  spine weights put model.onnx trained.safetensors -o trained.onnx

The graph stays as it is, and so does the level of passes: the file is what compiling with these weights gives. How the
tensors of a model of `-O1` are made of those of the network stands in the model.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="MODEL", type=Path, help="an ONNX model that `spine compile` wrote")
    parser.add_argument("weights", metavar="WEIGHTS", type=Path, help="a weights file of its network")
    choice_arguments(parser)
    output_arguments(parser, "the .onnx file to write, or - for standard output")


def run(options: argparse.Namespace) -> int:
    """Read, fill and write; nothing is written unless all of it is good."""
    reads = (options.file, options.weights)
    if status := refused(options.output, "onnx", force=options.force, reads=reads):
        return status
    extras.require("onnx", "numpy", *extras.of_weights(options.weights))
    data = _model(options.file, options.weights)
    if data is None:
        return 1
    from spinedsl.backends.onnx.refill import Refusal, opened, refilled  # noqa: PLC0415  onnx is only needed here
    from spinedsl.weights import compare  # noqa: PLC0415

    try:
        empty = opened(data)
        weights = read_weights(options.weights, options.key, options.prefix)
        if weights is None:
            return 1
        fit = compare(empty.needed, weights.tensors, weights.prefix, empty.dropped)
        if not fit.whole:
            say_diagnostics([fit.diagnostic(weights.path, empty.network)], sys.stderr)
            return 1
        tell_origin(options.weights, fit)
        if options.output == "-" and any(one.external_data for one in empty.model.graph.initializer):
            raise UsageError("its tensors stand in a second file: name the first one, as in -o model.onnx")
        with phases() as tell:
            tell(f"filling {one_line(str(options.file))}")
            files = refilled(empty, fit.fitting(), options.weights.name)
    except Refusal as refusal:
        return _refuse(options.file, options.weights, str(refusal), refusal.fix)
    return write_files(options.output, files, force=options.force)


def _model(path: Path, weights: Path) -> bytes | None:
    """The bytes of a model as `spine compile` wrote it; None of others, which is reported."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = reading.reason_of(error) if isinstance(error, OSError) else "no file can have that name"
        say_mistakes([say.CANNOT_READ.at(Source(str(path), "").span(0, 0), path=str(path), reason=reason)])
        return None
    if not model_is_ours(memoryview(data)):
        swapped = weights.is_file() and model_is_ours(memoryview(_end(weights)))
        fix = f"the model stands before the weights: {one_line(str(weights))} {one_line(str(path))}"
        reason = "it is no model of `spine compile`, or was changed by another tool"
        _refuse(path, weights, reason, fix if swapped else "compile the network, and give that model")
        return None
    if not model_holds(memoryview(data)):
        where = Source(str(path), "").span(0, 0)
        say_mistakes(
            [say.DAMAGED_WEIGHTS.at(where, path=path, reason="it is not the model that was written").repaired()]
        )
        return None
    return data


def _end(path: Path) -> bytes:
    """The last bytes of a file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1024))
        return file.read()


def _refuse(path: Path, weights: Path, reason: str, fix: str) -> int:
    found = say.NOT_FILLED.at(Source(str(path), "").span(0, 0), path=path, weights=weights, reason=reason)
    say_mistakes([found.with_fix(fix)])
    return 1
