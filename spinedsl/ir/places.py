"""Where in the text of a definition an operation or a name stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinedsl.ir.library import Defined
from spinedsl.ops.types import Loc
from spinedsl.source import Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork


def defined_as(typed: TypedNetwork, name: str, loc: Loc) -> Defined | None:
    """The definition of a name in a file."""
    unit = typed.network.unit
    for other in (unit, *unit.all_imports()):
        defined = other.definitions.get(name)
        if defined is not None and defined.definition.name.span.source.name == loc.file:
            return defined
    return None


def place_in(defined: Defined, name: str, loc: Loc) -> Span | None:
    """Where a line of a definition binds a name, or calls what has it."""
    for node in tree.walk(defined.definition.body):
        if isinstance(node, tree.Binding | tree.Call):
            named = node.name if isinstance(node, tree.Binding) else node.callee
            if named.text == name and named.span.line == loc.line:
                return named.span
    return None
