"""What hovering says of blocks and arrows: shapes, costs, and every operation that a connection inserts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby

from spinedsl.analysis import Costs, costs_by_row, costs_of, receptive_fields, row_activation_bytes
from spinedsl.draw.feeds import Feed, feeds
from spinedsl.draw.glyphs import TIMES
from spinedsl.draw.marks import Mark, Marking
from spinedsl.ops.graph import Graph, Node, flatten
from spinedsl.ops.program import Program, Row
from spinedsl.ops.rules import is_plain, kernel_of
from spinedsl.ops.text import task_text
from spinedsl.ops.types import by
from spinedsl.record import Record

COSTS = ("multiply-adds", "parameters", "memory")
APPENDED = {"batch_norm", "layer_norm", "group_norm", "l2_normalise"}  # they stand on the line of what they follow


class Facts(Record):
    """All that is counted of a program."""

    program: Program

    @cached_property
    def graph(self) -> Graph:
        """Its operations."""
        return flatten(self.program)

    @cached_property
    def costs(self) -> dict[str, Costs]:
        """Parameters and multiply-adds of each row, with what it resamples and joins."""
        return costs_by_row(self.graph)

    @cached_property
    def total(self) -> Costs:
        """Costs of the whole network."""
        return sum(self.costs.values(), Costs())

    @cached_property
    def memory(self) -> dict[str, int]:
        """Bytes of each row's feature map."""
        return row_activation_bytes(self.graph)

    @cached_property
    def fields(self) -> dict[str, int | None]:
        """Receptive field of each row."""
        return receptive_fields(self.graph)

    @cached_property
    def feeds(self) -> dict[str, list[Feed]]:
        """The connections that are drawn, by the row that they feed."""
        found: dict[str, list[Feed]] = {}
        for feed in feeds(self.program):
            found.setdefault(feed.target, []).append(feed)
        return found

    @cached_property
    def operations(self) -> dict[str, list[Node]]:
        """The operations under each path: `b5.from_b2` has all that resample b2 for b5."""
        found: dict[str, list[Node]] = {}
        for node in self.graph.nodes:
            path = node.name
            while path:
                found.setdefault(path, []).append(node)
                path = path.rpartition(".")[0]
        return found

    def cost(self, name: str, of: str) -> int:
        """One figure of a row: `multiply-adds`, `parameters` or `memory` (bytes)."""
        if of == "memory":
            return self.memory[name]
        return self.costs[name].parameters if of == "parameters" else self.costs[name].multiply_adds


# ---- blocks ----


def block_words(row: Row, outputs: Sequence[str], facts: Facts, marking: Marking) -> str:
    """Lines for a stem, block or head: what it is, what it costs, what feeds it, which outputs read it."""
    return "\n".join(_block_lines(row, outputs, facts, marking.rows))


def _block_lines(row: Row, outputs: Sequence[str], facts: Facts, marks: Mapping[str, Mark]) -> Iterator[str]:
    """What hovering a block shows, line by line."""
    times = f" {TIMES} {len(row.calls)}" if len(row.calls) > 1 else ""
    yield f"{row.name}: {row.type_name}{times}" + (" (stem)" if row.kind == "stem" else "")
    for name in (row.name, *outputs):
        if name in marks:
            yield str(marks[name]) if name == row.name else f"{name} {marks[name]}"
    yield from (task_text(task) for task in facts.program.tasks_of(row.name))
    yield from _shapes(row)
    yield _counts(facts.costs[row.name])
    if (weights := facts.program.weights_of(row.name)) != row.name:
        yield f"weights of {weights}, which copies of its part share"
    field = facts.fields[row.name]
    yield f"feature map {mebibytes(facts.memory[row.name])}, receptive field " + (
        f"{field:,} pixels" if field is not None else "the whole image"
    )
    yield from _sources(row, facts)
    for name in outputs:
        output = facts.program.row(name)
        how = f"by {output.type_name}, " if output.type_name else ""
        yield f"output {name}: {how}{_shape(output)}, {_counts(facts.costs[name])}"


def _shapes(row: Row) -> Iterator[str]:
    if not row.parts:
        level = f"level {row.level}" if row.level is not None else "no level"
        channels = "" if row.type.is_vector else f"{row.type.channels} channels, "
        yield f"{level}, {channels}shape {_shape(row)}"
    for name, type_ in row.parts:
        yield f"gives {name}: {' x '.join(map(str, type_.shape))}"


def _sources(row: Row, facts: Facts) -> Iterator[str]:
    for feed in facts.feeds.get(row.name, ()):
        yield f"from {feed.source}: {_manner(feed, facts)}"


def _shape(row: Row) -> str:
    return " x ".join(map(str, row.type.shape))


def _counts(costs: Costs) -> str:
    return f"{costs.parameters:,} parameters, {costs.multiply_adds:,} multiply-adds"


def mebibytes(count: int) -> str:
    """A number of bytes in words."""
    return f"{_three_digits(count / 2**20)} MiB" if count >= 2**20 / 10 else f"{_three_digits(count / 2**10)} KiB"


def rounded(count: int) -> str:
    """A count in three digits, as in `28.3 G`."""
    for scale, unit in ((10**12, " T"), (10**9, " G"), (10**6, " M"), (10**3, " k")):
        if count >= scale * 0.9995:
            return _three_digits(count / scale) + unit
    return str(count)


def _three_digits(value: float) -> str:
    """Three digits that count, or all those before the point; never an exponent."""
    places = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{places if value >= 0.9995 else 3}f}"


# ---- arrows ----


def arrow_words(feed: Feed, facts: Facts, marking: Marking) -> str:
    """Lines for an arrow: its ends, how the map changes level, and the operations that do it, with their costs."""
    lines = [f"{feed.source} to {feed.target}"]
    if (feed.source, feed.target) in marking.arrows:
        lines.append(str(marking.arrows[feed.source, feed.target]))
    lines.append(_manner(feed, facts))
    if feed.resample is not None:
        nodes = facts.operations.get(".".join(feed.resample.path), [])
        lines += _operations(nodes, facts.graph)
        lines.append(_counts(costs_of(nodes, facts.graph)))
    return "\n".join(lines)


def _manner(feed: Feed, facts: Facts) -> str:
    if feed.kind == "read":
        return f"read through output {feed.through}" if feed.through else "read as it is"
    if feed.kind == "absorbed":
        return "absorbed: added in the join as it is"
    if feed.resample is None:
        return "direct, as it is"
    source, target = facts.program.row(feed.source), facts.program.row(feed.target)
    levels = f"level {source.level}" + (f" to {target.level}" if source.level != target.level else "")
    return f"{levels}, resampled by {feed.resample.module.definition}"


def _operations(nodes: Sequence[Node], graph: Graph) -> Iterator[str]:
    """One line for each operation; norms and activations stand on the line of what they follow, repeats once."""
    lines: list[str] = []
    for node in nodes:
        plain = node.attributes.get("over", "both") == "both" and len(node.attributes) <= ("over" in node.attributes)
        unary = len(node.inputs) == 1 and plain and not node.parameters
        if lines and (node.primitive in APPENDED or unary):
            lines[-1] += f" + {node.primitive}"
        else:
            lines.append(_operation(node, graph))
    for line, same in groupby(lines):
        times = len(list(same))
        yield line if times == 1 else f"{line}, {times} times"


def _operation(node: Node, graph: Graph) -> str:
    """An operation in a few words: its name and those attributes that tell it from others."""
    attributes = node.attributes
    words = node.primitive
    if "stride" in attributes:
        words += f" {by(kernel_of(attributes))}"
    if attributes.get("stride", 1) != 1:
        words += f", stride {by(attributes['stride'])}"
    if attributes.get("groups", 1) != 1:
        words += f", {attributes['groups']} groups"
    if isinstance(levels := attributes.get("levels"), int):
        words += f" by {2**levels}"
    if attributes.get("over", "both") != "both":
        words += f" over the {attributes['over']}"
    if not is_plain(attributes):
        words += f", {attributes['weight']} kernel"
    if attributes.get("mode", "constant") != "constant":
        words += f", {attributes['mode']}"
    return words + (f", {graph.types[node.result].channels} channels" if "channels" in attributes else "")
