"""Settings and definitions compared as they are written: what explains many changes of rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spinedsl.compare.model import Change
from spinedsl.compare.side import Side
from spinedsl.ir.library import Defined, Unit
from spinedsl.ir.networks import Network, layers
from spinedsl.ops.program import Call, Module, Program, calls_of
from spinedsl.source import Source, Span
from spinedsl.syntax import tree
from spinedsl.syntax.parse import tokens_of
from spinedsl.syntax.spacing import spaced


def setting_changes(old: Side, new: Side) -> Iterator[Change]:
    """Input, parameters, defaults, widths, rules, `let`s: added, dropped or with another text."""
    was, now = settings_of(old.network), settings_of(new.network)
    sizes = [" x ".join(map(str, one.program.input_type.shape)) for one in (old, new)]
    if sizes[0] != sizes[1]:
        yield Change("input", new.program.input_name, "changed", "size", *sizes)
    if old.program.input_name != new.program.input_name:
        yield Change("input", new.program.input_name, "renamed", "", old.program.input_name, new.program.input_name)
    for key in dict.fromkeys([*now, *was]):
        left, right = was.get(key, ""), now.get(key, "")
        if left != right:
            how = "changed" if left and right else "added" if right else "dropped"
            yield Change("setting", key, how, "", left, right)


def settings_of(network: Network) -> dict[str, str]:
    """Every setting of a network by its words, with its text."""
    texts: dict[str, str] = {}
    for parameter in network.declared.parameters:
        name = parameter.name.text
        value = network.arguments.get(name, parameter.default)
        texts[f"parameter {name}"] = text_of(value.span) if value is not None else ""
    texts |= {f"let {let.name.text}": text_of(let.value.span) for let in network.lets}
    texts |= {f"defaults {key}": text for key, text in entries(network.defaults).items()}
    texts |= {f"widths {key}": text for key, text in widths(network.widths).items()}
    texts |= {f"rules {key}": text for key, text in entries(network.rules).items()}
    for item in network.declared.items:
        if isinstance(item, tree.Setting):
            texts[item.keyword] = text_of(item.use.span)
        elif isinstance(item, tree.Allow):
            texts[f"allow {item.code.text}"] = item.reason
    return texts


def entries(setting: tree.Defaults | tree.Rules | None) -> dict[str, str]:
    """The entries of `defaults` or `rules`, by what they are of."""
    texts: dict[str, str] = {}
    for item in setting.items if setting is not None else ():
        if isinstance(item, tree.RuleItem):
            texts[item.name.text] = text_of(Span(item.span.source, item.low.span.start, item.span.end))
        else:
            key = item.role.text if item.role is not None else item.use.name.text
            texts[key] = text_of(item.use.span)
    return texts


def widths(setting: tree.Widths | None) -> dict[str, str]:
    """The text of each level's width; levels that are no plain numbers stand as they are written."""
    texts: dict[str, str] = {}
    for layer in layers(setting):
        for item in layer.items:
            low, high = (text_of(end.span) for end in (item.low, item.high or item.low))
            plain = low.isdigit() and high.isdigit() and len(low + high) < 6
            keys = map(str, range(int(low), int(high) + 1)) if plain else [f"{low}..{high}"]
            texts |= {f"level {key}": text_of(item.value.span) for key in keys}
    return texts


def text_of(span: Span) -> str:
    """The text of a place on one line, with its blanks as the formatter sets them."""
    return " ".join(spaced(tokens_of(Source("", span.text))).split())


# ---- definitions ----


def definition_changes(old: Side, new: Side) -> Iterator[Change]:
    """Definitions that both networks use under one name, and that say something else."""
    was, now = definitions(old), definitions(new)
    for name in (name for name in now if name in was):
        if not all(any(_alike(one, other) for other in was[name]) for one in now[name]):
            yield Change("definition", name, "changed", "", *(_places(found[name]) for found in (was, now)))


def definitions(side: Side) -> dict[str, list[Defined]]:
    """The definitions that a network uses, by name, wherever they come from."""
    used = {module.definition for module in modules(side.program)}
    found: dict[str, list[Defined]] = {}
    for unit in _units(side.network.unit):
        for defined in unit.own():
            if defined.name in used:
                found.setdefault(defined.name, []).append(defined)
    return dict(sorted(found.items()))


def defined_names(side: Side) -> set[str]:
    """Names of all definitions that a network could use."""
    return {defined.name for unit in _units(side.network.unit) for defined in unit.own()}


def _units(unit: Unit) -> Iterable[Unit]:
    return unit, *unit.all_imports()


def _alike(one: Defined, other: Defined) -> bool:
    left, right = one.definition, other.definition
    return (
        left.kind == right.kind
        and tree.alike(left.parameters, right.parameters)
        and tree.alike(left.signature, right.signature)
        and tree.alike(left.body, right.body)
    )


def _places(found: Iterable[Defined]) -> str:
    places = (defined.definition.name.span for defined in found)
    return ", ".join(f"{place.source.name}:{place.line}" for place in places)


def modules(program: Program) -> Iterator[Module]:
    """Every module in use, each once."""
    return modules_of(call for row in program.rows for call in calls_of(row))


def modules_of(calls: Iterable[Call]) -> Iterator[Module]:
    """Every module that calls use, each once."""
    pending = [call.module for call in calls]
    seen: dict[int, Module] = {}
    while pending:
        module = pending.pop()
        if id(module) not in seen:
            seen[id(module)] = module
            pending += [event.module for event in module.events if event.module is not None]
    yield from seen.values()
