"""One set of weights for all copies of a part that says `shared`.

In: the rows of a network as they are typed, and its frames. Out: the same rows, with those of all copies under the
weights of the first. A copy whose weights would be others is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.typed import TypedInput, TypedRow
from spinedsl.ops.graph import of_module
from spinedsl.ops.program import Call, Module
from spinedsl.record import replace
from spinedsl.source import Span
from spinedsl.syntax import tree


class Sharing:
    """The first row of each set of weights."""

    def __init__(self, frames: Mapping[str, tree.Frame], *, one_size: bool = False) -> None:
        self.frames = {prefix: frame for prefix, frame in frames.items() if frame.weights != prefix}
        self.first: dict[str, TypedRow] = {}
        self.reported: set[str] = set()
        self.one_size = one_size  # maps may be of any size, which the operations then count on

    def row(self, row: TypedRow, rows: Mapping[str, TypedRow]) -> tuple[TypedRow, Diagnostic | None]:
        """The row under the weights that it has, and what is wrong if it cannot have them."""
        prefix, _, own = row.name.rpartition(".")
        frame = self.frames.get(prefix)
        if frame is None:
            return row, None
        name = f"{frame.weights}.{own}"
        first = self.first.get(name)
        if first is None:
            if row.type is None and row.uses:
                return row, None  # what is wrong with it is reported
            self.first[name] = moved = _with(row, [_under(call, name) for call in row.uses])
            return moved, None
        differs = _difference(first, row, one_size=self.one_size) if row.type is not None else ""
        if not differs:
            return _with(row, [_as(call, other) for call, other in zip(row.uses, first.uses, strict=False)]), None
        if frame.weights in self.reported:
            return replace(row, type=None), None
        self.reported.add(frame.weights)
        found = say.COPY_DIFFERS.at(row.span, row=row.name, first=first.name, why=differs)
        found = found.with_others(Label(self.shared_at(prefix, first), "shared by all copies of this part"))
        fed = self.fed_otherwise(first, row, rows)
        return replace(row, type=None), found.with_fix(fed or "say the same of each copy, or do not share")

    def shared_at(self, prefix: str, first: TypedRow) -> Span:
        """Where the part stands whose copies differ: the outermost that the first row is not of the same copy of."""
        place, outer = self.frames[prefix].place, prefix
        while (outer := outer.rpartition(".")[0]) and not first.name.startswith(f"{outer}."):
            place = self.frames[outer].place if outer in self.frames else place
        return place

    def fed_otherwise(self, first: TypedRow, row: TypedRow, rows: Mapping[str, TypedRow]) -> str | None:
        """A copy is given maps of other channels than the first: then this says what the first has to be given."""
        before, here = (self.frames[one.name.rpartition(".")[0]] for one in (first, row))
        for own, name in here.inputs.items():
            old, new = rows[before.inputs[own].text].type, rows[name.text].type
            if old is not None and new is not None and old.channels != new.channels:
                return f"let `{own}` have {new.channels} channels at first too: each copy gives that to the next"
        return None


def _under(call: Call, name: str) -> Call:
    return replace(call, path=(name, *call.path[1:]))


def _as(call: Call, first: Call) -> Call:
    """A use of what the first copy uses."""
    return replace(call, module=first.module, scalars=first.scalars, path=first.path)


def _with(row: TypedRow, uses: list[Call]) -> TypedRow:
    """A row with other uses in the places of its own."""
    left = iter(uses)
    inputs = tuple(TypedInput(one.source, None if one.resample is None else next(left, None)) for one in row.inputs)
    join = None if row.join is None else next(left, None)
    return replace(row, inputs=inputs, join=join, calls=tuple(left))


def _difference(first: TypedRow, row: TypedRow, *, one_size: bool) -> str:
    """Why a row cannot have the weights of the first copy's; empty if it can."""
    if [call.path[1:] for call in first.uses] != [call.path[1:] for call in row.uses]:
        return "it is wired in another way"
    for before, here in zip(first.uses, row.uses, strict=True):
        if before.module is here.module:
            continue
        if before.module.definition != here.module.definition:
            return f"it uses `{here.module.definition}`, not `{before.module.definition}`"
        old, new = (dict(_tensors(call.module)) for call in (before, here))
        for name in new:  # in their order, so that a message is the same each time
            if name in old and old[name] != new[name]:
                place = ".".join([*here.path[1:], name])
                return f"`{place}` has {_sides(new[name])} numbers here, {_sides(old[name])} there"
        if list(_operations(before.module)) != list(_operations(here.module)):
            return f"`{here.module.definition}` computes something else here"
        if one_size:
            for then, now in zip(_sizes(before.module), _sizes(here.module), strict=False):
                if then != now:
                    return f"`{here.module.definition}` has a map of {now} here, of {then} there"
    return ""


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _tensors(module: Module) -> Iterator[tuple[str, tuple[int, ...]]]:
    return ((name, parameter.shape) for name, parameter in of_module(module)[2].items())


def _sizes(module: Module) -> list[str]:
    """The size of each map, of those that come in too."""
    return [type_.size for type_ in of_module(module)[1]]


def _operations(module: Module) -> Iterator[object]:
    nodes, types, _ = of_module(module)
    for node in nodes:
        yield node.primitive, node.inputs, node.attributes, node.parameters, types[node.result].channels
    yield module.results
