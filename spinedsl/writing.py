"""Files written whole or not at all, and temporary files that show whether their writer lives.

In: a path and bytes. Out: the file, or an `OSError`, after which the file that was there before stands as it was.
A writer holds a lock on its file, which the system takes away when the process ends, however it ends. Whoever writes
into a folder first removes the temporary files of spine that nobody holds. Where a system or a disk has no such locks,
they stay.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

ENDING = ".spine-part"  # of our temporary files, and of no file that people make


def write_file(path: Path, data: bytes) -> None:
    """Write a file completely or not at all: a temporary file beside it, synced, then renamed.

    Temporary files that killed writers left in the folder go first. A file that is there keeps its permissions; of a
    symbolic link, the file that it leads to is written. What is no file, such as a pipe or `/dev/null`, is written to
    as it stands.

    Raises:
        OSError: the system refuses it, or the disk is full.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path = path.resolve()
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    with temporary_beside(path) as (file, temporary):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        if mode is None:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        temporary.chmod(mode)
        temporary.replace(path)


def refusal(folder: Path) -> str:
    """Why nothing can be written into a folder, which may have to be made, as far as can be told; else nothing."""
    there = next(place for place in (folder, *folder.resolve().parents) if os.path.exists(place))  # noqa: PTH110
    if not there.is_dir():
        return f"`{there}` is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"nothing can be written in {there}: permission denied"


@contextmanager
def temporary_beside(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """An empty file beside `path` and its name, held until the end; what was not renamed by then is removed."""
    remove_leftovers(path.parent)
    descriptor, temporary = _held(path)
    lock = os.dup(descriptor)  # which outlives the file: on some systems only a closed one can be renamed
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        os.close(lock)


@cache
def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left in a folder, once for each process: a folder may have many files to write."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(ENDING):
                with suppress(OSError):
                    _remove_unheld(Path(entry.path))


def _held(path: Path) -> tuple[int, Path]:
    """A new file that is locked, and there: another process may take it for a leftover before it is locked."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=ENDING)
        if not _lock(descriptor, wait=True) or os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)


def _remove_unheld(path: Path) -> None:
    """Remove a file that no process has locked; links and what is no file stay."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(descriptor, wait=False):
            path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock an open file until it is closed; false where another process has it, or there are no such locks."""
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: PLC0415  not every system has it
    except ImportError:
        return False
    with suppress(OSError):
        flock(descriptor, LOCK_EX if wait else LOCK_EX | LOCK_NB)
        return True
    return False
