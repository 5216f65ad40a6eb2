"""Make the networks of a file: those written out, and instances, `network A = B(…) with { … }`.

B may be an instance itself, and may stand in a file that this one imports: it is made there, with what that file can
name. Arguments add up along the way: a later instance may give what an earlier one gave, and then has the last word.
Parameters add up too: those of `A(p = 1) = B(q = p)` come before B's, and one that B has as well gets A's default.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, Severity, one_of
from spinedsl.ir.arguments import taken_away
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network, with_article
from spinedsl.ir.resolve.expressions import Expressions, Scope
from spinedsl.ir.resolve.imports import import_of
from spinedsl.ir.resolve.network import resolve_network
from spinedsl.ir.trace import Trace
from spinedsl.record import Record, field, replace
from spinedsl.source import Span
from spinedsl.syntax import tree
from spinedsl.syntax.statements import PART

MAX_EDITED = 15_000  # rows and settings that the edits of a file may write out; more for a longer file
Key = tuple[Unit, str]  # a network by the file in which it stands, and its name there
Values = Mapping[str, Any]  # of parameters


def make_networks(unit: Unit) -> tuple[dict[str, Network], list[Diagnostic]]:
    """Every network of the file that can be made, in the order in which they stand, wherever its base stands."""
    maker = _Maker(max(MAX_EDITED, len(unit.file.source.text) // 4))
    for name in unit.networks:
        maker.make((unit, name))
    made = {name: maker.made[unit, name] for name in unit.networks}
    return {name: network for name, network in made.items() if network is not None}, maker.diagnostics


class _Maker(Record, frozen=False):
    most: int  # rows and settings that edits may write out
    made: dict[Key, Network | None] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    written: int = 0  # of those, so far
    told: bool = False  # that there are too many
    unsound: set[Key] = field(default_factory=set)  # what is wrong with these is reported where they are written

    def make(self, key: Key) -> None:
        """One network, after what it is made of; circles are reported."""
        trail: dict[Key, None] = {}
        pending = [key]
        while pending:
            step = pending[-1]
            trail[step] = None
            missing = [other for other in needed_for(step) if other not in self.made]
            if step in self.made or not missing:
                if step not in self.made:
                    before = len(self.diagnostics)
                    self.made[step] = self.one(step)
                    if any(found.severity is Severity.ERROR for found in self.diagnostics[before:]):
                        self.unsound.add(step)
                del trail[pending.pop()]
                continue
            circle = next((other for other in missing if other in trail), None)
            if circle is not None:
                way = list(trail)
                self.diagnostics.append(_circle(way[way.index(circle) :]))
                self.made |= dict.fromkeys(trail)
                return
            pending.append(missing[0])

    def one(self, key: Key, values: Values | None = None) -> Network | None:
        """One network, what it needs being made; `values` are those of its parameters, where they decide."""
        unit, name = key
        declared = unit.networks[name]
        if isinstance(declared, tree.Instance):
            return self.instance(unit, declared, values)
        varies = False
        if any(isinstance(item, tree.Part | tree.Outputs) for item in declared.items):
            from spinedsl.ir.resolve.parts import Parts  # noqa: PLC0415  most networks have none

            parts = Parts(self, unit, declared, values)
            declared, reported = parts.written()
            varies = parts.varies
            self.diagnostics += reported
        network, reported = resolve_network(declared, unit)
        self.diagnostics += reported
        return replace(network, varies=True) if varies else network

    def missing(self, unit: Unit, name: tree.Name, own: str) -> None:
        """Report that `name`, of which network `own` is made, is no network."""
        if name.text not in unit.mentioned and not unit.incomplete:
            self.diagnostics.append(no_network(unit, name, own))

    def anew(self, key: Key, values: Values, given: Label) -> Network | None:
        """A network for other values of its parameters, which decide how many rows its parts have.

        What is wrong with it for these is reported together with where they are given.
        """
        kept, self.diagnostics = self.diagnostics, []
        network = self.one(key, values)
        wrong = [found.with_others(given) for found in self.diagnostics if found.severity is Severity.ERROR]
        self.diagnostics = [*kept, *wrong]
        return network if not wrong else None

    def instance(self, unit: Unit, instance: tree.Instance, values: Values | None = None) -> Network | None:
        """One instance, whose base was made before if it can be."""
        key = base_of((unit, instance.name.text))
        if key is None:
            self.missing(unit, instance.base, instance.name.text)
            return None
        base = self.made[key]
        if base is None:
            return None
        if base.varies and instance.edits is None and key not in self.unsound:
            from spinedsl.ir.resolve.parts import given_to  # noqa: PLC0415  most networks have no parts

            base = self.anew(key, given_to(base, instance, unit, values), Label(instance.span, "for this network"))
            if base is None:
                return None
        if instance.edits is not None and not self.afford(base, instance):
            return None
        widened = self.widened(unit, base, instance) if instance.parameters else base
        if widened is None:
            return None
        network = self.edited(unit, widened, instance, values) if instance.edits is not None else widened
        given = self.arguments(unit, base, network, instance)
        if given is None:
            return None
        arguments = {**network.arguments, **given}
        return replace(
            network, name=instance.name.text, unit=unit, arguments=arguments, instance=instance, base=self.made[key]
        )

    def widened(self, unit: Unit, base: Network, instance: tree.Instance) -> Network | None:
        """The base with the parameters of an instance before its own; None if two share a name."""
        own: dict[str, tree.Parameter] = {}
        taken = taken_names(base)
        before = len(self.diagnostics)
        scope, expressions = Scope(), Expressions(unit, self.diagnostics, in_network=True)
        for parameter in instance.parameters:
            name = parameter.name.text
            if parameter.default is not None and instance.edits is None:  # else the edited network is resolved whole
                expressions.held(parameter.default, scope)
            if name in taken:
                found = say.DEFINED_TWICE.at(parameter.name.span, name=name, what="a parameter")
                found = found.with_others(Label(taken[name][1], f"{taken[name][0]} has this name"))
                free = next(free for n in count(2) if (free := f"{name}_{n}") not in taken)
                self.diagnostics.append(found.with_fix(f"choose another name, say `{free}`"))
                continue
            own[name] = parameter
            taken[name] = ("a parameter", parameter.name.span)
            scope.names[name] = ("parameter", parameter.name.span)
        if len(self.diagnostics) > before:
            return None
        kept = [parameter for parameter in base.declared.parameters if parameter.name.text not in own]
        declared = replace(base.declared, parameters=(*own.values(), *kept))
        arguments = {name: value for name, value in base.arguments.items() if name not in own}
        return replace(base, declared=declared, arguments=arguments)

    def afford(self, base: Network, instance: tree.Instance) -> bool:
        """One more network may be written out: false once edits make too many rows, which is reported once."""
        self.written += len(base.declared.items)
        if self.written > self.most and not self.told:
            self.told = True
            limit = f"{self.most:,}"
            found = say.TOO_MANY.at(instance.name.span, what="rows of edited networks", limit=limit, got="more")
            self.diagnostics.append(found.with_fix("split the file"))
        return self.written <= self.most

    def arguments(
        self, unit: Unit, base: Network, network: Network, instance: tree.Instance
    ) -> dict[str, tree.Expr] | None:
        """What the instance gives by name, in its parentheses or among its edits; None where that is not right."""
        lets = {let.name.text: let.name for let in network.lets}
        taken, arguments = _apart(instance.given, lets)
        self.diagnostics += (_a_let(instance, argument, lets[name]) for name, argument in taken)
        before = len(self.diagnostics)
        expressions = Expressions(unit, self.diagnostics, in_network=True)
        scope = Scope()
        scope.names |= {one.name.text: ("parameter", one.name.span) for one in instance.parameters}
        for argument in arguments:
            expressions.held(argument.value, scope)
        declared = base.declared.parameters
        parameters = [parameter.name.text for parameter in declared]
        known = {*base.arguments, *scope.names}
        required = [p.name.text for p in declared if p.default is None and p.name.text not in known]
        place = network.trace.root if network.trace is not None else network.declared.name.span
        expressions.arguments(instance.base, arguments, instance.span, parameters, required, place)
        if len(self.diagnostics) > before:
            return None
        positional = iter(parameters)
        given = {
            next(positional) if argument.name is None else argument.name.text: argument.value for argument in arguments
        }
        return self.passed_on(instance, given)

    def passed_on(self, instance: tree.Instance, given: dict[str, tree.Expr]) -> dict[str, tree.Expr] | None:
        """Without `width = width`, by which an instance passes on what it is given itself; nothing else can be both."""
        own = {parameter.name.text: parameter for parameter in instance.parameters}
        both = [name for name, value in given.items() if name in own and not _is_name(value, name)]
        for name in both:
            found = say.DEFINED_TWICE.at(own[name].name.span, name=name, what="a parameter")
            found = found.with_others(Label(given[name].span, f"`{instance.base.text}` is given another value here"))
            self.diagnostics.append(found.with_fix(f"choose another name than `{instance.base.text}`'s"))
        return {name: value for name, value in given.items() if name not in own} if not both else None

    def edited(self, unit: Unit, base: Network, instance: tree.Instance, values: Values | None) -> Network:
        """The network with the instance's edits made, resolved like one that is written out."""
        from spinedsl.ir.edits import apply, blame  # noqa: PLC0415  most files have none

        of_parts: list[Diagnostic] = []
        varies = False

        def written(declared: tree.Network, trace: Trace) -> tree.Network:
            from spinedsl.ir.resolve.parts import Parts, given_to  # noqa: PLC0415  most networks have no parts

            nonlocal varies
            known = [
                replace(one, default=base.arguments.get(one.name.text, one.default)) for one in declared.parameters
            ]
            given = given_to(base, instance, unit, values)
            parts = Parts(self, unit, replace(declared, parameters=tuple(known)), given, trace)
            made, reported = parts.written()
            of_parts.extend(reported)
            varies = parts.varies
            self.written += max(len(made.items) - len(base.declared.items), 0)
            return replace(made, parameters=declared.parameters)

        declared, trace, reported = apply(base, instance, unit, written)
        self.diagnostics += reported
        if declared.frames:
            from spinedsl.ir.parts import connected  # noqa: PLC0415  most networks have no parts

            declared = connected(declared)
        resolved, reported = resolve_network(declared, unit, trace)
        network = replace(resolved, arguments=base.arguments, instance=instance, base=base, varies=varies)
        self.diagnostics += blame(network, [*of_parts, *reported])
        return network


def taken_names(network: Network) -> dict[str, tuple[str, Span]]:
    """The names of a network that none of its parameters may have, each with what it is."""
    found = {row.name: (with_article(row.row.kind), row.row.name.span) for row in network.rows}
    found |= {let.name.text: ("a `let`", let.name.span) for let in network.lets}
    return found | ({network.input.name.text: ("the input", network.input.name.span)} if network.input else {})


def _is_name(value: tree.Expr, name: str) -> bool:
    return isinstance(value, tree.Ident) and value.name == name


def _apart(
    given: Iterable[tree.Argument], lets: Container[str]
) -> tuple[list[tuple[str, tree.Argument]], tuple[tree.Argument, ...]]:
    """The arguments that are named like a `let`, with that name, and the others."""
    names = [(argument.name.text if argument.name is not None else "", argument) for argument in given]
    taken = [(name, argument) for name, argument in names if name in lets]
    return taken, tuple(argument for name, argument in names if name not in lets)


def _a_let(instance: tree.Instance, argument: tree.Argument, let: tree.Name) -> Diagnostic:
    """A `let` of the network is given as if it were a parameter: in parentheses or among the edits, reported alike."""
    name = let.text
    place = argument.name if argument.name is not None else argument
    found = say.WRONG_KIND.at(place.span, name=name, got="a `let`", expected="a parameter")
    found = found.with_others(Label(let.span, "a `let` here"))
    edits = _as_edit(instance, argument)
    return found.with_fix(f"edit the `let`: `with {{ let {name} = … }}`", *edits)


def _as_edit(instance: tree.Instance, argument: tree.Argument) -> tuple[Edit, ...]:
    """What makes an edit of a `let` out of an argument: one change, so that the line can be shown as it becomes."""
    source, let = argument.span.source, f"let {argument.span.text}"
    if argument not in instance.arguments:
        return (Edit(Span(source, argument.span.start, argument.span.start), "let "),)
    away = taken_away(instance.arguments, argument).span
    kept, end = Span(source, away.end, instance.span.end).text, instance.span.end
    if instance.edits is None:
        return (Edit(Span(source, away.start, end), f"{kept} with {{ {let} }}"),)
    brace = re.match(r"\s*with\s*\{", Span(source, end, instance.extent.end).text)
    if brace is None:
        return ()
    rest = source.text[end + brace.end() :].partition("\n")[0]
    text = f"{kept}{brace[0]}\n    {let}" + ("\n   " if rest.strip() else "")
    return (Edit(Span(source, away.start, end + brace.end()), text),)


def base_of(key: Key) -> Key | None:
    """What an instance is made of; None for a network written out, and where its base is not one network."""
    unit, name = key
    declared = unit.networks[name]
    if isinstance(declared, tree.Network):
        return None
    found = unit.with_network(declared.base.text)
    return (found[0], declared.base.text) if len(found) == 1 else None


def needed_for(key: Key) -> Iterator[Key]:
    """The networks that have to be made before one: what an instance is made of, and what its parts name."""
    unit, name = key
    declared = unit.networks[name]
    if isinstance(declared, tree.Instance):
        base = base_of(key)
        yield from () if base is None else (base,)
    for named in _parts_in(declared):
        found = unit.with_network(named.text)
        if len(found) == 1:
            yield found[0], named.text


def _parts_in(declared: tree.Network | tree.Instance) -> Iterator[tree.Name]:
    """The networks that the parts of a network name, or those of its edits."""
    for item in declared.items if isinstance(declared, tree.Network) else declared.edits or ():
        part = item.row if isinstance(item, tree.Addition) else item
        use = part.use if isinstance(part, tree.Part | tree.Change) and part.kind == PART else None
        if use is not None:
            yield use.name


def _circle(circle: list[Key]) -> Diagnostic:
    """Networks of one file: files cannot import each other in a circle."""
    networks = [unit.networks[name] for unit, name in circle]
    names = [network.name.text for network in networks]
    way = " -> ".join(f"`{name}`" for name in (*names, names[0]))
    found = say.NETWORK_CYCLE.at(_named_in(networks[-1], names[0]), way=way)
    others = [Label(network.name.span, f"`{network.name.text}`") for network in networks[:-1]]
    return found.with_others(*others).repaired()


def _named_in(network: tree.Network | tree.Instance, name: str) -> Span:
    """Where a network names another one that it is made of."""
    if isinstance(network, tree.Instance) and network.base.text == name:
        return network.base.span
    return next(part.span for part in _parts_in(network) if part.text == name)


def no_base(unit: Unit, named: tree.Instance | tree.Space) -> Diagnostic:
    """The base names no network, or several."""
    return no_network(unit, named.base, named.name.text)


def no_network(unit: Unit, name: tree.Name, own: str) -> Diagnostic:
    """What network `own` is made of names no network, or several."""
    if homes := unit.with_network(name.text):
        found = say.AMBIGUOUS_NETWORK.at(name.span, name=name.text)
        places = [home.networks[name.text].name.span for home in homes]
        found = found.with_others(*(Label(place, "it could be this one") for place in places))
        return found.repaired(other=f"{name.text}_2")
    known = [network for home in dict.fromkeys((unit, *unit.imports)) for network in home.networks]
    known = [network for network in known if network != own]
    near = unit.nearest(name.text, known)
    if name.text in unit.definitions:
        found = say.WRONG_KIND.at(name.span, name=name.text, got="a definition", expected="a network")
        if near is None:
            return found.with_fix("name a network; a definition is used by the rows of one")
        return found.with_rename(name.span, near)
    found = say.UNKNOWN_NAME.at(name.span, kind="network", name=name.text, where="in this file or its imports")
    elsewhere = [other for other in unit.all_imports() if name.text in other.networks]
    if elsewhere:
        place = elsewhere[0].networks[name.text].name.span
        return found.with_others(Label(place, "a network of this name")).with_fix(*import_of(unit, elsewhere[0]))
    if near is None:
        note = f"known networks: {one_of(known, conjunction='and')}" if known else "there is no other network"
        found = found.with_notes(f"{note}; those of another file are known once it is imported")
    return found.with_rename(name.span, near)
