"""Rows compared: added, dropped, renamed, moved, and clause by clause what changed in those that both networks have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from spinedsl.compare.model import Change
from spinedsl.compare.side import Side
from spinedsl.ir.filled import FILLED_IN
from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.naming import within
from spinedsl.ops.program import Call, Row
from spinedsl.ops.text import shown

NOTHING = "none"
ARGUMENT = "argument "  # before the names of the arguments of a type or a task


def partners(old: Side, new: Side) -> dict[str, str]:
    """The rows of the old network that the new one has, by their names there: the same one, or another.

    A row that goes by another name is one whose inputs are the same rows and whose operations are the same; where
    these changed too, as with `defaults`, one that says the same.
    """
    before, after = ({row.name: row for row in one.program.rows} for one in (old, new))
    found = {name: name for name in before if name in after and before[name].kind == after[name].kind}
    gone = [row for name, row in before.items() if name not in found]
    taken = set(found.values())
    free = [row for name, row in after.items() if name not in taken]
    here, there = (_operations(one) if gone and free else {} for one in (old, new))
    own = {source: source for source in after}
    while gone and free:
        pair = next(
            (
                (row, other)
                for left, right in ((here, there), ({}, {}))
                for row in gone
                for other in free
                if _likeness(row, left, found, old.program.input_name)
                == _likeness(other, right, own, new.program.input_name)
            ),
            None,
        )
        if pair is None:
            break
        found[pair[0].name] = pair[1].name
        gone.remove(pair[0])
        free.remove(pair[1])
    return found


def nodes_by_row(graph: Graph) -> dict[str, list[Node]]:
    """The operations of each row, in running order."""
    nodes: dict[str, list[Node]] = {row.name: [] for row in graph.program.rows}
    for node in graph.nodes:
        nodes[node.row].append(node)
    return nodes


def _operations(side: Side) -> dict[str, tuple[object, ...]]:
    """What every row computes, but for names."""
    graph = side.graph
    made: dict[str, tuple[object, ...]] = {}
    for name, nodes in nodes_by_row(graph).items():
        local = {node.result: at for at, node in enumerate(nodes)}
        made[name] = tuple(
            (
                node.primitive,
                tuple(node.attributes.items()),
                tuple(local.get(value, -1) for value in node.inputs),
                tuple(graph.parameters[parameter] for parameter in node.parameters.values()),
            )
            for node in nodes
        )
    return made


def _likeness(
    row: Row, operations: Mapping[str, tuple[object, ...]], names: Mapping[str, str], image: str
) -> tuple[object, ...]:
    """What makes a row what it is, but for its name; its sources by their names in the new network."""
    named = {**names, image: ""}  # what the input is called is no part of a row
    sources = tuple(named.get(connection.source) for connection in row.inputs)
    absorbed = tuple(named.get(name) for name in row.absorbed)
    what = operations.get(row.name, row.type_name)
    return row.kind, row.level, row.type, len(row.calls), sources, absorbed, what


# ---- changes ----


def row_changes(old: Side, new: Side, found: Mapping[str, str]) -> Iterator[Change]:
    """Every change of a row: those of the new network in its order, then those that are dropped."""
    before, after = ({row.name: row for row in one.program.rows} for one in (old, new))
    back = {name: was for was, name in found.items()}
    places = list(before), list(after)
    moved = moves([found[name] for name in before if name in found], [name for name in after if name in back])
    for name, row in after.items():
        was = back.get(name)
        if was is None:
            yield Change(row.kind, name, "added", new=summary(row))
            continue
        if was != name:
            yield Change(row.kind, name, "renamed", old=was, new=name)
        if name in moved:
            yield Change(row.kind, name, "moved", old=_place(was, places[0]), new=_place(name, places[1]))
        for what, (left, right) in _clauses_of_both(before[was], row, found).items():
            yield Change(row.kind, name, "changed", what, left, right)
        lent = old.program.weights_of(was) != was, new.program.weights_of(name) != name
        if lent[0] != lent[1]:
            yield Change(row.kind, name, "changed", "weights", *("shared" if one else "its own" for one in lent))
    for name, row in before.items():
        if name not in found:
            yield Change(row.kind, name, "dropped", old=summary(row))


def moves(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """Names that do not keep their place among the others."""
    kept = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return set(after) - {name for block in kept for name in after[block.b : block.b + block.size]}


def _place(name: str, names: Sequence[str]) -> str:
    at = names.index(name)
    return f"below {names[at - 1]}" if at else "first"


def _clauses_of_both(old: Row, new: Row, found: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Clauses that differ, with what they say on either side; sources are the same by either of their names."""
    was, now = clauses(old), clauses(new)
    renamed = clauses(old, found)
    differ = {
        word: (was.get(word, NOTHING), now.get(word, NOTHING))
        for word in dict.fromkeys([*now, *was])
        if renamed.get(word, NOTHING) != now.get(word, NOTHING)
    }
    if "type" not in differ:
        return differ
    types = tuple(use(row.calls[0]) if row.calls else NOTHING for row in (old, new))
    return {"type": (types[0], types[1])} | {
        word: texts for word, texts in differ.items() if word != "type" and not word.startswith(ARGUMENT)
    }


def clauses(row: Row, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a row says, clause by clause, with the defaults of its network filled in."""
    names = names or {}
    facts: dict[str, str] = {}
    if row.calls:
        facts["type"] = row.calls[0].module.definition
        facts |= {f"{ARGUMENT}{name}": text for name, text in _arguments(row.calls[0])}
    facts |= {"level": str(row.level)} if row.level is not None else {}
    if row.kind != "head":
        facts["channels"] = str(row.type.channels)
    sources = [names.get(connection.source, connection.source) for connection in row.inputs]
    resampled = row.join is not None or row.kind in ("output", "head") or any(one.resample for one in row.inputs)
    if row.kind != "stem":
        facts["inputs"] = f"{'from' if resampled else 'after'} {', '.join(sources)}"
    for at, connection in enumerate(row.inputs):
        if connection.resample is not None:
            facts[f"resample of input {at + 1}"] = use(connection.resample)
    if row.join is not None:
        facts["join"] = use(row.join)
    if row.absorbed:
        facts["absorbed"] = ", ".join(names.get(name, name) for name in row.absorbed)
    if row.repeated:
        facts["repeat"] = str(len(row.calls))
    if row.parts:
        facts["gives"] = ", ".join(f"{name} {type_}" for name, type_ in row.parts)
    elif row.kind == "head":
        facts["gives"] = str(row.type)
    resamples = [facts[word] for word in facts if word.startswith("resample")]
    if len(set(resamples)) == 1:  # mostly they are one, and written once
        facts = {word: text for word, text in facts.items() if not word.startswith("resample")}
        facts["resample"] = resamples[0]
    return facts


def summary(row: Row) -> str:
    """A row in a few words."""
    facts = clauses(row)
    words = [use(row.calls[0]) if row.calls else "the map as it is"]
    words += [f"level {facts['level']}"] if "level" in facts else []
    words += [f"{facts['channels']} channels"] if "channels" in facts else []
    words += [facts["inputs"]] if "inputs" in facts else []
    words += [f"absorbs {facts['absorbed']}"] if "absorbed" in facts else []
    words += [f"{facts['repeat']} times"] if "repeat" in facts else []
    return ", ".join(words)


def use(call: Call) -> str:
    """A definition, with the arguments that are not what it would take by itself."""
    defaults = {formal.name: formal.default.value for formal in call.module.formals if formal.default is not None}
    given = (
        f"{name} = {text}" for name, text in _arguments(call) if name not in defaults or text != shown(defaults[name])
    )
    words = ", ".join(given)
    return f"{call.module.definition}({words})" if words else call.module.definition


def _arguments(call: Call) -> Iterator[tuple[str, str]]:
    for name, attr in call.module.scalars.items():
        if "." not in name and name not in FILLED_IN:
            yield name, shown(attr.value)


def grouped(changes: Iterable[Change]) -> Iterator[tuple[Change, tuple[str, ...]]]:
    """The same change of several rows, once, with the rows' names."""
    names: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        named = () if change.how == "changed" else (change.name,)
        key = (change.kind, change.how, change.what, change.old, change.new, *named)
        names.setdefault(key, []).append(change)
    for same in names.values():
        yield same[0], tuple(change.name for change in same)


def _called(part: str, names: Mapping[str, str]) -> str:
    """A part of a name as it is called after: `from_b2` where `b2` is another row there."""
    source = part.removeprefix("from_")
    return f"from_{names[source]}" if source != part and source in names else part


def aligned(
    left: Sequence[Node], right: Sequence[Node], names: Mapping[str, str]
) -> Iterator[tuple[Node | None, Node | None]]:
    """Operations of a row before and after, side by side; None where one has no counterpart.

    `names` are those that the rows before have after, by which the connections of both are called.
    """
    here = [(node.primitive, *(_called(part, names) for part in within(node))) for node in left]
    there = [(node.primitive, *within(node)) for node in right]
    for _, a, b, c, d in SequenceMatcher(None, here, there, autojunk=False).get_opcodes():
        yield from zip_longest(left[a:b], right[c:d])
