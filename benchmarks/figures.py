"""Which commit a figure is of: every benchmark says it first, and with `--record` writes what it prints to FIGURES.md.

A section there is what one command line printed at last, of which commit, when, and by which Python. A run that fails
records nothing.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
RECORDED = "benchmarks/FIGURES.md"
FIGURES = ROOT / RECORDED
HEAD = "# Figures\n\nWhat benchmarks printed, as `--record` wrote it here. A `+` behind a commit: it had changes.\n"


def commit() -> str:
    """The commit of the checkout, in short, with `+` where something else than FIGURES.md was changed since.

    `unknown` without git.
    """

    def git(*words: str) -> str:
        command = ["git", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=10", "HEAD") + (
            "+" if git("status", "--porcelain", "--", ".", f":!{RECORDED}") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def measured(name: str, main: Callable[[], int | None]) -> int:
    """Run a benchmark, after its commit is printed, and record what it prints if that is wanted; the exit status."""
    wanted = "--record" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--record"]
    of = commit()
    print(f"commit {of}", flush=True)
    copy = Copy(sys.stdout)
    with redirect_stdout(copy):
        status = main() or 0
    if wanted and not status:
        record(command_of(name, sys.argv[1:]), of, copy.getvalue())
    return status


def command_of(name: str, words: Sequence[str]) -> str:
    """The command line, without options whose value is a path of this machine."""
    kept: list[str] = []
    for word in words:
        if os.sep in word and kept and kept[-1].startswith("--"):
            kept.pop()
        else:
            kept.append(word)
    return " ".join([f"python -m benchmarks.{name}", *kept])


def record(command: str, of: str, text: str, path: Path = FIGURES) -> None:
    """Put what a command printed in the place of what it printed before; sections are in order of the commands."""
    before = path.read_text(encoding="utf-8") if path.exists() else HEAD
    head, *sections = re.split(r"^(?=## )", before, flags=re.MULTILINE)
    found = {section.partition("\n")[0].removeprefix("## "): section.rstrip("\n") + "\n" for section in sections}
    day = dt.datetime.now(tz=dt.UTC).date()
    said = f"commit `{of}`, {day}, Python {platform.python_version()}"
    found[f"`{command}`"] = f"## `{command}`\n\n{said}\n\n```text\n{text.strip(chr(10))}\n```\n"
    parts = [head.rstrip("\n") + "\n", *(found[name] for name in sorted(found, key=lambda name: name.strip("`")))]
    path.write_text("\n".join(parts), encoding="utf-8")


class Copy(io.StringIO):
    """Keeps what is printed, and prints it."""

    def __init__(self, shown: TextIO) -> None:
        super().__init__()
        self.shown = shown

    def write(self, text: str) -> int:
        """Both."""
        self.shown.write(text)
        return super().write(text)

    def flush(self) -> None:
        """What is shown; what is kept needs none."""
        self.shown.flush()
