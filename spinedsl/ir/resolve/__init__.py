"""Resolve: from a parsed file to its unit and networks, with every name bound to what it means.

In: `tree.File` and the units that it imports. Out: a `Unit`, and a `Network` for each `network` of the file.
Everything that can be known without a value is checked here: names, arity, order of the rows, recursion, returns. A
definition with a mistake is marked unsound and expands to nothing later, so that the mistake is reported once.
"""

from __future__ import annotations

from collections.abc import Iterable

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.ir.library import Unit, gather
from spinedsl.ir.networks import Network
from spinedsl.ir.resolve.definitions import resolve_definition
from spinedsl.ir.resolve.instances import make_networks
from spinedsl.ir.resolve.recursion import find_recursion
from spinedsl.syntax import tree

__all__ = ["resolve", "resolve_networks"]

MAX_REPORTED = 500


def resolve(
    file: tree.File, imports: Iterable[tuple[tree.Import, Unit | None]], *, trusted: bool = False
) -> Outcome[Unit]:
    """The file's names, its definitions checked, unless it is `trusted`. There is always a unit."""
    unit, diagnostics = gather(file, imports)
    if not trusted:
        for defined in unit.own():
            diagnostics += resolve_definition(defined)
        diagnostics += find_recursion(unit)
    return Outcome(unit, tuple(say.first(diagnostics, MAX_REPORTED)))


def resolve_networks(unit: Unit) -> Outcome[dict[str, Network]]:
    """Every network of the file, in the order in which they stand; instances with the network that they are made of.

    Networks of imported files are made, and what is wrong with them reported, as far as these are made of them.
    """
    diagnostics: list[Diagnostic] = []
    file = unit.file
    if file.sound and not (file.networks or file.definitions or file.spaces or unit.incomplete):
        diagnostics.append(say.EMPTY_FILE.at(file.source.span(0, 0)).repaired())
    networks, reported = make_networks(unit)
    return Outcome(networks, tuple(say.first([*diagnostics, *reported], MAX_REPORTED)))
