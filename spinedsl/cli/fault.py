"""A fault of the compiler: what someone who meets it needs, and what they may send us, in one file."""

from __future__ import annotations

import platform
import shlex
import tempfile
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from spinedsl import __version__

PACKAGES = ("lark", "jinja2", "torch", "onnx", "numpy", "safetensors")
MAX_SOURCE = 1_000_000


def report(error: Exception, arguments: Sequence[str]) -> str:
    """Write the reproducer and say where it is."""
    text = "\n".join(
        [
            f"spine {__version__}, Python {platform.python_version()}, {platform.platform()}",
            ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name))),
            f"command: spine {shlex.join(arguments)}",
            "",
            *traceback.format_exception(error),
            *_sources(arguments),
        ]
    )
    said = f"spine: internal error: {type(error).__name__}: {error}\nThis is a fault of spine, not of your file."
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="spine-fault-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError:
        return f"{said} Please report it with this:\n\n{text}"
    return f"{said} Please report it with the file {file.name}, which holds your source and the command."


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _sources(arguments: Sequence[str]) -> list[str]:
    """The text of every file that the command named."""
    found: list[str] = []
    for argument in arguments:
        path = Path(argument)
        if path.suffix == ".spine" and path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                found += [f"---- {argument} ----", file.read(MAX_SOURCE)]
    return found
