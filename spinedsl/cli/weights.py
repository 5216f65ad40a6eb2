"""Weights: show what a file holds or a network needs, convert weights of other codes, verify a file, fill a model."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl.brief import cut, table, unit_of
from spinedsl.cli import put
from spinedsl.cli.options import (
    choice_arguments,
    file_argument,
    format_argument,
    input_argument,
    network_argument,
    network_arguments,
    output_arguments,
    outputs_argument,
)
from spinedsl.cli.output import apart, refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.request import read_weights, requested_program, requested_programs, tell_origin
from spinedsl.cli.terminal import say_diagnostics
from spinedsl.cli.voice import UsageError, note, warn
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.primitives import Initial

if TYPE_CHECKING:
    from spinedsl.weights import Fit, Weights

EXAMPLES = """\
examples:
  spine weights show model.safetensors                              names, shapes, types, and whether there are digests
  spine weights show net.spine                                      the canonical names that a network needs
  spine weights convert official.npz net.spine -o model.safetensors
  spine weights verify model.safetensors net.spine                  every bit, and that nothing is missing
  spine weights put model.onnx trained.safetensors -o trained.onnx

Weights files are safetensors, what PyTorch saves (nothing in it is run), .npz, ONNX models, an index of several files,
or a folder with one of them. What is in a file decides, not what it is called.
"""
CONVERT = """\
examples:
  spine weights convert dump.npz examples/spinenet.spine --network SpineNet49 -o spinenet49.safetensors
  spine weights convert backbone.npz examples/retinanet.spine --network RetinaNet49 --partial -o start.safetensors
  spine weights convert trained.pt net.spine -o trained.safetensors      the same tensors, with digests

Names are known of tensorflow/models (official/vision), tensorflow/tpu (models/official/detection), and the PyTorch port
SpineNet-Pytorch; what has canonical names already keeps them. A dump of a TensorFlow model is
  numpy.savez("dump.npz", **{variable.name: variable.numpy() for variable in backbone.variables})
of the backbone alone or of the whole model, and of a checkpoint of tensorflow/tpu
  reader = tf.train.load_checkpoint(path)
  numpy.savez("dump.npz", **{name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})

Of a checkpoint with several sets of tensors `--key ema` chooses one; `--prefix module.` says what stands before the
names where that is not plain, and `--map 'stem.*=s.enter.*'`, or a JSON file of old and new names, gives others.

Heads convert where the network has them: RetinaNet's towers (the first is that of the classes), a feature pyramid, and
the linear layer of a classifier.

What is written has a digest for each tensor and for the header. PyTorch loads it with
  model.load_state_dict(safetensors.torch.load_file("spinenet49.safetensors"))
and ONNX models take it with `spine compile --to onnx --weights`.
"""
VERIFY = """\
examples:
  spine weights verify model.safetensors
  spine weights verify spinenet49.safetensors examples/spinenet.spine --network SpineNet49
  spine weights verify start.safetensors net.spine --partial --format json | jq .missing

Exit status 1 where a digest does not hold or the tensors do not fit the network. With --partial some may be missing.
"""
SHOW = """\
examples:
  spine weights show model.safetensors
  spine weights show examples/spinenet.spine --network SpineNet49S
  spine weights show model.pt --format json | jq '.tensors[].name'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    show = _action(actions, "show", "list the tensors of a file, or those that a network needs", SHOW)
    file_argument(show, help="a weights file; or a .spine file, or - for one on standard input")
    network_argument(show)
    input_argument(show)
    outputs_argument(show)
    choice_arguments(show, prefix=False)
    convert = _action(actions, "convert", "convert weights to the names and layouts of a network", CONVERT)
    convert.add_argument("weights", metavar="WEIGHTS", type=Path, help="a weights file of another code, or of any")
    network_arguments(convert)
    outputs_argument(convert)
    convert.add_argument(
        "--map", metavar="OLD=NEW", action="append", default=[], type=_renames,
        help="other names for tensors, with * for any letters, or a JSON file of them; may be given several times",
    )  # fmt: skip
    output_arguments(convert, "the .safetensors file to write, or - for standard output")
    verify = _action(actions, "verify", "check digests, and that a file fits a network", VERIFY)
    verify.add_argument("weights", metavar="WEIGHTS", type=Path, help="a weights file")
    file_argument(verify, nargs="?", help="the .spine file of the network that it is for, or - for standard input")
    network_argument(verify)
    input_argument(verify)
    outputs_argument(verify)
    put.arguments(_action(actions, "put", "write an ONNX model again with other weights", put.EXAMPLES))
    for action in (convert, verify):
        choice_arguments(action)
        action.add_argument("--partial", action="store_true", help="some of the network's tensors may be missing")
    for action in (show, verify):
        format_argument(action)


def _renames(text: str) -> dict[str, str]:
    """`OLD=NEW`, or what a JSON file of old and new names holds, such as `spine diff --mapping` writes."""
    if not text.lower().endswith(".json"):
        old, sign, new = text.partition("=")
        if not sign or not old:
            raise argparse.ArgumentTypeError(f"expected OLD=NEW, or a .json file of old and new names, got {text!r}")
        return {old: new}
    try:
        found = json.loads(Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read {text}: {(error.strerror or '').lower()}") from None
    except (ValueError, RecursionError):
        raise argparse.ArgumentTypeError(f"{text} is no JSON") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise argparse.ArgumentTypeError(f"{text} is no object of old and new names")
    return found


def _action(actions: Any, name: str, text: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=examples
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Do what is asked for; the exit status."""
    action = {"show": _show, "convert": _convert, "verify": _verify, "put": put.run}[options.action]
    return action(options)


# ---- show ----


def _show(options: argparse.Namespace) -> int:
    """`spine weights show`: the tensors that a network needs, or those that a file holds."""
    if options.file == "-" or options.file.endswith(".spine"):
        program = requested_program(options)
        if program is None:
            return 1
        if options.key is not None:
            raise UsageError("--key is for a weights file: a .spine file has no sets of tensors")
        _print_needed(flatten(program), as_json=options.format == "json")
        return 0
    given = [name for name in ("network", "input", "outputs") if getattr(options, name) is not None]
    if given:
        raise UsageError(f"--{given[0]} is for a .spine file: weights have no networks")
    extras.require(*extras.of_weights(options.file))
    weights = read_weights(Path(options.file), options.key)
    if weights is None:
        return 1
    _print_held(weights, as_json=options.format == "json")
    return 0


def _print_needed(graph: Graph, *, as_json: bool) -> None:
    """The names, shapes and first values of the tensors that a network needs."""
    needed = graph.parameters
    elements = sum(parameter.elements for parameter in needed.values())
    trainable = sum(parameter.elements for parameter in needed.values() if parameter.trainable)
    if as_json:
        tensors = [
            {"name": name, "shape": p.shape, "trainable": p.trainable, "initial": _start(p.initial)}
            for name, p in needed.items()
        ]
        print(json.dumps({"network": graph.program.name, "parameters": trainable, "tensors": tensors}, indent=2))
        return
    holds = f"{counted(len(needed), 'tensor')}, {counted(elements, 'number')}, {trainable:,} of them trained"
    print(f"{graph.program.name}: {holds}\n")
    rows = [(name, _size(p.shape), _start(p.initial)) for name, p in needed.items()]
    _print_table([("name", "shape", "starts as"), *rows])


def _start(initial: Initial) -> str:
    if initial.how == "constant":
        return str(initial.value)
    return f"{initial.how.replace('_', ' ')}, variance {initial.value}/{initial.fan}"


def _print_held(weights: Weights, *, as_json: bool) -> None:
    """Names, shapes and types of the tensors that a file holds, and its metadata: long texts whole in JSON alone."""
    if as_json:
        tensors = [
            {"name": name, "shape": array.shape, "type": str(array.dtype)} for name, array in weights.tensors.items()
        ]
        found = {"file": weights.path, "digests": weights.sealed, "metadata": _notes(weights), "tensors": tensors}
        print(json.dumps(found, indent=2))
        return
    print(_summary(weights))
    for name, value in _notes(weights).items():
        print(f"{one_line(name)}: {cut(one_line(value))}")
    rows = [(one_line(name), _size(array.shape), str(array.dtype)) for name, array in weights.tensors.items()]
    print()
    _print_table([("name", "shape", "type"), *rows])


def _notes(weights: Weights) -> dict[str, str]:
    """The metadata but the digests."""
    digests = ("spine.header", "spine.sha256")
    return {name: value for name, value in weights.metadata.items() if not name.startswith(digests)}


def _summary(weights: Weights) -> str:
    digests = "every digest holds" if weights.sealed else "changed since" if weights.changed else "no digests"
    size = sum(array.nbytes for array in weights.tensors.values())
    unit, called = unit_of(size)
    holds = f"{counted(len(weights.tensors), 'tensor')}, {counted(weights.elements, 'number')}"
    return f"{one_line(weights.path)}: {holds}, {size / unit:.1f} {called}; {digests}"


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _print_table(rows: list[tuple[str, str, str]]) -> None:
    print("\n".join(table(rows, left=(0, 1, 2))))


# ---- convert ----


def _convert(options: argparse.Namespace) -> int:
    """`spine weights convert`: weights under the names of a network, with digests."""
    reads = (options.weights, options.file)
    if status := refused(options.output, "weights", force=options.force, reads=reads):
        return status
    extras.require(*extras.of_weights(options.weights))
    programs = requested_programs(options, whole=True)  # what another code names is told by all rows
    if programs is None:
        return 1
    program, whole = programs
    apart(options.output, [text.name for text in program.sources])
    from spinedsl.weights import convert, to_bytes  # noqa: PLC0415  numpy is only needed here

    with phases() as say:
        say(f"reading {one_line(options.weights)}")
        weights = _mapped(options)
        if weights is None:
            return 1
        say(f"converting {counted(len(weights.tensors), 'tensor')}")
        outcome = convert(flatten(program), weights, partial=options.partial, whole=flatten(whole))
    if outcome.diagnostics:
        say_diagnostics(outcome.diagnostics, sys.stderr)
    done = outcome.value
    if done is None:
        return 1
    metadata = {"format": "pt", "spine.network": program.name, "spine.from": options.weights.name}
    status = write_output(options.output, to_bytes(done.tensors, metadata))
    if status == 0:
        tell_origin(options.weights, done.fit)
        names = f"names of {done.scheme}" if done.scheme else "canonical names"
        of = counted(len(done.fit.parameters), "tensor")
        note(f"{len(done.tensors)} of {of} of {program.name}, from {names}")
        if done.left_out and not done.fit.beside:
            shown = one_line(", ".join(done.left_out[:3]))
            are = "is" if len(done.left_out) == 1 else "are"
            warn(f"{len(done.left_out)} left out that {are} no part of it, such as {shown}")
    return status


def _mapped(options: argparse.Namespace) -> Weights | None:
    """The weights that are to be converted, under the names that `--map` gives them."""
    renames = {old: new for names in options.map for old, new in names.items()}
    try:
        return read_weights(options.weights, options.key, options.prefix, renames)
    except api.OptionChoice as choice:
        raise UsageError(f"--map {choice.reason}") from None


# ---- verify ----


def _verify(options: argparse.Namespace) -> int:
    """`spine weights verify`: digests, numbers that are not finite, and whether the tensors fit a network."""
    about = (options.network, options.input, options.outputs, options.prefix)
    if options.file is None and (options.partial or any(given is not None for given in about)):
        raise UsageError("--network, --input, --outputs, --prefix and --partial need the .spine file of the network")
    extras.require(*extras.of_weights(options.weights))
    program = None if options.file is None else requested_program(options)
    if program is None and options.file is not None:
        return 1
    weights = read_weights(options.weights, options.key, options.prefix)
    if weights is None:
        return 1
    fit = None
    if program is not None:
        from spinedsl.weights import compare  # noqa: PLC0415  numpy is only needed here

        fit = compare(flatten(program).parameters, weights.tensors, weights.prefix, program.dropped)
        tell_origin(options.weights, fit)
    name = "" if program is None else program.name
    fits = not weights.not_finite() if fit is None else fit.partial if options.partial else fit.whole
    if options.format == "json":
        print(json.dumps(_verdict(weights, fit, name), indent=2))
    else:
        _print_verdict(weights, fit, name, fits=fits)
    return 0 if fits else 1


def _verdict(weights: Weights, fit: Fit | None, network: str) -> dict[str, Any]:
    """The result of `verify` as data, for programs."""
    found: dict[str, Any] = {
        "file": weights.path,
        "digests": weights.sealed,
        "changed": weights.changed,
        "key": weights.key,
        "tensors": len(weights.tensors),
        "not_finite": weights.not_finite(),
    }
    if fit is not None:
        found |= {
            "network": network,
            "whole": fit.whole,
            "missing": fit.missing,
            "unexpected": fit.unexpected,
            "misfits": dict(fit.misfits),
            "unusable": dict(fit.unusable),
            "prefix": fit.prefix,
            "beside": fit.beside,
        }
    return found


def _print_verdict(weights: Weights, fit: Fit | None, network: str, *, fits: bool) -> None:
    """The result of `verify` for people; where the tensors do not fit, why."""
    print(_summary(weights))
    for name, count in weights.not_finite().items() if fit is None else ():
        print(f"not finite: {count} of {counted(weights.tensors[name].size, 'number')} of `{one_line(name)}`")
    if fit is None:
        return
    if not fits:
        sys.stdout.flush()
        diagnostic = fit.diagnostic(weights.path, network)
        if fit.partial:
            there = len(fit.parameters) - len(fit.missing)
            fits_ = f"{counted(there, 'tensor')} {'fits' if there == 1 else 'fit'}"
            diagnostic = diagnostic.with_fix(f"{fits_} and nothing else is there: --partial accepts that")
        say_diagnostics([diagnostic], sys.stderr)
    elif fit.missing:
        there = len(fit.parameters) - len(fit.missing)
        print(f"{network}: {there} of {counted(len(fit.parameters), 'tensor')} are there, and fit")
    else:
        print(f"{network}: {_all(len(fit.parameters))} there, and fit")


def _all(count: int) -> str:
    return "its one tensor is" if count == 1 else f"all {count} tensors are"
