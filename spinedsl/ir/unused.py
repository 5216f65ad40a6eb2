"""Which definitions and parameters of a file nothing in it uses.

In: a unit whose names are all right. Out: the names. A file without networks is a library: its definitions are for
others. Of what a row fills in by itself nothing is told, since the definition has to take it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.ir.filled import FILLED_IN, asked_of_inputs
from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.library import Unit


class UnusedName(Record, eq=False):
    """A name that nothing reads. `owner` is the definition or network whose parameter it is; empty for a definition."""

    name: str
    place: Span
    owner: str


def unused_names(unit: Unit, implicit: dict[str, tuple[str, ...]]) -> Iterator[UnusedName]:
    """The names of a file that nothing in it uses, in the order of the text. `implicit` is as `library.IMPLICIT`."""
    file = unit.file
    mentioned = {definition.name.text: _mentioned(definition) for definition in file.definitions}
    spaces = _mentioned(file.spaces)
    networks = [(network, _mentioned(network)) for network in file.networks]
    used = spaces.union(*(names for _, names in networks))
    pending = list(used)
    while pending:
        further = mentioned.get(pending.pop(), set()) - used
        used |= further
        pending += further
    for definition in file.definitions:
        name = definition.name
        if file.networks and name.text not in used:
            yield UnusedName(name.text, name.span, "")
            continue  # whoever takes it away need not hear of its parameters
        asked = asked_of_inputs(definition)
        unread: list[tree.Name] = []
        for parameter in definition.parameters[len(implicit[definition.kind]) :]:
            filled = parameter.name.text in FILLED_IN or parameter is asked
            if parameter.name.text not in mentioned[name.text] and not filled:
                unread.append(parameter.name)
        # What is given to be called takes what all that are given there are called with.
        if unread and name.text not in _named((*file.definitions, *file.networks, *file.spaces)):
            yield from (UnusedName(one.text, one.span, name.text) for one in unread)
    edits = spaces.union(*(names for network, names in networks if isinstance(network, tree.Instance)))
    for network, names in networks:
        inside = names | (edits if isinstance(network, tree.Network) else spaces | _inherited(unit, network))
        for parameter in network.parameters:
            if parameter.name.text not in inside:
                yield UnusedName(parameter.name.text, parameter.name.span, network.name.text)


def _inherited(unit: Unit, instance: tree.Instance) -> set[str]:
    """The parameters of what an instance is made of: its own that are called so are read there."""
    found: set[str] = set()
    seen: set[str] = set()
    network: tree.Network | tree.Instance = instance
    while isinstance(network, tree.Instance) and network.base.text not in seen:
        seen.add(network.base.text)
        homes = unit.with_network(network.base.text)
        if len(homes) != 1:
            return found
        unit = homes[0]
        network = unit.networks[network.base.text]
        found |= {parameter.name.text for parameter in network.parameters}
    return found


def _named(node: object) -> set[str]:
    """The names that stand for values, and may be those of definitions that are given."""
    return {part.name for part in tree.walk(node) if isinstance(part, tree.Ident)}


def _mentioned(node: object) -> set[str]:
    """The names that stand for values, and for what is called or used."""
    found: set[str] = set()
    for part in tree.walk(node):
        if type(part) is tree.Ident:
            found.add(part.name)
        elif type(part) is tree.Call:
            found.add(part.callee.text)
        elif type(part) is tree.Use:
            found.add(part.name.text)
    return found
