"""What the commands share: files named on the command line, options in common, printing, and writing whole files."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from spinedsl import api, driver
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.ops.program import Program
from spinedsl.source import Source


class UsageError(Exception):
    """The command line itself is wrong: one sentence, exit status 2."""


def size_argument(text: str) -> tuple[int, int]:
    """`640x640` or `640`: height and width in pixels."""
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH, as in 640x640, got {text!r}")
    height, width = int(parts[0]), int(parts[-1])
    if not height or not width:
        raise argparse.ArgumentTypeError(f"an input has at least one pixel, got {text!r}")
    return height, width


def file_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose a network."""
    parser.add_argument("file", metavar="FILE", help="a .spine file, or - for standard input")
    parser.add_argument("--network", metavar="NAME", help="which network, where the file has several")


def network_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose a network and its input."""
    file_arguments(parser)
    parser.add_argument(
        "--input", metavar="HxW", type=size_argument, help="height and width of the input, instead of the file's"
    )


def read_source(name: str) -> Outcome[Source]:
    """A file named on the command line; `-` is standard input."""
    if name == "-":
        return driver.read_bytes(sys.stdin.buffer, "<stdin>")
    return driver.read(Path(name), name)


def requested_program(options: argparse.Namespace) -> Program | None:
    """The program of the network that the options name; None when its file has mistakes, which are printed."""
    source = read_source(options.file)
    if source.value is None:
        say_diagnostics(source.diagnostics, sys.stderr)
        return None
    try:
        return api.program(source.value, network=options.network, size=options.input)
    except api.Mistakes as mistakes:
        say_diagnostics(mistakes.diagnostics, sys.stderr)
        return None
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} (--network NAME)") from None


def table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Lines of columns as wide as they have to be, to the right except those in `left`."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def spine_files(names: Iterable[str]) -> Iterator[str]:
    """Files as they are named; of a folder every `.spine` file below it, in order."""
    for name in names:
        path = Path(name)
        if name != "-" and path.is_dir():
            found = sorted(str(file) for file in path.rglob("*.spine") if file.is_file())
            if not found:
                raise UsageError(f"no .spine file in {name}")
            yield from found
        else:
            yield name


@dataclass(frozen=True)
class Page:
    """What a stream can show."""

    width: int
    colour: bool

    def bold(self, text: str) -> str:
        """A heading; plain where there are no colours."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text


def page_of(stream: TextIO) -> Page:
    """Colours on a terminal, and its width; neither elsewhere."""
    terminal = stream.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Page(shutil.get_terminal_size((120, 40)).columns if terminal else 120, colour)


def rendered(diagnostics: Iterable[Diagnostic], stream: TextIO, margin: int = 0) -> str:
    """Diagnostics as `stream` can show them, with `margin` columns left free."""
    from spinedsl.diagnostics.render import render  # noqa: PLC0415  a clean file has nothing to render

    page = page_of(stream)
    return render(diagnostics, colour=page.colour, width=page.width - margin)


def say_diagnostics(diagnostics: Iterable[Diagnostic], stream: TextIO) -> None:
    """Print diagnostics, coloured on a terminal, as wide as it is."""
    encoding = stream.encoding or "utf-8"
    print(rendered(diagnostics, stream).encode(encoding, "backslashreplace").decode(encoding), file=stream)


def write_whole(path: Path, data: bytes) -> Diagnostic | None:
    """Write a file completely or not at all: a temporary file beside it, synced, then renamed.

    A file that is there keeps its permissions; of a symbolic link, the file that it leads to is written.
    """
    temporary: Path | None = None
    try:
        path = path.resolve()
        mode = path.stat().st_mode & 0o777 if path.exists() else None
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is None:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return say.CANNOT_WRITE.at(Source(str(path), "").span(0, 0), path=str(path), reason=reason)
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return None
