"""Reasons for a tier: what of the interface, the tensors and the numbers is not what it was."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping

from spinedsl.compare.model import Reason, Tensors, Tier
from spinedsl.compare.numbers import Sizes, effective, numbered, passes_on, starts
from spinedsl.compare.rows import aligned, nodes_by_row
from spinedsl.compare.side import Side
from spinedsl.ops.graph import Graph, Node
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
    same_input = _size(old.graph.input_type) == _size(new.graph.input_type)
    if (was.rank, was.where) != (now.rank, now.where):
        yield f"{_where(now)}, was {_where(was)}"
    elif (same_input or was.is_pooled) and _size(was) != _size(now):
        yield f"{_shape(_size(now))}, was {_shape(_size(was))}"
    elif was.extra != now.extra:
        yield f"{_more(now)}, was {_more(was)}"
    if _channels(was) != _channels(now):
        yield f"{_shape(_channels(now))} channels, was {_shape(_channels(was))}"
    by_head = [name not in {row.name for row in one.program.pyramid} for one in (old, new)]
    if by_head[0] != by_head[1]:
        yield "made by a head" if by_head[1] else "no longer made by a head"


def _sizes(type_: Type) -> str:
    return f"{type_.channels} x {type_.height} x {type_.width}"


def _size(type_: Type) -> tuple[int, int]:
    return type_.height, type_.width


def _channels(type_: Type) -> tuple[int, ...]:
    return type_.axes or (type_.channels,)


def _more(type_: Type) -> str:
    """By how much a map is larger than those of its level."""
    height, width = type_.extra
    return f"{height:+} x {width:+} beside its level" if any(type_.extra) else "as large as its level"


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
    sizes = Sizes.of_both(old.program, new.program)
    before, after = (numbered(one.graph, table, sizes) for one in (old, new))
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
            for about, text in _operations((left, old.graph), (right, new.graph), sizes):
                explained = True
                yield Reason(Tier.NUMERIC, about, text)
    if not explained:
        yield Reason(Tier.NUMERIC, f"output {differ[0]}", "the same operations, fed by others or in another order")


def _operations(
    before: tuple[Node | None, Graph], after: tuple[Node | None, Graph], sizes: Sizes
) -> Iterator[tuple[str, str]]:
    """How an operation differs from the one in its place."""
    (left, here), (right, there) = before, after
    if left is None or right is None:
        for node, graph, how in ((left, here, "dropped"), (right, there, "added")):
            if node is not None and not passes_on(node, graph, sizes):
                yield path_of(node), f"{node.primitive} {how}"
        return
    if left.primitive != right.primitive:
        yield path_of(right), f"{right.primitive}, was {left.primitive}"
        return
    if effective(left, here, sizes) == effective(right, there, sizes):
        return
    for name, value in right.attributes.items():
        was = left.attributes.get(name)
        if value != was and was is not None and not starts(name):
            training = " (training only)" if (right.primitive, name) in TRAINING else ""
            yield path_of(right), f"{name} {shown(value)}, was {shown(was)}{training}"
