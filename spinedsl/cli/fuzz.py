"""Look for faults of the compiler: try its laws on a network, on random edits of it and on random networks like it."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from spinedsl import api
from spinedsl.cli.output import write_whole
from spinedsl.cli.terminal import UsageError, read_source, say_diagnostics

if TYPE_CHECKING:
    from spinedsl.testing.fuzz import Failure, Report

NEEDS = ("hypothesis", "torch", "onnx", "onnxruntime")
HELP = "try the compiler's laws on a network and on random ones like it"
EXAMPLES = """\
examples:
  spine fuzz net.spine
  spine fuzz examples/spinenet.spine --network SpineNet49 --examples 20
  spine fuzz net.spine --examples 1000 --seed 7 -o failures/

A checked network lowers, and every backend emits it; PyTorch, ONNX Runtime and the interpreter give the same shapes and
numbers; costs in closed form are those that torch counts; renaming, reordering and other rewrites change nothing;
formatting keeps meaning and comments; a planted mistake is refused with its code. Tried are the network itself, random
networks of the types of its file, and random edits of it. What fails is made as small as it goes, and written as a
.spine file: please report it. Inputs are small, where the network takes small ones.

The table shows which block types were fed across how many levels from narrower (>), equal (=) and wider (<) inputs.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="FILE", help="a .spine file, or - for standard input")
    parser.add_argument("--network", metavar="NAME", help="which network, where the file has several")
    parser.add_argument(
        "--examples", metavar="N", type=int, default=25, help="so many networks, and so many edits (default 25)"
    )
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="what is drawn depends on it (default 0)")
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", default=".", help="where the smallest failure is written (default .)"
    )


def run(options: argparse.Namespace) -> int:
    """Try, and say what was covered; status 1 if a law does not hold."""
    if options.examples < 0:
        raise UsageError(f"--examples is a count, got {options.examples}")
    folder = Path(options.output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{options.output} is no folder: -o names the folder for what fails")
    for package in NEEDS:
        import_module(package)
    from spinedsl.testing.fuzz import fuzz  # noqa: PLC0415  Hypothesis is only needed here

    source = read_source(options.file)
    if source.value is None:
        say_diagnostics(source.diagnostics, sys.stderr)
        return 1
    try:
        report = fuzz(
            source.value, options.network, examples=options.examples, number=options.seed,
            say=lambda text: print(f"spine: {text}", file=sys.stderr),
        )  # fmt: skip
    except api.Mistakes as mistakes:
        say_diagnostics(mistakes.diagnostics, sys.stderr)
        return 1
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} (--network NAME)") from None
    print("\n".join(_lines(report)))
    return _write(report.failure, folder, options.seed) if report.failure is not None else 0


def _lines(report: Report) -> list[str]:
    """What was tried and covered."""
    from spinedsl.testing.mistakes import CODES  # noqa: PLC0415

    covered = report.covered
    lines = [f"{count:>6} {what}" for what, count in report.tried]
    planted = covered.codes.total()
    lines.append(f"{planted:>6} mistakes planted in them, of {len(covered.codes)} of {len(CODES)} codes")
    lines += ["", f"{covered.blocks} blocks, by levels from each input; channels < narrower, = equal, > wider:", ""]
    lines += [f"  {line}" for line in covered.table()]
    return [*lines, "", "every law holds" if report.failure is None else "a law does not hold"]


def _write(failure: Failure, folder: Path, seed: int) -> int:
    """The smallest failure as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"fuzz-{failure.law.replace(' ', '-')}.spine"
    head = f"# Law `{failure.law}` does not hold of network `{failure.network}` (seed {seed}):\n"
    said = "".join(f"#   {line}\n" for line in failure.message.splitlines())
    failed = write_whole(path, f"{head}{said}{failure.source.text}".encode("utf-8", "backslashreplace"))
    if failed is not None:
        say_diagnostics([failed], sys.stderr)
        return 1
    print(f"{failure.law}: {failure.message}\nthe smallest network found is in {path}")
    return 1
