"""The repair of a name that another file has: import that file.

In: the unit that lacks the name, and the unit or the module of the prelude that has it. Out: words, and an edit.
"""

from __future__ import annotations

import os

from spinedsl.diagnostics import Edit
from spinedsl.ir.library import Unit
from spinedsl.source import Span


def import_of(unit: Unit, other: Unit | str) -> tuple[str, Edit]:
    """The text of a fix, and the edit that imports a module such as `std.blocks`, or the file of another unit."""
    line = f"import {other}" if isinstance(other, str) else f'import "{_way(unit, other)}"'
    return f"import it: `{line}`", Edit(_place(unit), f"{line}\n")


def _way(unit: Unit, other: Unit) -> str:
    """The path of the other file as this one says it."""
    here = os.path.dirname(unit.file.source.origin)
    return os.path.relpath(other.file.source.origin, here).replace(os.sep, "/")


def _place(unit: Unit) -> Span:
    """Above the first import, or above the first thing that follows the version."""
    file = unit.file
    first = [*file.imports, *file.definitions, *file.networks]
    start = min((node.span.start for node in first), default=0)
    return Span(file.source, start, start)
