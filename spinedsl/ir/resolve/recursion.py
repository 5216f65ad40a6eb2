"""Find definitions that reach themselves: they are expanded into operations, so none may."""

from __future__ import annotations

from collections.abc import Iterable

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.library import Defined, Unit
from spinedsl.syntax import tree


def find_recursion(unit: Unit) -> list[Diagnostic]:
    """Circles of definitions, each reported at the call that closes it. Without recursion: a chain may be long."""
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
    found = say.RECURSION.at(call.callee.span, name=callee, way=way)
    found = found.with_others(Label(unit.definitions[callee].definition.name.span, f"`{callee}` is defined here"))
    return found.repaired()


def _calls(defined: Defined) -> Iterable[tree.Call]:
    """Calls of definitions of the same file, in the order of the text."""
    definition = defined.definition
    pending: list[object] = [*reversed(definition.body), *(p.default for p in definition.parameters)]
    if definition.signature is not None:
        pending.append(definition.signature)
    while pending:
        part = pending.pop()
        if isinstance(part, tree.Call) and part.callee.text not in defined.bound:
            callee = defined.unit.definitions.get(part.callee.text)
            if callee is not None and callee.unit is defined.unit:
                yield part
        pending += reversed(tree.parts(part))
