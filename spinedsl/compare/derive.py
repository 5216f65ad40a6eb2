"""Derive: the edits that make the new network of the old one.

They are taken from the two networks as they are written, clause by clause, and carried out: only edits that give
exactly the new network are given back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from spinedsl import api, driver, edit
from spinedsl.compare.model import Difference
from spinedsl.compare.placed import Placed, clause_text, reached_inside, spelled, standing, type_text
from spinedsl.compare.rows import moves
from spinedsl.compare.settings import defined_names, definitions, entries, text_of, widths
from spinedsl.compare.side import Side
from spinedsl.ir.networks import Network
from spinedsl.ops.graph import Graph, flatten
from spinedsl.source import Span
from spinedsl.syntax import tree

FEEDS = ("from", "after")


def derive(old: Side, new: Side) -> edit.Edits | None:
    """Edits that make the new network of the old one; None where edits cannot: a definition changed, for example."""
    same = _meaning(old.graph) == _meaning(new.graph)
    reached = frozenset(name.partition(".")[0] for name in reached_inside(old.network))
    for anew in dict.fromkeys((frozenset[str](), reached)):
        try:
            edits = edit.Edits([*_all(old, new, anew), *_tasks(old.network, new.network)])
        except ValueError:  # an expression that no edit can hold
            continue
        if edits.items and _makes(edits, old, new):
            return edits
        if not edits.items:
            return edits if same else None
    # Networks that are parts may only have other names.
    return edit.Edits() if same and new.network.declared.whole is not None else None


def _makes(edits: edit.Edits, old: Side, new: Side) -> bool:
    """The edits make the new network of the old one."""
    name = _fresh(old, new.name)
    size = (new.program.input_type.height, new.program.input_type.width)
    declared = api.program(old.source, network=old.name).input_type
    given = size if (old.program.input_type.height, old.program.input_type.width) != (
        declared.height, declared.width,
    ) else None  # fmt: skip
    try:
        made = api.program(edit.apply(old.source, edits, base=old.name, name=name), network=name, size=given)
    except api.Mistakes:
        return False
    return _meaning(flatten(made)) == _meaning(new.graph)


def out_of_reach(difference: Difference) -> str:
    """What no edit says: definitions and parameters are those of the old file. Empty where it is something else."""
    old, new = difference.old, difference.new
    known = {parameter.name.text for parameter in old.network.declared.parameters}
    given = [parameter.name.text for parameter in new.network.declared.parameters]
    changed = [change.name for change in difference.changes if change.kind == "definition"]
    missing = definitions(new).keys() - defined_names(old)
    parts = {part.use.name.text for part in standing(new.network).values() if isinstance(part, tree.Part)}
    unknown = sorted(name for name in parts if not old.network.unit.with_network(name))
    return ", ".join(
        [
            *(f"the definition `{name}` is not the same in both" for name in changed),
            *(f"the old file has no definition `{name}`" for name in sorted(missing)),
            *(f"the old file has no network `{name}`" for name in unknown),
            *(f"the old network has no parameter `{name}`" for name in given if name not in known),
        ]
    )


def _fresh(old: Side, name: str) -> str:
    """A name that no network of the old file has."""
    taken = old.network.unit.networks
    while name in taken:
        name += "_edited"
    return name


def _meaning(graph: Graph) -> tuple[object, ...]:
    """All that a network is, but for its name and for where it is written."""
    program = graph.program
    rows = [
        (row.kind, row.name, row.type_name, row.level, [c.source for c in row.inputs], row.absorbed, row.repeated)
        for row in program.rows
    ]
    nodes = [(node.primitive, node.inputs, node.attributes, node.parameters, node.name) for node in graph.nodes]
    return (
        program.input_name,
        graph.types,
        program.divisor,
        program.outputs,
        rows,
        nodes,
        list(graph.parameters.items()),
        [(name, part.inputs, part.outputs, part.weights) for name, part in program.parts.items()],
        sorted((task.name, task.kind, str(task.arguments), str(task.named)) for task in program.tasks),
    )


# ---- tasks ----


def _tasks(old: Network, new: Network) -> Iterator[edit.Edit]:
    """Tasks dropped, and those that are new or say something else."""
    before, after = ({one.name: _task(one.task) for one in network.tasks} for network in (old, new))
    for name in before:
        if name not in after:
            yield edit.Drop(name)
    for name, item in after.items():
        if before.get(name) != item:
            yield item


def _task(task: tree.Task) -> edit.Task:
    return edit.Task(task.name.text, text_of(task.use.span), _clauses(task.clauses))


# ---- settings ----


def _settings(old: Network, new: Network) -> Iterator[edit.Edit]:
    """The edits that make the settings of the old network those of the new one."""
    yield from _arguments(old, new)
    if (text := _input(new)) != _input(old) and text:
        yield edit.Setting("input", (text,))
    for word, was, now in (
        ("defaults", entries(old.defaults), entries(new.defaults)),
        ("widths", widths(old.widths), widths(new.widths)),
        ("rules", entries(old.rules), entries(new.rules)),
    ):
        changed = [_entry(word, key, text) for key, text in now.items() if was.get(key) != text]
        if changed:
            yield edit.Setting(word, tuple(changed))
    for word in ("resample", "join"):
        left, right = _use(old, word), _use(new, word)
        if left != right:
            yield edit.Setting(word, (right or "none",))
    lets = {let.name.text: text_of(let.value.span) for let in old.lets}
    for let in new.lets:
        text = text_of(let.value.span)
        if lets.get(let.name.text) != text and "." not in let.name.text:  # what parts are given, they say
            yield edit.Setting("let", (f"{let.name.text} = {text}",))
    accepted = {allow.code.text for allow in old.allowed}
    for allow in new.allowed:
        if allow.code.text not in accepted:
            yield edit.Allow(allow.code.text, allow.reason)


def _arguments(old: Network, new: Network) -> Iterator[edit.Edit]:
    known = {parameter.name.text: parameter.default for parameter in old.declared.parameters}
    for parameter in new.declared.parameters:
        name = parameter.name.text
        now = new.arguments.get(name, parameter.default)
        if now is None or name not in known:
            continue
        was = old.arguments.get(name, known[name])
        if was is None or not tree.alike(was, now):
            yield edit.Argument(name, text_of(now.span))


def _input(network: Network) -> str:
    declared = network.input
    return (
        text_of(Span(declared.span.source, declared.name.span.start, declared.span.end)) if declared is not None else ""
    )


def _entry(word: str, key: str, text: str) -> str:
    if word == "widths":
        return f"{key}: {text}"
    return f"{key} {text}" if word == "rules" or key in ("act", "norm") else text


def _use(network: Network, word: str) -> str:
    found = [item for item in network.declared.items if isinstance(item, tree.Setting) and item.keyword == word]
    return text_of(found[-1].use.span) if found else ""


# ---- rows and parts ----


def _all(old: Side, new: Side, anew: Collection[str]) -> Iterator[edit.Edit]:
    """Edits of settings, then of rows and parts, then of rows inside parts: of the network that those before make.

    Parts `anew` are dropped and added, by which edits inside them are forgotten.
    """
    rows = _rows(standing(old.network), standing(new.network), anew)
    made = [*_settings(old.network, new.network), *rows]
    yield from made
    between: Network | None = old.network
    if old.network.declared.whole is None and new.network.declared.whole is None:
        return
    if made:
        name = _fresh(old, new.name)
        edited = driver.load(edit.apply(old.source, edit.Edits(made), base=old.name, name=name))
        between = edited.networks.get(name)
    if between is not None:
        yield from _rows(*({row.name: spelled(row.row, one) for row in one.rows} for one in (between, new.network)))


def _rows(before: Mapping[str, Placed], after: Mapping[str, Placed], anew: Collection[str] = ()) -> Iterator[edit.Edit]:
    """Rows dropped, then those of the new network from top to bottom: added, changed, and put in their place."""
    same = {name for name in before if name in after and before[name].kind == after[name].kind and name not in anew}
    for name in before:
        if name not in same:
            yield edit.Drop(name)
    for name in after:
        if name in same and (changed := _changed(before[name], after[name])) is not None:
            yield changed
    stand = [name for name in before if name in same]
    moved = moves(stand, [name for name in after if name in same])
    above = ""
    for name, row in after.items():
        if name in moved:
            stand.remove(name)
            beside = {"after": above} if above else {"before": stand[0]}
            yield edit.Move(name, **beside)
            _insert(stand, name, above)
        elif name not in same:
            yield _added(row, stand, above)
            _insert(stand, name, above)
        above = name


def _insert(stand: list[str], name: str, above: str) -> None:
    stand.insert(stand.index(above) + 1 if above else 0, name)


def _added(row: Placed, stand: Sequence[str], above: str) -> edit.Add:
    place: dict[str, str] = {"after": above} if above else {"before": stand[0]} if stand else {}
    return edit.Add(row.name.text, type_text(row), _clauses(row.clauses), kind=row.kind, **place)


def _changed(old: Placed, new: Placed) -> edit.Change | None:
    """What to say of a row so that it becomes the other; None where nothing changed."""
    was, now = dict(_clauses(old.clauses)), dict(_clauses(new.clauses))
    changed = [(word, text) for word, text in now.items() if was.get(word) != text]
    fed = any(word in FEEDS for word in now)  # one of the two replaces the other
    changed += [(word, "none") for word in was if word not in now and not (fed and word in FEEDS)]
    left, right = type_text(old), type_text(new)
    if not changed and left == right:
        return None
    return edit.Change(new.name.text, tuple(changed), right if left != right else None, new.kind)


def _clauses(written: Sequence[tree.Clause]) -> edit.Clauses:
    return tuple((clause.keyword.text, clause_text(clause)) for clause in written)
