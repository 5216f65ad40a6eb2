"""At least one output or head, one output a level (a pyramid names each scale once), and names that are free."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.syntax import tree


def outputs(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """A network that gives nothing, outputs that share a level or have none, and names that two outputs would have."""
    rows = [row for row in typed.rows.values() if row.declared.row.kind == "output"]
    declared = typed.network.declared
    heads = [row for row in typed.rows.values() if row.declared.row.kind == "head"]
    if not rows and not heads and typed.rows and typed.network.sound_text:
        yield say.NO_OUTPUT.at(declared.name.span, name=declared.name.text).with_fix(
            "name what the network gives, as in `output P3: endpoint from b13 channels 256`"
        )
    by_level: dict[int, TypedRow] = {}
    for row in rows:
        level = row.type.level if row.type is not None else None
        if row.type is not None and level is None:
            got = "a vector" if row.type.is_vector else "a map pooled to 1x1"
            got = f"a map of stride {row.type.stride}" if row.type.stride else got
            found = say.OUTPUT_WITHOUT_LEVEL.at(row.span, name=row.name, got=got)
            yield found.with_fix("let a `head` give it")
        if level is None:
            continue
        if level in by_level and not _may_differ(typed, by_level[level], row):
            first = by_level[level]
            found = say.OUTPUT_LEVEL_TWICE.at(row.span, first=first.name, second=row.name, level=level)
            yield found.with_others(Label(first.span, f"level {level} here first")).with_fix("take one of them away")
        by_level.setdefault(level, row)
    yield from _taken(typed, heads)


def _may_differ(typed: TypedNetwork, *rows: TypedRow) -> bool:
    """An edit that could not be read may be about one of the outputs."""
    broken = [item for item in typed.network.declared.items if isinstance(item, tree.Broken)]
    names = {name for row in rows for name in (row.name, *(source.text for source in row.declared.sources))}
    edited = typed.network.trace is not None
    return edited and (any(item.nameless for item in broken) or not typed.network.mentioned.isdisjoint(names))


def _taken(typed: TypedNetwork, heads: list[TypedRow]) -> Iterator[Diagnostic]:
    """Outputs of heads whose names something else has."""
    places = {row.name: row.span for row in typed.rows.values()}
    if typed.network.input is not None:
        places[typed.input_name] = typed.network.input.name.span
    for head in heads:
        for name, _ in head.parts:
            if name in places and name != head.name:
                found = say.HEAD_NAME_TAKEN.at(head.span, head=head.name, name=name)
                found = found.with_others(Label(places[name], f"`{name}` is here already"))
                yield found.with_fix("give the head another name")
            places.setdefault(name, head.span)
