"""Where the submodules of a class stand: which operations become one `nn.Sequential`, which are held singly.

In: an operand that a statement binds or returns, and what is known of the classes called in it. Out: `Group`s, one for
each prefix of parameter paths. A `let` whose value is a chain of modules on one feature map becomes a sequence under
the name of the `let`; so does the body of a loop that is such a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spinedsl.backends.torch.body import CallAt, ManyAt, OpAt, OperandAt, RefAt, parts, settled
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.record import Record

Part = OpAt | CallAt


class Group(Record, eq=False):
    """Submodules whose paths have one prefix. `chain` holds them all in running order, or nothing."""

    prefix: tuple[str, ...]
    shared: bool
    members: tuple[Part, ...]
    chain: tuple[Part, ...]

    @property
    def name(self) -> str:
        """The attribute that holds the group; empty where its members are attributes themselves."""
        return self.prefix[0] if self.prefix else ""


class Grouping(Record):
    """How the parts of operands are grouped.

    `live_maps`: the operands that a call passes on; None for a function. `sized`: it passes on the sizes of the levels.
    `unsettled`: paths of shared convolutions that one module cannot do.
    """

    live_maps: Callable[[CallAt], tuple[OperandAt, ...] | None]
    sized: Callable[[CallAt], bool]
    unsettled: frozenset[tuple[str, ...]] = frozenset()

    def owns(self, part: Part) -> bool:
        """The part is a submodule."""
        if isinstance(part, CallAt):
            return self.live_maps(part) is not None
        return OPERATORS[part.primitive].owns

    def groups(self, value: OperandAt, *, looped: bool, whole: bool) -> list[Group]:
        """The groups of an operand. `looped`: in a loop; `whole`: no other operand of this loop has submodules."""
        found: dict[tuple[bool, tuple[str, ...]], list[Part]] = {}
        for part in parts(value):
            if self.owns(part):
                found.setdefault((looped and part.shared, part.path[:-1]), []).append(part)
        made: list[Group] = []
        for (shared, prefix), members in found.items():
            chained = bool(prefix) or (whole and len(found) == 1 and not shared)
            chain = self.chain(value, prefix, members) if chained else ()
            if shared and not all(self.owns(part) or _is_settled(part) for part in chain):
                chain = ()
            made.append(Group(prefix, shared, tuple(members), chain))
        return made

    def chain(self, value: OperandAt, prefix: tuple[str, ...], members: list[Part]) -> tuple[Part, ...]:
        """A chain in `value` that holds every member, innermost first; empty if there is none."""
        for top in reversed(list(parts(value))):
            found = tuple(self._down(top, prefix, members))
            if all(any(member is part for part in found) for member in members):
                return found[::-1]
        return ()

    def _down(self, part: OperandAt, prefix: tuple[str, ...], members: list[Part]) -> Iterator[Part]:
        while isinstance(part, OpAt | CallAt) and part.path[:-1] == prefix and part.path:
            operand = self._only_input(part)
            if operand is None or (self.owns(part) and not any(part is member for member in members)):
                return
            yield part
            part = operand

    def _only_input(self, part: Part) -> OperandAt | None:
        """What a part is a module on, if it is one on one feature map."""
        if isinstance(part, CallAt):
            maps = self.live_maps(part)
            only = maps[0] if maps is not None and len(maps) == 1 and not self.sized(part) else None
        else:
            row = OPERATORS[part.primitive]
            whole = row.module is not None and row.chains(part) and part.path not in self.unsettled
            only = part.inputs[0] if whole and part.inputs else None
        return None if isinstance(only, ManyAt) else only

    def bottom(self, group: Group) -> OperandAt:
        """What a chain is applied to."""
        operand = self._only_input(group.chain[0])
        assert isinstance(operand, RefAt | OpAt | CallAt)
        return operand


def _is_settled(part: Part) -> bool:
    """An operation without weights that is the same in every iteration of the loops around."""
    return isinstance(part, OpAt) and all(map(settled, part.attributes.values()))
