"""A network while it is edited: its items and settings so far, what was done to it, and what was reported.

In: the network that is edited, the instance whose edits are made, and the unit of the instance's file.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.trace import Trace
from spinedsl.record import Record, field, replace
from spinedsl.source import Span
from spinedsl.syntax import tree


class Draft(Record, frozen=False):
    """What all edits of one instance work on."""

    network: Network
    instance: tree.Instance
    unit: Unit
    diagnostics: list[Diagnostic] = field(default_factory=list)
    renewed: set[str] = field(default_factory=set)  # parts that were dropped: another of that name has no edits inside

    def __post_init__(self) -> None:
        declared = self.network.declared
        whole = declared.whole  # edits are made before parts are written out
        self.base = declared if whole is None else replace(whole, parameters=declared.parameters)
        self.items: list[tree.NetworkItem] = list(self.base.items)
        before = self.network.trace
        self.trace = before.further() if before is not None else Trace(self.base.name.span)

    def nothing(self, place: Span, what: str, label: str, own: Span | None = None) -> None:
        """Say that an edit changes nothing."""
        found = say.EDIT_WITHOUT_EFFECT.at(place, what=what, label=label)
        if own is not None:
            found = found.with_others(Label(own, "as it stands here"))
        self.diagnostics.append(found.with_fix("take the edit away"))

    def same(self, one: object, other: object) -> bool:
        """Two types or values say the same: types by the definitions that they name, each in its own file."""
        if not tree.alike(one, other):
            return False
        if not (isinstance(one, tree.Use) and isinstance(other, tree.Use)):
            return True
        here, there = ([self.unit.home(use.span).definitions.get(name) for name in _named(use)] for use in (one, other))
        return all(a is b for a, b in zip(here, there, strict=True))

    def same_network(self, one: tree.Use, other: tree.Use) -> bool:
        """Two parts name the same network, and give it the same."""
        homes = [self.unit.home(use.span).with_network(use.name.text) for use in (one, other)]
        return self.same(one, other) and homes[0] == homes[1]


def _named(use: tree.Use) -> list[str]:
    """What a row names: its type, and whatever that is given by a name."""
    return [use.name.text, *(one.value.name for one in use.arguments if isinstance(one.value, tree.Ident))]


def is_none(part: tree.Clause | tree.Setting) -> bool:
    """`absorb none`, `channels none`: the clause or setting is taken away."""
    value = part.use if isinstance(part, tree.Setting) else part.value
    if isinstance(value, tuple):
        return [name.text for name in value] == ["none"]
    if isinstance(value, tree.Use):
        return value.name.text == "none" and not value.arguments
    return isinstance(value, tree.Ident) and value.name == "none"
