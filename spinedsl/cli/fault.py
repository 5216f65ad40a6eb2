"""A fault of the compiler: what someone who meets it needs, and what they may send us, in one file.

It holds versions, the command, the traceback, and every source that was read, with what these import. Nothing of the
environment goes into it, and no other file.
"""

from __future__ import annotations

import contextlib
import platform
import re
import shlex
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

from spinedsl import __version__, driver, reading
from spinedsl.cli.terminal import READ
from spinedsl.diagnostics.plain import one_line
from spinedsl.places import project_folder
from spinedsl.source import Source

PACKAGES = ("lark", "jinja2", "torch", "onnx", "numpy", "safetensors")
MAX_SOURCE = 1_000_000  # characters of one source
MAX_SOURCES = 4_000_000  # of all
_IMPORT = re.compile(r'^[ \t]*import[ \t]+"([^"\n]+)"', re.MULTILINE)  # read here, since the parser may be at fault


def report(error: Exception, arguments: Sequence[str]) -> str:
    """Write the reproducer and say where it is."""
    complaint = f"spine: internal error: {type(error).__name__}: {one_line(error)}\n"
    complaint += "This is a bug in spine, not a mistake in your file."
    text = "\n".join(
        [
            f"spine {__version__}, Python {platform.python_version()}, {platform.platform()}",
            ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name))),
            f"command: spine {shlex.join(arguments)}",
            "",
            *traceback.format_exception(error),
            *_shown(with_imports([*_named(arguments), *READ])),
        ]
    )
    name = _written(text)
    if name is None:
        return f"{complaint} Please report it with this:\n\n{text}"
    return (
        f"{complaint} Please report it with the file {name}, which holds the command and the sources that were read: "
        "look through it before you send it."
    )


def _written(text: str) -> str | None:
    """The file with the text, or None where there is no place for one."""
    try:
        with tempfile.NamedTemporaryFile("wb", prefix="spine-fault-", suffix=".txt", delete=False) as file:
            path = Path(file.name)
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError:
        with contextlib.suppress(OSError, UnboundLocalError):
            path.unlink()
        return None
    return str(path)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _named(arguments: Sequence[str]) -> Iterator[Source]:
    """The files that the command names, which it may not have read yet."""
    for argument in arguments:
        with contextlib.suppress(OSError, ValueError):
            path = Path(argument)
            if path.suffix == ".spine" and path.is_file() and (source := driver.read(path, argument).value) is not None:
                yield source


def with_imports(sources: Iterable[Source]) -> Iterator[Source]:
    """Sources, the last one first, each followed by what it imports, as far as a file may import it."""
    pending = list(sources)
    seen: set[str] = set()
    while pending:
        source = pending.pop()
        if source.origin in seen:
            continue
        if source.origin:
            seen.add(source.origin)
        yield source
        if not source.origin or len(seen) > reading.MAX_IMPORTS:
            continue
        here = Path(source.origin)
        folder = project_folder(here)
        for path in _IMPORT.findall(source.text):
            with contextlib.suppress(OSError, ValueError):
                target = (here.parent / path).resolve()
                if target.is_relative_to(folder) and target.is_file():
                    pending += filter(None, [driver.read(target).value])


def _shown(sources: Iterable[Source]) -> Iterator[str]:
    left = MAX_SOURCES
    for source in sources:
        text = source.text[: min(MAX_SOURCE, left)]
        left -= len(text)
        yield f"---- {source.name} ----"
        yield text if len(text) == len(source.text) else f"{text}\n---- and {len(source.text) - len(text)} more ----"
