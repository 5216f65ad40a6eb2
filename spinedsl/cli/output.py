"""Write what a command makes: files, whole or not at all, and standard output."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from spinedsl import driver
from spinedsl.cli.terminal import UsageError, say_diagnostics
from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics import catalogue as say
from spinedsl.diagnostics.plain import one_line
from spinedsl.source import Source


def write_whole(path: Path, data: bytes) -> Diagnostic | None:
    """Write a file completely or not at all: a temporary file beside it, synced, then renamed.

    A file that is there keeps its permissions; of a symbolic link, the file that it leads to is written. What is no
    file, such as a pipe or `/dev/null`, is written to as it stands.
    """
    temporary: Path | None = None
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return None
        path = path.resolve()
        mode = path.stat().st_mode & 0o777 if path.exists() else None
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
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
        reason = driver.reason_of(error)
        return say.CANNOT_WRITE.at(Source(str(path), "").span(0, 0), path=str(path), reason=reason)
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return None


def write_files(output: str, files: Mapping[str, bytes]) -> int:
    """Write the files of a backend: the first to `output`, which may be `-`, the others beside it by their own names.

    Those come first: whatever interrupts this, the file at `output` never asks for one that is not there.
    """
    (_, main), *others = files.items()
    for name, data in others:
        if status := write_output(str(Path(output).with_name(name)), data):
            return status
        print(f"spine: {one_line(output)} needs {name} beside it", file=sys.stderr)
    return write_output(output, main)


def write_output(output: str, data: bytes) -> int:
    """Write what a command makes, whole or not at all, to a path or `-`; the exit status."""
    if output == "-":
        sys.stdout.buffer.write(data)
        return 0
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{output} is a folder: -o names the file to write")
    failed = write_whole(path, data)
    if failed is not None:
        say_diagnostics([failed], sys.stderr)
        return 1
    return 0
