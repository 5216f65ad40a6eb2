"""Which uses of a definition one class can be: those that are wired alike.

In: the modules of a definition. Out: them in groups, as few as come out of adding them one by one. What is called makes
a class of its own, such as an activation that a use gives or a feature map that a condition chooses; so does what is
shared in a loop, which has to be there in every use that gets to it. Where iterations of one use are wired differently,
the class chooses between iterations, and other uses may do so too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from spinedsl.backends.torch.written import ClassOf, wiring
from spinedsl.ops.program import Definition, Each, If, Made, Module, Repeat, statements

Wirings: TypeAlias = dict[object, set[object]]  # by statement, those of its iterations


def groups(modules: Sequence[Module], class_of: ClassOf) -> list[list[Module]]:
    """The modules in groups of one class each."""
    loops = _outermost(modules[0].written)
    found = [(module, _wirings(module, class_of, loops)) for module in modules]
    together = _Group({key for _, own in found for key, wirings in own.items() if len(wirings) > 1})
    if all(together.takes(module, own) for module, own in found):
        return [list(modules)]
    made: list[_Group] = []
    for module, own in found:
        if not any(group.takes(module, own) for group in made):
            made.append(_Group(set()))
            made[-1].takes(module, own)
    return [group.modules for group in made]


class _Group:
    def __init__(self, chooses: set[object]) -> None:
        self.modules: list[Module] = []
        self.wirings: Wirings = {}
        self.chooses = chooses  # statements of which the iterations of some use differ

    def takes(self, module: Module, own: Wirings) -> bool:
        """One more module, if it goes with the others."""
        for key, wirings in own.items():
            alike = wirings == self.wirings.get(key, wirings) or key in self.chooses or len(wirings) > 1
            if not alike:
                return False
        self.modules.append(module)
        for key, wirings in own.items():
            self.wirings.setdefault(key, set()).update(wirings)
            if len(wirings) > 1:
                self.chooses.add(key)
        return True


def _wirings(module: Module, class_of: ClassOf, loops: Mapping[int, int]) -> Wirings:
    """How every statement is wired, and what is shared in every outermost loop."""
    found: Wirings = {"parameters": {tuple((formal.name, formal.kind) for formal in module.formals)}}
    shared: dict[int, set[object]] = {}
    for (site, _), recorded in module.ran.items():
        made = wiring(module, recorded, class_of)
        found.setdefault(site, set()).add(made)
        loop = loops.get(site)
        if loop == site:
            shared.setdefault(site, set())
        if loop is not None and isinstance(recorded, Made) and _shares(module, recorded):
            shared[loop].add((site, made))
    return found | {("shared", loop): {frozenset(parts)} for loop, parts in shared.items()}


def _shares(module: Module, made: Made) -> bool:
    return any(event.at.shared for event in module.events[made.first - module.given : made.end - module.given])


def _outermost(definition: Definition) -> dict[int, int]:
    """For each statement in a loop, and the loop itself, the site of the outermost one."""
    found: dict[int, int] = {}
    pending = [*definition.body]
    while pending:
        statement = pending.pop()
        if isinstance(statement, If):
            pending += statement.then + statement.other
        elif isinstance(statement, Repeat | Each):
            found |= {inner.site: statement.site for inner in (statement, *statements(statement.body))}
    return found
