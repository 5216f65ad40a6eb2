"""Resolve instances: `network A = B(…) with { … }` is network B with arguments and edits; B may be an instance itself.

Arguments add up along the way: a later instance may give what an earlier one gave, and then has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl.diagnostics import Diagnostic, Label, one_of
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.edits import apply, blame
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.resolve.expressions import Expressions, Scope
from spinedsl.ir.resolve.network import resolve_network
from spinedsl.record import replace
from spinedsl.syntax import tree


def resolve_instances(unit: Unit, written: Mapping[str, Network]) -> tuple[dict[str, Network], list[Diagnostic]]:
    """Every instance of the file that can be made, wherever its base stands; circles are said."""
    instances = {name: found for name, found in unit.networks.items() if isinstance(found, tree.Instance)}
    made: dict[str, Network | None] = dict(written)
    diagnostics: list[Diagnostic] = []
    for name in instances:
        trail: list[str] = []
        step = name
        while step in instances and step not in made and step not in trail:
            trail.append(step)
            step = instances[step].base.text
        if step in trail:
            diagnostics.append(_circle(instances, trail[trail.index(step) :]))
            made |= dict.fromkeys(trail)
        for known in reversed(trail):
            if known not in made:
                made[known] = _instance(unit, instances[known], made, diagnostics)
    return {name: made_ for name in instances if (made_ := made.get(name)) is not None}, diagnostics


def _circle(instances: Mapping[str, tree.Instance], circle: list[str]) -> Diagnostic:
    way = " -> ".join(f"`{name}`" for name in (*circle, circle[0]))
    found = say.NETWORK_CYCLE.at(instances[circle[-1]].base.span, way=way)
    others = [Label(instances[name].name.span, f"`{name}`") for name in circle[:-1]]
    return found.with_others(*others).with_fix("one of them has to be written out: `network NAME { … }`")


def _instance(
    unit: Unit, instance: tree.Instance, made: Mapping[str, Network | None], diagnostics: list[Diagnostic]
) -> Network | None:
    """One instance, whose base was made before if it can be."""
    base = made.get(instance.base.text)
    expressions = Expressions(unit, diagnostics, in_network=True)
    if base is None:
        if instance.base.text not in made and instance.base.text not in unit.mentioned and not unit.incomplete:
            diagnostics.append(_unknown_base(unit, instance))
        return None
    if instance.edits is not None:
        base = _edited(unit, base, instance, diagnostics)
    said = len(diagnostics)
    for argument in instance.arguments:
        expressions.check(argument.value, Scope())
    parameters = [parameter.name.text for parameter in base.declared.parameters]
    given = base.arguments
    required = [p.name.text for p in base.declared.parameters if p.default is None and p.name.text not in given]
    place = base.trace.root if base.trace is not None else base.declared.name.span
    expressions.arguments(instance.base, instance.arguments, instance.span, parameters, required, place)
    if len(diagnostics) > said:
        return None
    positional = iter(parameters)
    arguments = {
        next(positional) if argument.name is None else argument.name.text: argument.value
        for argument in instance.arguments
    }
    return replace(base, name=instance.name.text, arguments={**given, **arguments}, instance=instance)


def _edited(unit: Unit, base: Network, instance: tree.Instance, diagnostics: list[Diagnostic]) -> Network:
    """The network with the instance's edits made, resolved like one that is written out."""
    declared, trace, said = apply(base.declared, instance, base.trace)
    diagnostics += said
    network, said = resolve_network(declared, unit, trace)
    edited = replace(network, arguments=base.arguments, instance=instance)
    diagnostics += blame(edited, said)
    return edited


def _unknown_base(unit: Unit, instance: tree.Instance) -> Diagnostic:
    name = instance.base
    if name.text in unit.definitions:
        found = say.WRONG_KIND.at(name.span, name=name.text, got="a definition", expected="a network")
    else:
        found = say.UNKNOWN_NAME.at(name.span, kind="network", name=name.text, where="in this file")
    known = [other for other in unit.networks if other != instance.name.text]
    near = unit.nearest(name.text, known)
    if near is None and known:
        found = found.with_notes(f"the networks of this file are {one_of(known, conjunction='and')}")
    return found.with_rename(name.span, near)
