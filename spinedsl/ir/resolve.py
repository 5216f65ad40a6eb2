"""Resolve: from a parsed file to its unit and networks, with every name bound to what it means.

In: `tree.File` and the units that it imports. Out: a `Unit` and a `Network` for each `network` written out. Everything that
can be known without a value is checked here: names, arity, order of the rows, recursion, returns. A definition with a
mistake is marked unsound and expands to nothing later, so that the mistake is said once.
"""

from __future__ import annotations

from collections.abc import Iterable

from spinedsl.diagnostics import Diagnostic, Label, Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.definitions import resolve_definition
from spinedsl.ir.library import Defined, Unit, gather
from spinedsl.ir.networks import Network, resolve_instance, resolve_network
from spinedsl.syntax import tree


def resolve(file: tree.File, imports: Iterable[tuple[tree.Import, Unit | None]]) -> Outcome[Unit]:
    """The file's names, its definitions checked. There is always a unit."""
    unit, diagnostics = gather(file, imports)
    for defined in unit.own():
        diagnostics += resolve_definition(defined)
    diagnostics += _recursion(unit)
    return Outcome(unit, tuple(diagnostics))


def resolve_networks(unit: Unit) -> Outcome[dict[str, Network]]:
    """Every network of the file, in the order in which they stand; instances with the network that they are made of."""
    networks: dict[str, Network] = {}
    diagnostics: list[Diagnostic] = []
    for name, declared in unit.networks.items():
        if isinstance(declared, tree.Network):
            networks[name], said = resolve_network(declared, unit)
            diagnostics += said
    for name, declared in unit.networks.items():
        if isinstance(declared, tree.Instance):
            instance, said = resolve_instance(declared, unit, networks)
            diagnostics += said
            if instance is not None:
                networks[name] = instance
    return Outcome({name: networks[name] for name in unit.networks if name in networks}, tuple(diagnostics))


def _recursion(unit: Unit) -> list[Diagnostic]:
    """Circles of definitions, each said at the call that closes it. No recursion: a chain may be long."""
    calls = {defined.name: list(_calls(defined)) for defined in unit.own()}
    diagnostics: list[Diagnostic] = []
    done: set[str] = set()
    for start in calls:
        trail: list[tuple[str, int]] = [(start, 0)] if start not in done else []
        on_trail = {start}
        while trail:
            name, position = trail[-1]
            if position == len(calls[name]):
                trail.pop()
                on_trail.discard(name)
                done.add(name)
                continue
            trail[-1] = (name, position + 1)
            call = calls[name][position]
            callee = call.callee.text
            if callee in on_trail:
                diagnostics.append(_circle(unit, call, [step for step, _ in trail]))
            elif callee in calls and callee not in done:
                trail.append((callee, 0))
                on_trail.add(callee)
    return diagnostics


def _circle(unit: Unit, call: tree.Call, trail: list[str]) -> Diagnostic:
    callee = call.callee.text
    circle = trail[trail.index(callee) :]
    for name in circle:
        unit.definitions[name].sound = False
    way = "" if len(circle) == 1 else ", by way of " + ", ".join(f"`{name}`" for name in circle[1:])
    diagnostic = say.RECURSION.at(call.callee.span, name=callee, way=way)
    return diagnostic.with_others(Label(unit.definitions[callee].definition.name.span, f"`{callee}` is defined here"))


def _calls(defined: Defined) -> Iterable[tree.Call]:
    """Calls of definitions of the same file, in the order of the text."""
    pending: list[object] = [*reversed(defined.definition.body)]
    while pending:
        part = pending.pop()
        if isinstance(part, tree.Call):
            callee = defined.unit.definitions.get(part.callee.text)
            if callee is not None and callee.unit is defined.unit:
                yield part
        if isinstance(part, tuple):
            pending += reversed(part)
        elif hasattr(part, "__slots__") and type(part).__module__ == tree.__name__:
            pending += [getattr(part, slot) for slot in reversed(part.__slots__) if slot not in ("span", "callee")]
