"""What a network takes and gives as a part of another: maps by `input NAME: level …`, and its outputs by name."""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.syntax import tree


class Taken(Record, eq=False):
    """A map that a network takes: its level, and its channels if it says so."""

    name: tree.Name
    level: tree.Expr
    channels: tree.Expr | None
    maps: tree.Maps


class Interface(Record, eq=False):
    """The maps that a network takes, by name in order, and the row or map that each of its outputs is."""

    takes: Mapping[str, Taken]
    gives: Mapping[str, str]
    given_at: Mapping[str, Span]


def is_part(declared: tree.Network) -> bool:
    """The network takes feature maps: it is made to be a part of others."""
    return any(isinstance(item, tree.Maps) for item in declared.items)


def interface_of(declared: tree.Network) -> Interface:
    """What a network, its own parts written out, takes and gives."""
    takes: dict[str, Taken] = {}
    gives: dict[str, str] = {}
    given_at: dict[str, Span] = {}
    for item in declared.items:
        if isinstance(item, tree.Maps):
            takes |= {taken.name.text: taken for taken in taken_by(item)}
        elif isinstance(item, tree.Outputs) and item.sources is None:
            gives |= {name.text: name.text for name in item.names}
            given_at |= {name.text: name.span for name in item.names}
        elif isinstance(item, tree.Row) and item.kind == "output" and "." not in item.name.text:
            plain = not item.clauses and not item.use.arguments
            gives[item.name.text] = item.use.name.text if plain else item.name.text
            given_at[item.name.text] = item.name.span
    return Interface(takes, gives, given_at)


def taken_by(maps: tree.Maps) -> list[Taken]:
    """Each map of a row, with its level: the first has the lowest of a range."""
    channels = next((c.value for c in maps.clauses if c.keyword.text == "channels"), None)
    known = channels if type(channels) in tree.EXPRESSIONS else None
    found: list[Taken] = []
    for index, name in enumerate(maps.names):
        level = maps.low
        if maps.high is not None and index:
            level = tree.Binary("+", maps.low, tree.Number(index, name.span), maps.low.span)
        found.append(Taken(name, level, known, maps))  # type: ignore[arg-type]
    return found
