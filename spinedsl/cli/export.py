"""Export a trained network: a model that takes pictures and gives what its task makes of them, and a card about it."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl.backends import DEFAULT_OPSET, OPSETS, OPTIMISE, RUNTIMES
from spinedsl.brief import table
from spinedsl.cli.options import asked_limits, format_argument, limit_arguments, output_arguments, path
from spinedsl.cli.output import KINDS, cannot, refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics.plain import one_line
from spinedsl.training.folder import checkpoint_in

if TYPE_CHECKING:
    from spinedsl.inference.export import Exported
    from spinedsl.ops.detection import Limits
    from spinedsl.training.build import Trained

EXAMPLES = """\
examples:
  spine export runs/cells/best.safetensors -o cells.onnx               pictures of any size in, shares of classes out
  spine export runs/cells/best.safetensors -o cells --to onnx --to openvino
  spine export best.safetensors -o cells.onnx --opset 15 --half        for old runtimes; with tensors of 16 bits
  spine export best.safetensors -o cells.onnx -O2 --for onnxruntime    less to compute, by passes that pay there
  spine export best.safetensors -o cells.onnx --images photos --evaluation results/eval.json --licence CC-BY-4.0
  spine export runs/finder -o finder.onnx --score 0.3                  pictures in, boxes in their own pixels out

Preprocessing is in an ONNX model: it takes pixels as files decode to, and resizes as Pillow does, to the same bits.
Models of the other formats take pictures of the network's size; the card has the lines that resize them.

A detector becomes ONNX or OpenVINO. Its model decodes, and keeps boxes by --score, --overlap, --top and --most, which
are those of the training if not given; `spine predict` and `spine eval` can take fewer of them, and no others.

Every model is run beside the checkpoint, on validation images where they are still there or on --images, and on
pictures of odd sizes; if one gives something else, nothing is written. NAME.md describes the models, with NAME.svg.
"""
TO = {"onnx": "onnx", "openvino": "openvino", "executorch": "executorch", "litert": "litert", "torch": "pt2"}
NEEDS = {
    "onnx": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino"), "executorch": ("executorch",),
    "litert": ("litert_torch", "ai_edge_litert"), "torch": (),
}  # fmt: skip  # as `inference/formats.py` has them, which needs PyTorch


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="FILE", type=path, help="a checkpoint of `spine train`, or the folder of a run")
    output_arguments(parser, "the model's file, or a folder for models, card and figure")
    parser.add_argument(
        "--to", choices=list(TO), action="append", default=[],
        help="the format, again for another one; else as the file's ending says, and onnx in a folder",
    )  # fmt: skip
    parser.add_argument(
        "--resize",
        choices=("inside", "outside"),
        help="whether an ONNX model takes pictures of any size, which it does, or those of the network's",
    )
    parser.add_argument(
        "--opset", metavar="N", type=int, choices=tuple(OPSETS),
        help=f"version of ONNX's operators, {OPSETS[0]} to {OPSETS[-1]} (default {DEFAULT_OPSET})",
    )  # fmt: skip
    parser.add_argument("--half", action="store_true", help="tensors of 16 bits, of ONNX and OpenVINO")
    parser.add_argument(
        "-O", "--optimise", metavar="N", type=int, choices=OPTIMISE,
        help="ONNX: level of exact passes, also for OpenVINO: 0 as written, 1 less to compute (default), 2 what pays"
        " --for a runtime",
    )  # fmt: skip
    parser.add_argument(
        "--for", dest="runtime", metavar="RUNTIME", choices=RUNTIMES,
        help=f"with -O2, what will run the ONNX model: {' or '.join(RUNTIMES)}",
    )  # fmt: skip
    parser.add_argument(
        "--batch", metavar="N", type=_batch, help="pictures at once, just so many; else any number where that goes"
    )
    parser.add_argument(
        "--images", metavar="PATH", type=path,
        help="pictures to compare on: a folder, a list, a pattern or a file; else the checkpoint's validation images",
    )  # fmt: skip
    parser.add_argument(
        "--evaluation", metavar="PATH", type=path, help="an eval.json of the same network, for the card"
    )
    parser.add_argument("--licence", metavar="TEXT", help="the licence that the card states")
    parser.add_argument("--latency", action="store_true", help="measure how long one picture takes, for the card")
    limit_arguments(parser, ", instead of those that it was trained with")
    format_argument(parser)


def _batch(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 4096):
        raise argparse.ArgumentTypeError(f"expected a number of pictures from 1 to 4095, got {text!r}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Export; nothing is written unless every model agrees with the checkpoint."""
    # As in training: threads that spin while they wait take the cores from each other.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    target = Path(options.output)
    formats = _formats(options, target)
    _refuse_idle(options, formats)
    packages = dict.fromkeys(package for name in formats for package in NEEDS[name])
    if extras.missing(extras.INFERENCE):
        extras.require(*extras.INFERENCE, *packages)
    options.file = checkpoint_in(options.file) or options.file
    trained = _trained(options.file)
    if trained.value is None:
        say_mistakes(trained.diagnostics)
        return 1
    if unfit := _unfit(trained.value, formats):
        say_mistakes(unfit)
        return 1
    extras.require(*packages)
    is_file = _kind_of(target) is not None and not target.is_dir()
    folder, stem = (target.parent, target.stem) if is_file else (target, trained.value.program.name)
    if not is_file and not folder.exists():
        if status := _new_folder(folder):
            return status
    elif status := _see(options, folder, stem, formats):
        return status
    try:
        with phases() as say:
            say("exporting, and comparing with the checkpoint")
            outcome = _exported(options, trained.value, stem, formats)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1
    if outcome.value is None:
        say_mistakes(outcome.diagnostics)
        return 1
    return _write(options, folder, outcome.value)


# ---- what is asked ----


def _kind_of(target: Path) -> str | None:
    """The format that a file's ending says."""
    return next((name for name, kind in TO.items() if target.suffix.lower() in KINDS[kind].endings), None)


def _formats(options: argparse.Namespace, target: Path) -> list[str]:
    """The formats that are asked for.

    Raises:
        UsageError: they do not go with the file's ending, or the ending is that of no format.
    """
    if options.output in ("", "-"):
        raise UsageError("a model, its card and its figure are several files: -o names the model's file, or a folder")
    formats = list(dict.fromkeys(options.to))
    if target.is_dir():
        return formats or ["onnx"]
    by_name = _kind_of(target)
    if by_name is None and target.suffix and not target.suffix[1:].isdigit():
        known = ", ".join(ending for kind in TO.values() for ending in KINDS[kind].endings)
        raise UsageError(f"`{target.suffix}` is the ending of no format ({known}): name a folder without one")
    if by_name is not None and formats not in ([], [by_name]):
        named = target.with_suffix(KINDS[TO[formats[0]]].endings[0])
        better = f"`{named}`" if len(formats) == 1 else f"a folder: `{target.with_suffix('')}`"
        raise UsageError(f"`{target}` is called as {KINDS[TO[by_name]].words}: name {better}")
    return [by_name] if by_name is not None else formats or ["onnx"]


# Of what only some formats take: its flag, and those.
_OF_SOME = {
    "opset": ("--opset", "onnx"), "resize": ("--resize", "onnx"), "half": ("--half", "onnx", "openvino"),
    "optimise": ("--optimise", "onnx", "openvino"), "runtime": ("--for", "onnx"),
}  # fmt: skip


def _refuse_idle(options: argparse.Namespace, formats: Sequence[str]) -> None:
    """See that everything that is asked for counts for something.

    Raises:
        UsageError: it does not.
    """
    for name, (flag, *takers) in _OF_SOME.items():
        value = getattr(options, name)
        if value is not None and value is not False and not set(takers) & set(formats):
            raise UsageError(f"{flag} is for {' and '.join(takers)}, and nothing else is written: `--to {takers[0]}`")
    if options.runtime and options.optimise != 2:
        raise UsageError("--for makes no difference without -O2, whose passes are for one runtime")
    if options.optimise == 2 and "onnx" in formats and not options.runtime:
        raise UsageError(f"-O2 of an ONNX model is for a runtime: say which, `--for {RUNTIMES[0]}` or `{RUNTIMES[1]}`")


def _trained(file: Path) -> Outcome[Trained]:
    """The checkpoint; of what is none, what to do instead."""
    from spinedsl import checks as say  # noqa: PLC0415  torch is only needed here
    from spinedsl.training.build import for_use, open_trained  # noqa: PLC0415

    outcome = open_trained(file).then(lambda trained: for_use(trained, file))
    if not any(found.code is say.NOT_A_CHECKPOINT for found in outcome.diagnostics):
        return outcome
    near = shlex.quote(str(file))
    fix = f"for weights alone: `spine compile NET.spine --to onnx --weights {near} -o model.onnx`"
    if file.is_dir():
        fix = "name a checkpoint, or the folder of a run, which has best.safetensors or last.safetensors"
    return Outcome(None, tuple(_instead(found, fix) for found in outcome.diagnostics))


def _unfit(trained: Trained, formats: Sequence[str]) -> list[Diagnostic]:
    """What says that a network cannot be in a format, which nobody then has to install."""
    extras.require("onnx")
    from spinedsl.inference.formats import unfit  # noqa: PLC0415  torch and onnx are only needed here

    return [found for name in formats if (found := unfit(name, trained)) is not None]


def _instead(found: Diagnostic, fix: str) -> Diagnostic:
    from spinedsl.record import replace  # noqa: PLC0415

    return replace(found, fixes=()).with_fix(fix)


def _exported(options: argparse.Namespace, trained: Trained, stem: str, formats: Sequence[str]) -> Outcome[Exported]:
    from spinedsl.inference.compared import samples_in, samples_of  # noqa: PLC0415
    from spinedsl.inference.export import Told, export  # noqa: PLC0415  torch is only needed here
    from spinedsl.inference.formats import Wanted  # noqa: PLC0415

    real = samples_of(trained, options.file) if options.images is None else None
    if options.images is not None:
        given = samples_in(options.images, trained)
        if given.value is None:
            return Outcome(None, given.diagnostics)
        real = given.value
    wanted = Wanted(
        options.opset or DEFAULT_OPSET, options.half, options.batch, options.resize != "outside",
        _limits(trained, options), 1 if options.optimise is None else options.optimise, options.runtime or "",
    )  # fmt: skip
    told = Told(options.licence, options.evaluation, options.latency)
    return export(trained, options.file, stem=stem, formats=formats, wanted=wanted, real=real, told=told)


def _limits(trained: Trained, options: argparse.Namespace) -> Limits | None:
    """What a detector shall keep, where something is asked for.

    Raises:
        Mistakes: the network is no detector.
        UsageError: a limit is out of its range.
    """
    from spinedsl.inference.using import limits_of  # noqa: PLC0415  torch is only needed here
    from spinedsl.ops.detection import Limits  # noqa: PLC0415

    asked = asked_limits(options)
    if not asked:
        return None
    try:
        given = limits_of(trained.task.kind, str(options.file), asked)
    except ValueError as error:
        raise UsageError(str(error).replace("limits: ", "--")) from None
    return Limits(**trained.limits | given)


# ---- what is written ----


def _see(options: argparse.Namespace, folder: Path, stem: str, formats: Sequence[str]) -> int:
    """Whether the files can be written: 1 if not, which is reported, else 0."""
    reads = [options.file, *filter(None, [options.images, options.evaluation])]
    for name, kind in _targets(stem, formats):
        target = folder / name
        forced = options.force or _is_listed(target, folder / f"{stem}.md")
        if status := refused(str(target), kind, force=forced, reads=reads):
            return status
    return 0


def _new_folder(folder: Path) -> int:
    """Whether a folder can be made: 1 if not, which is reported, else 0."""
    parent = folder.parent
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return 0
    reason = "permission denied" if parent.is_dir() else f"there is no folder `{parent}`"
    say_diagnostics([cannot(folder, reason)], sys.stderr)
    return 1


def _targets(stem: str, formats: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in formats:
        yield f"{stem}{KINDS[TO[name]].endings[0]}", TO[name]
        if name == "openvino":
            yield f"{stem}.bin", "tensors"
    yield f"{stem}.svg", "svg"
    yield f"{stem}.md", "card"


def _is_listed(target: Path, card: Path) -> bool:
    """A card of ours lists this very file."""
    try:
        text = card.read_bytes()
        return KINDS["card"].begins(text) and hashlib.sha256(target.read_bytes()).hexdigest().encode() in text
    except OSError:
        return False


def _write(options: argparse.Namespace, folder: Path, exported: Exported) -> int:
    if not folder.exists():
        folder.mkdir()
    for name, data in exported.files.items():
        if status := write_output(str(folder / name), data):
            return status
    if options.format == "json":
        print(json.dumps(_for_programs(folder, exported), indent=2))
        return 0
    from spinedsl.inference.parity import rows  # noqa: PLC0415  torch is only needed here

    kind = exported.kind
    print("\n".join(table(rows(exported.parity, kind), left=(0, 1, 4))))
    for name, milliseconds in exported.latency.items():
        print(f"{name}: {milliseconds:.2f} ms for a picture of the network's size")
    models = [name for names in exported.models.values() for name in names]
    note(f"written: {', '.join(one_line(folder / name) for name in (*models, exported.card))}")
    return 0


def _for_programs(folder: Path, exported: Exported) -> dict[str, Any]:
    return {
        "digest": exported.digest,
        "models": {name: [str(folder / file) for file in names] for name, names in exported.models.items()},
        "card": str(folder / exported.card),
        "parity": [
            {
                "format": one.format, "pictures": one.pictures, "count": one.count, "difference": one.difference,
                "alike": one.alike, "tolerance": one.tolerance,
                **({"boxes": one.boxes, "pixels": one.pixels} if exported.kind == "detection" else {}),
            }
            for one in exported.parity
        ],
        "latency": dict(exported.latency),
    }  # fmt: skip
