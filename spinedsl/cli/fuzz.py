"""Look for bugs in the compiler: try its laws on a network, on random edits of it and on random networks like it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from itertools import count as count_from
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl.cli.options import (
    OUTPUT,
    count,
    file_argument,
    format_argument,
    network_argument,
    seed_argument,
)
from spinedsl.cli.output import KINDS, cannot, write_whole
from spinedsl.cli.terminal import read_source, say_diagnostics, say_mistakes
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics.plain import counted, one_line, printable

if TYPE_CHECKING:
    from spinedsl.testing.fuzz import Failure, Report

EXAMPLES = """\
examples:
  spine fuzz net.spine
  spine fuzz examples/spinenet.spine --network SpineNet49 --examples 20
  spine fuzz net.spine --examples 1000 --seed 7 -o failures/

A checked network lowers, and every backend emits it; PyTorch, ONNX Runtime and the interpreter give the same shapes and
numbers; costs in closed form are those that torch counts; renaming, reordering and other rewrites change nothing;
formatting keeps meaning and comments; a planted mistake is refused with its code. Tried are the network itself, random
networks of the types of its file, and random edits of it. What fails is made as small as possible, and written as a
.spine file: please report it. Inputs are small, where the network takes small ones.

The table shows which block types were fed across how many levels from narrower (>), equal (=) and wider (<) inputs.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    file_argument(parser)
    network_argument(parser)
    parser.add_argument(
        "--examples", metavar="N", type=count, default=25, help="how many networks, and how many edits (default 25)"
    )
    seed_argument(parser)
    format_argument(parser)
    parser.add_argument(
        *OUTPUT,
        metavar="FOLDER",
        default=".",
        help="the folder for the smallest failure, made if it does not exist (default .)",
    )


def run(options: argparse.Namespace) -> int:
    """Try, and say what was covered; status 1 if a law does not hold."""
    folder = Path(options.output)
    if not _is_writable(folder):
        return 1
    extras.require(*extras.LAWS)
    from spinedsl.testing.fuzz import fuzz  # noqa: PLC0415  Hypothesis is only needed here

    source = read_source(options.file)
    if source.value is None:
        say_mistakes(source.diagnostics)
        return 1
    try:
        report = fuzz(source.value, options.network, examples=options.examples, number=options.seed, say=note)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} (--network NAME)") from None
    path = _write(report.failure, folder, options.seed) if report.failure is not None else None
    print(json.dumps(_plain(report, path), indent=2) if options.format == "json" else "\n".join(_lines(report, path)))
    return 0 if report.failure is None else 1


def _is_writable(folder: Path) -> bool:
    """The folder can be made and written to; where not, that is reported."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder: -o names the folder for what fails")
    above = folder.resolve()
    while not above.exists():
        above = above.parent
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return True
    say_diagnostics([cannot(folder, "permission denied" if above.is_dir() else f"{above} is no folder")], sys.stderr)
    return False


def _lines(report: Report, path: Path | None) -> list[str]:
    """What was tried and covered."""
    from spinedsl.testing.mistakes import CODES  # noqa: PLC0415

    covered = report.covered
    lines = [f"{count:>6} {what}" for what, count in report.tried]
    planted = covered.codes.total()
    lines.append(f"{planted:>6} mistakes planted in them, of {len(covered.codes)} of {len(CODES)} codes")
    lines += [
        "",
        f"{counted(covered.blocks, 'block')}, by levels from each input; channels < narrower, = equal, > wider:",
        "",
    ]
    lines += [f"  {line}" for line in covered.table()]
    if report.failure is None:
        return [*lines, "", "every law holds"]
    lines += ["", "a law does not hold", f"{report.failure.law}: {printable(report.failure.message)}"]
    return [*lines, *([f"the smallest network found is in {one_line(path)}"] if path is not None else [])]


def _plain(report: Report, path: Path | None) -> dict[str, Any]:
    """The same for programs."""
    covered, failure = report.covered, report.failure
    cells = [
        {"type": name, "levels": jump, "channels": change, "count": number}
        for (name, jump, change), number in sorted(covered.cells.items())
    ]
    return {
        "tried": dict(report.tried),
        "mistakes": dict(sorted(covered.codes.items())),
        "networks": covered.networks,
        "blocks": covered.blocks,
        "covered": cells,
        "holds": failure is None,
        "failure": None
        if failure is None
        else {
            "law": failure.law,
            "message": failure.message,
            "network": failure.network,
            "file": str(path) if path is not None else None,
            "text": failure.source.text,
        },
    }


def _write(failure: Failure, folder: Path, seed: int) -> Path | None:
    """The smallest failure as a file, over no other; None where it cannot be written, which is reported."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _free(folder, f"fuzz-{failure.law.replace(' ', '-')}")
    head = f"# Law `{failure.law}` does not hold of network `{failure.network}` (seed {seed}):\n"
    comment = "".join(f"#   {line}\n" for line in failure.message.splitlines())
    failed = write_whole(path, f"{head}{comment}{failure.source.text}".encode("utf-8", "backslashreplace"))
    if failed is not None:
        say_diagnostics([failed], sys.stderr)
        return None
    return path


def _free(folder: Path, stem: str) -> Path:
    """A name that is free, or that of an earlier failure."""
    for number in count_from(1):
        path = folder / (f"{stem}.spine" if number == 1 else f"{stem}-{number}.spine")
        if not path.exists() or (path.is_file() and KINDS["law"].begins(path.read_bytes())):
            return path
    raise AssertionError("there is always a further number")
