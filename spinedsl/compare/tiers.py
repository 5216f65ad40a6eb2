"""Reasons for a tier: what of the interface, the tensors and the numbers is not what it was."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping

from spinedsl.compare.model import Reason, Tensors, Tier
from spinedsl.compare.numbers import CUTS, effective, numbered, starts
from spinedsl.compare.rows import aligned, nodes_by_row
from spinedsl.compare.side import Side
from spinedsl.ops.graph import Node
from spinedsl.ops.naming import path_of, row_of
from spinedsl.ops.program import Program
from spinedsl.ops.text import shown
from spinedsl.ops.types import Type

TRAINING = frozenset({("batch_norm", "momentum"), ("dropout", "rate"), ("stochastic_depth", "rate")})


def reasons(old: Side, new: Side, tensors: Tensors, found: Mapping[str, str]) -> Iterator[Reason]:
    """Every reason, of the highest tier first."""
    for about, text in _interface(old, new):
        yield Reason(Tier.INTERFACE, about, text)
    for name, shape in tensors.missing.items():
        yield Reason(Tier.WEIGHTS, name, f"missing, {_shape(shape)}")
    for name, shape in tensors.unexpected.items():
        yield Reason(Tier.WEIGHTS, name, f"unexpected, {_shape(shape)}")
    for name, (was, now) in tensors.reshaped.items():
        yield Reason(Tier.WEIGHTS, name, f"{_shape(now)}, was {_shape(was)}")
    only_renamed = {*tensors.renamed, *tensors.renamed.values()}
    misfits = {*tensors.missing, *tensors.unexpected, *tensors.reshaped} - only_renamed
    rows = old.program.by_name.keys() | new.program.by_name.keys()
    other = {row_of(name, rows) for name in misfits}
    yield from _numbers(old, new, found, other)


def notes(old: Side, new: Side) -> Iterator[str]:
    """What no tier counts: where fresh weights start, and the order of parameters."""
    before, after = old.graph.parameters, new.graph.parameters
    both = [name for name in before if name in after and before[name].shape == after[name].shape]
    other = [name for name in both if before[name].initial != after[name].initial]
    if other:
        count = f"{len(other)} tensors" if len(other) > 1 else f"`{other[0]}`"
        yield f"fresh weights start elsewhere: {count}; trained weights are not touched"
    if before.keys() == after.keys() and list(before) != list(after):
        yield "parameters stand in another order: the state of an optimizer, which goes by position, does not fit"


# ---- interface ----


def _interface(old: Side, new: Side) -> Iterator[tuple[str, str]]:
    yield from _input(old.program, new.program)
    for name in old.graph.outputs:
        if name not in new.graph.outputs:
            yield f"output {name}", "dropped"
    for name in new.graph.outputs:
        if name in old.graph.outputs:
            yield from ((f"output {name}", text) for text in _output(name, old, new))
        else:
            yield f"output {name}", "added"
    before, after = (list(one.program.outputs) for one in (old, new))
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield "outputs", "come in another order"


def _input(old: Program, new: Program) -> Iterator[tuple[str, str]]:
    if old.input_name != new.input_name:
        yield "input", f"named `{new.input_name}`, was `{old.input_name}`"
    if old.input_type != new.input_type:
        yield "input", f"{_sizes(new.input_type)}, was {_sizes(old.input_type)}"
    if old.divisor % new.divisor:
        yield "input", f"its sizes divide by {new.divisor}, before by {old.divisor}"
    elif old.any_size and not new.any_size:
        yield "input", "is no longer of any size"
    for axis in new.static_axes:
        if axis not in old.static_axes:
            yield "input", f"its {axis} can no longer vary"


def _output(name: str, old: Side, new: Side) -> Iterator[str]:
    was, now = (one.graph.types[one.graph.outputs[name]] for one in (old, new))
    if (was.rank, was.where) != (now.rank, now.where):
        yield f"{_where(now)}, was {_where(was)}"
    if was.channels != now.channels:
        yield f"{now.channels} channels, was {was.channels}"
    by_head = [name not in {row.name for row in one.program.pyramid} for one in (old, new)]
    if by_head[0] != by_head[1]:
        yield "made by a head" if by_head[1] else "no longer made by a head"


def _sizes(type_: Type) -> str:
    return f"{type_.channels} x {type_.height} x {type_.width}"


def _where(type_: Type) -> str:
    if type_.is_vector:
        return "a vector"
    return f"level {type_.level} (stride {2**type_.level})" if type_.level is not None else type_.where


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


# ---- numbers ----


def _numbers(old: Side, new: Side, found: Mapping[str, str], other: Collection[str]) -> Iterator[Reason]:
    """Operations that differ, where an output depends on them; rows with `other` tensors are reported already."""
    table: dict[Hashable, int] = {}
    divided = not (old.program.any_size and new.program.any_size)
    before, after = (numbered(one.graph, table, divided=divided) for one in (old, new))
    differ = [
        name
        for name, value in new.graph.outputs.items()
        if name in old.graph.outputs and before[old.graph.outputs[name]] != after[value]
    ]
    if not differ:
        return
    explained = False
    here, there = nodes_by_row(old.graph), nodes_by_row(new.graph)
    for was, now in found.items():
        if was in other or now in other:
            explained = True
            continue
        for left, right in aligned(here[was], there[now], found):
            for about, text in _operations(left, right, divided=divided):
                explained = True
                yield Reason(Tier.NUMERIC, about, text)
    if not explained:
        yield Reason(Tier.NUMERIC, f"output {differ[0]}", "the same operations, fed by others or in another order")


def _operations(left: Node | None, right: Node | None, *, divided: bool) -> Iterator[tuple[str, str]]:
    """How an operation differs from the one in its place."""
    if left is None or right is None:
        node = left or right
        assert node is not None
        if divided and node.primitive == CUTS:
            return
        yield path_of(node), f"{node.primitive} {'added' if left is None else 'dropped'}"
        return
    if left.primitive != right.primitive:
        yield path_of(right), f"{right.primitive}, was {left.primitive}"
        return
    if effective(left, divided=divided) == effective(right, divided=divided):
        return
    for name, value in right.attributes.items():
        was = left.attributes.get(name)
        if value != was and was is not None and not starts(name):
            training = " (training only)" if (right.primitive, name) in TRAINING else ""
            yield path_of(right), f"{name} {shown(value)}, was {shown(was)}{training}"
