"""Write a candidate: as a `.spine` text that stands by itself, and as edits of the network that the space is of.

The text has the network written out, with the values that its instances gave as the defaults of its parameters, the
imports of the prelude that it needs, and a copy of every definition of the user's own files that it uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from spinedsl import edit
from spinedsl.ir.elaborate.settings import Settings
from spinedsl.ir.expand import Context, Work
from spinedsl.ir.library import Defined, Unit
from spinedsl.ir.networks import Network, layers
from spinedsl.source import Source
from spinedsl.spaces.decode import Candidate, Placed
from spinedsl.spaces.model import Block, Space
from spinedsl.syntax import tree
from spinedsl.syntax.format import format_source, text_of

PRELUDE = "std/"  # begins the names of the prelude's files
CHOSEN = ("level", "from", "after", "absorb")  # clauses that are written anew


def text(space: Space, candidate: Candidate, name: str = "Candidate") -> str:
    """A whole file with the candidate as its only network, formatted."""
    written = f"spine 1\n\n{definitions(space)}{rows(space, candidate, name)}\n"
    formatted = format_source(Source.from_text(written, f"{name}.spine")).value
    return formatted if formatted is not None else written


def rows(space: Space, candidate: Candidate, name: str = "Candidate") -> str:
    """The network of the text, before it is formatted: equal for candidates whose texts are equal, and quickly made."""
    return "\n".join(_network(space, candidate, name))


# ---- the network ----


def _network(space: Space, candidate: Candidate, name: str) -> Iterator[str]:
    """The lines of the network."""
    network = space.network
    parameters = ", ".join(_parameter(network, parameter) for parameter in network.declared.parameters)
    yield f"network {name}({parameters}) {{" if parameters else f"network {name} {{"
    rows = {block.name: slot for slot, block in enumerate(space.blocks)}
    ends: list[str] = []
    last = ""
    for item in network.declared.items:
        kind = item.kind if isinstance(item, tree.Row) else "task" if isinstance(item, tree.Task) else ""
        if isinstance(item, tree.Row) and kind == "block":
            row = candidate.rows[rows[item.name.text]]
            lines = [] if row is None else [_block(space, candidate, row)]
        else:
            lines = [_item(network, item)]
        if kind in ("output", "head", "task"):
            ends += ["", *lines] if ends and not ends[-1].startswith(f"{kind} ") else lines
            continue
        yield from ["", *lines] if kind != last else lines
        last = kind
    yield from ["", *ends, "}"]


def frame(space: Space) -> list[str]:
    """What all candidates have in common: lines that no choice is about, and each block's clauses."""
    network = space.network
    blocks = [" ".join(map(_clause, block.row.clauses)) for block in space.blocks]
    others = [one for one in network.declared.items if not (isinstance(one, tree.Row) and one.kind == "block")]
    parameters = [_parameter(network, parameter) for parameter in network.declared.parameters]
    return [*parameters, *blocks, *(_item(network, item) for item in others)]


def _parameter(network: Network, parameter: tree.Parameter) -> str:
    given = network.arguments.get(parameter.name.text, parameter.default)
    return parameter.name.text if given is None else f"{parameter.name.text} = {text_of(given.span)}"


def _block(space: Space, candidate: Candidate, row: Placed) -> str:
    """A block row with what was chosen, and its other clauses as they are."""
    block = space.blocks[row.block]
    fed = "after" if block.direct else "from"
    sources = names(space, candidate, row.parents) if row.chosen else _sources(block)
    parts = [f"block {block.name}: {text_of(block.types[row.type].span)} level {_level(block, row)}"]
    parts += [f"{fed} {', '.join(sources)}"]
    parts += [_clause(clause) for clause in block.row.clauses if clause.keyword.text not in CHOSEN]
    if row.absorbed:
        parts.append(f"absorb {', '.join(names(space, candidate, row.absorbed))}")
    return " ".join(parts)


def names(space: Space, candidate: Candidate, slots: Sequence[int]) -> list[str]:
    """The names of the blocks in slots."""
    found = []
    for slot in slots:
        row = candidate.rows[slot]
        assert row is not None
        found.append(space.blocks[row.block].name)
    return found


def _level(block: Block, row: Placed) -> str:
    """The level as the row says it, where it is the same."""
    clause = next(clause for clause in block.row.clauses if clause.keyword.text == "level")
    kept = len(block.levels) == 1 and not isinstance(clause.value, tuple)
    return text_of(clause.value.span) if kept and not isinstance(clause.value, tuple) else str(row.level)


def _sources(block: Block) -> list[str]:
    """What feeds a block as it is written, each input with the resampling of its own."""
    clause = next((one for one in block.row.clauses if one.keyword.text in ("from", "after")), None)
    return _named(clause) if clause is not None else []


def _named(clause: tree.Clause) -> list[str]:
    assert isinstance(clause.value, tuple)
    own = clause.own or (None,) * len(clause.value)
    uses = [f" resample {text_of(use.span)}" if use is not None else "" for use in own]
    return [f"{name.text}{use}" for name, use in zip(clause.value, uses, strict=True)]


def _clause(clause: tree.Clause) -> str:
    value = clause.value
    text_ = ", ".join(_named(clause)) if isinstance(value, tuple) else text_of(value.span)
    return f"{clause.keyword.text} {text_}"


def _item(network: Network, item: tree.NetworkItem) -> str:
    """A row or setting that no choice is about. Edits may have put it together from several places."""
    if isinstance(item, tree.Row):
        head = f"{item.kind} {item.name.text}: {text_of(item.use.span)}"
        return " ".join([head, *(_clause(clause) for clause in item.clauses)])
    if isinstance(item, tree.Task):
        return " ".join(
            [f"task {item.name.text}: {text_of(item.use.span)}", *(_clause(clause) for clause in item.clauses)]
        )
    if isinstance(item, tree.Widths):
        return f"widths {{ {', '.join(_widths(network))} }}"
    if isinstance(item, tree.Defaults | tree.Rules):
        word = "defaults" if isinstance(item, tree.Defaults) else "rules"
        return f"{word} {{ {', '.join(text_of(part.span) for part in item.items)} }}"
    return text_of(item.span)


def _widths(network: Network) -> Iterator[str]:
    """The entries of `widths`: those of edits stand over those of the network, level by level."""
    found = layers(network.widths)
    if len(found) == 1:
        for item in found[0].items:
            yield text_of(item.span)
        return
    values: dict[int, str] = {}
    for layer in found:
        for item in layer.items:
            for level in range(_level_of(network, item.low), _level_of(network, item.high or item.low) + 1):
                values[level] = text_of(item.value.span)
    for level, value in sorted(values.items()):
        yield f"level {level}: {value}"


def _level_of(network: Network, written: tree.Expr) -> int:
    """The level that `widths` name, as in `2..top`."""
    if isinstance(written, tree.Number) and isinstance(written.value, int):
        return written.value
    level = _settings(network).level(written)
    assert level is not None
    return level


@lru_cache(maxsize=16)
def _settings(network: Network) -> Settings:
    """The values of a network's parameters and `let`s."""
    settings = Settings(network, Context(network, Work()))
    settings.open()
    return settings


# ---- what it is made of ----


def definitions(space: Space) -> str:
    """The imports that a file with the network needs, and copies of definitions that no import gives."""
    modules: dict[str, None] = {}
    copies = ""
    for defined in _needed(space):
        if (module := _module(defined)) is not None:
            modules[module] = None
        else:
            copies += f"{defined.definition.span.text}\n\n"
    imports = "".join(f"import std.{module}\n" for module in sorted(modules))
    return f"{imports}\n{copies}" if imports else copies


def _module(defined: Defined) -> str | None:
    """The module of the prelude in which a definition stands; None of one of the user's own."""
    source = defined.unit.file.source.name
    return source.removeprefix(PRELUDE).removesuffix(".spine") if source.startswith(PRELUDE) else None


def of_one_name(space: Space) -> Iterator[tuple[Defined, Defined]]:
    """Definitions that cannot stand in one file, as a candidate has them: the second takes the name of the first."""
    needed = list(_needed(space))
    taken: dict[str, Defined] = {}
    for unit in dict.fromkeys(defined.unit for defined in needed if _module(defined) is not None):
        taken |= {defined.name: defined for defined in unit.own()}
    for defined in needed:
        if (first := taken.setdefault(defined.name, defined)) is not defined:
            yield first, defined


def _needed(space: Space) -> Iterator[Defined]:
    """The definitions that candidates may use, and all that those use, each once."""
    network = space.network
    pending: list[tuple[Unit, object]] = [(network.unit, item) for item in network.declared.items]
    pending += [(network.unit, use) for block in space.blocks for use in block.types]
    seen: dict[Defined, None] = {}
    while pending:
        unit, node = pending.pop(0)
        if isinstance(node, tree.Use | tree.Call | tree.Ident):
            name = tree.Name(node.name, node.span) if isinstance(node, tree.Ident) else _called(node)
            home = space_home(space, unit, name)
            if (defined := home.definitions.get(name.text)) is not None and defined not in seen:
                seen[defined] = None
                if not defined.unit.file.source.name.startswith(PRELUDE):
                    pending += [(defined.unit, part) for part in tree.parts(defined.definition)]
        pending += [(unit, part) for part in tree.parts(node)]
    yield from seen


def _called(node: tree.Use | tree.Call) -> tree.Name:
    return node.name if isinstance(node, tree.Use) else node.callee


def space_home(space: Space, unit: Unit, name: tree.Name) -> Unit:
    """The unit in which a name means what it means: the space may stand in another file than its network."""
    if name.span.source is unit.file.source:
        return unit
    if name.span.source is space.unit.file.source:
        return space.unit
    return unit.home(name.span)


# ---- as edits ----


def edits(space: Space, candidate: Candidate) -> edit.Edits:
    """The edits that make the candidate of the network that the space is of."""
    found: list[edit.Edit] = []
    kept = [row for row in candidate.rows if row is not None]
    there = {row.block for row in kept}
    found += [edit.Drop(block.name) for number, block in enumerate(space.blocks) if number not in there]
    now = [number for number in range(len(space.blocks)) if number in there]
    for at, row in enumerate(kept):
        if now[at] != row.block:
            found.append(edit.Move(space.blocks[row.block].name, before=space.blocks[now[at]].name))
            now.remove(row.block)
            now.insert(at, row.block)
    for row in kept:
        found += _change(space, candidate, row)
    return edit.Edits(found)


def _change(space: Space, candidate: Candidate, row: Placed) -> Iterator[edit.Edit]:
    """What is new in a row."""
    block = space.blocks[row.block]
    clauses: dict[str, edit.Value] = {}
    typed = space.typed.rows[block.name]
    if typed.level != row.level:
        clauses["level"] = row.level
    sources, absorbed = names(space, candidate, row.parents), names(space, candidate, row.absorbed)
    before = [name.text for name in typed.declared.sources]
    if row.chosen and (sources != before or typed.declared.direct):
        clauses["from_"] = sources
        if typed.declared.direct:
            clauses["after"] = None
    if absorbed != [name.text for name in typed.declared.absorbed]:
        clauses["absorb"] = absorbed or None
    use = text_of(block.types[row.type].span)
    type_ = use if use != text_of(block.row.use.span) else None
    if clauses or type_ is not None:
        yield edit.Change(block.name, edit.clauses(**clauses), type=type_)
