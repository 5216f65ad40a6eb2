"""Random edits of a network that leave it a network, in the language's own edits.

Each is decoded from small numbers: what it does, and to which row. One after which the network has a mistake is left
out, so that what is drawn is valid, and shrinks to the fewest edits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from hypothesis import strategies as st

from spinedsl import api, driver, edit
from spinedsl.ir.parts.interface import interface_of, is_part
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.ops.tasks import TASKS
from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.testing.space import Space

Draw: TypeAlias = tuple[int, int, int, int]  # what is done, the row, and two more numbers
NAME = "Edited"
HIGHEST = 97


class _Sight:
    """What an edit can see of a network: its typed rows, and the types of its space."""

    def __init__(self, typed: TypedNetwork, space: Space, at: int) -> None:
        self.typed, self.space, self.at = typed, space, at
        self.rows = list(typed.rows.values())
        self.blocks = [row for row in self.rows if row.declared.row.kind == "block"]

    def above(self, row: TypedRow) -> list[TypedRow]:
        """The rows that a row may read."""
        index = self.rows.index(row)
        return [other for other in self.rows[:index] if other.declared.row.kind in ("stem", "block")]

    def readers(self, row: TypedRow) -> Iterator[TypedRow]:
        """The rows that read a row."""
        return (other for other in self.rows if row.name in [name.text for name in other.declared.sources])


Maker: TypeAlias = Callable[[_Sight, TypedRow, int, int], list[edit.Edit]]


def _level(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    levels = sight.space.levels
    return [edit.Change(row.name, edit.clauses(level=levels[one % len(levels)]))]


def _channels(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    channels = sight.space.channels
    return [edit.Change(row.name, edit.clauses(channels=channels[one % len(channels)]))]


def _type(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    return [edit.Change(row.name, type=sight.space.blocks[one % len(sight.space.blocks)])]


def _parents(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    above = [other.name for other in sight.above(row)]
    chosen = dict.fromkeys(above[-1 - number % len(above)] for number in (one, two)) if above else {}
    return [edit.Change(row.name, edit.clauses(from_=list(chosen)))] if chosen else []


def _own_resampling(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """The first input arrives by a resampling of its own."""
    names, uses = [name.text for name in row.declared.sources], sight.space.resamples
    if len(names) < 2:
        return []
    return [edit.Change(row.name, edit.clauses(from_=[f"{names[0]} resample {uses[one % len(uses)]}", *names[1:]]))]


def _directly(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    above = sight.above(row)
    return [edit.Change(row.name, edit.clauses(after=above[-1 - one % len(above)].name))] if above else []


def _repeat(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    return [edit.Change(row.name, edit.clauses(repeat=1 + one % 3))]


def _resample(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    uses = sight.space.resamples
    return [edit.Change(row.name, (("resample", uses[one % len(uses)]),))]


def _join(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    return [edit.Setting("join", (sight.space.joins[one % len(sight.space.joins)],))]


def _drop(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """Take a block away; those that read it read its first input instead."""
    if not row.declared.sources:
        return []
    instead = row.declared.sources[0].text
    changes: list[edit.Edit] = [edit.Drop(row.name)]
    for reader in sight.readers(row):
        names = [instead if name.text == row.name else name.text for name in reader.declared.sources]
        word = "after" if reader.declared.direct and reader.declared.row.kind == "block" else "from"
        changes.append(_rewired(reader, word, names))
    return changes


def _add(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """Put a block between a row and one of its inputs."""
    if not row.declared.sources:
        return []
    use = sight.space.blocks[one % len(sight.space.blocks)]
    levels, channels = sight.space.levels, sight.space.channels
    fed = row.declared.sources[two % len(row.declared.sources)].text
    name = f"x{sight.at}"
    clauses = edit.clauses(
        level=levels[two % len(levels)], from_=[fed], channels=channels[(one + two) % len(channels)]
    )  # fmt: skip
    names = [name if source.text == fed else source.text for source in row.declared.sources]
    return [edit.Add(name, use, clauses, before=row.name), _rewired(row, "from", names)]


def _rewired(row: TypedRow, word: str, names: Sequence[str]) -> edit.Edit:
    return edit.Change(row.name, ((word, ", ".join(dict.fromkeys(names))),), kind=row.declared.row.kind)


def _move(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    others = [other.name for other in sight.blocks if other is not row]
    if not others:
        return []
    beside = others[one % len(others)]
    return [edit.Move(row.name, before=beside) if two % 2 else edit.Move(row.name, after=beside)]


def _absorb_no_more(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    return [edit.Change(row.name, edit.clauses(absorb=None))] if row.declared.absorbed else []


def _end(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """Take an output or a head away, with the tasks of the head."""
    ends = [other for other in sight.rows if other.declared.row.kind in ("output", "head")]
    if not ends:
        return []
    name = ends[one % len(ends)].name
    tasks = [task.declared for task in sight.typed.tasks]
    of_it = [task.name for task in tasks if name in (head.text for head in task.heads.values())]
    return [*map(edit.Drop, of_it), edit.Drop(name)]


def _task(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """Take a task away, give a head another one, or say one anew."""
    heads = [other.name for other in sight.rows if other.declared.row.kind == "head"]
    tasks = [task.declared.name for task in sight.typed.tasks]
    if not heads or (tasks and one % 3 == 0):
        return [edit.Drop(name) for name in tasks[:1]]
    kinds = [kind.name for kind in TASKS.values() if kind.clauses == ("from",)]
    name = tasks[0] if tasks and one % 3 == 1 else f"t{sight.at}"
    return [edit.Task(name, kinds[two % len(kinds)], edit.clauses(from_=heads[one % len(heads)]))]


# ---- parts ----


def _networks(sight: _Sight) -> list[tuple[str, list[tree.Expr], list[str]]]:
    """The networks that can be a part, with the levels of the maps that they take, and what they give."""
    found = []
    for name, network in sight.typed.network.unit.networks.items():
        if isinstance(network, tree.Network) and is_part(network):
            interface = interface_of(network)
            several = [item.names for item in network.items if isinstance(item, tree.Outputs)]
            gives = [*interface.gives, *(one.text for names in several for one in names)]
            found.append((name, [taken.level for taken in interface.takes.values()], gives))
    return found


def _parts_of(sight: _Sight) -> list[tree.Part]:
    whole = sight.typed.network.declared.whole
    return [item for item in whole.items if isinstance(item, tree.Part)] if whole is not None else []


def _add_part(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """Put a part above a row, which reads it in the place of its first input."""
    networks = _networks(sight)
    if not networks or not row.declared.sources:
        return []
    network, takes, gives = networks[one % len(networks)]
    place = row.name.partition(".")[0]
    above = []
    for other in sight.rows:
        if other.name.partition(".")[0] == place:
            break
        above += [other] if other.declared.row.kind in ("stem", "block") else []
    fed: list[str] = []
    for level in takes:
        wanted = level.value if isinstance(level, tree.Number) else None
        fits = [other.name for other in above if wanted in (None, other.level)]
        if not fits:
            return []
        fed.append(fits[-1 - two % len(fits)])
    name, repeated = f"y{sight.at}", two % 3 > 0
    clauses = edit.clauses(from_=fed, **({"repeat": two % 3} if repeated else {}))
    use = f"shared {network}" if repeated and one % 2 else network
    rest = [source.text for source in row.declared.sources[1:]]
    read = [f"{name}.{gives[two % len(gives)]}", *rest]
    return [edit.Add(name, use, clauses, before=place, kind="part"), _rewired(row, "from", read)]


def _drop_part(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """Take a part away; what reads it reads what the part was given first."""
    parts, frames = _parts_of(sight), sight.typed.network.declared.frames
    if not parts:
        return []
    name = parts[one % len(parts)].name.text
    given = [frame for prefix, frame in frames.items() if prefix.partition(".")[0] == name]
    instead = next(iter(given[0].inputs.values())).text
    changes: list[edit.Edit] = [edit.Drop(name)]
    for reader in sight.rows:
        read = [source.text for source in reader.declared.sources]
        if reader.name.startswith(f"{name}.") or not any(source.startswith(f"{name}.") for source in read):
            continue
        kind = reader.declared.row.kind
        if kind == "output" and not reader.declared.clauses:
            changes.append(edit.Change(reader.name, type=instead, kind=kind))
        else:
            names = [instead if source.startswith(f"{name}.") else source for source in read]
            changes.append(_rewired(reader, "after" if reader.declared.direct and kind == "block" else "from", names))
    return changes


def _change_part(sight: _Sight, row: TypedRow, one: int, two: int) -> list[edit.Edit]:
    """Another number of copies, another network, other weights, or what a part is given the other way round."""
    parts, networks = _parts_of(sight), _networks(sight)
    if not parts or not networks:
        return []
    part = parts[one % len(parts)]
    name, how = part.name.text, two % 4
    if how == 0:
        return [edit.Change(name, edit.clauses(repeat=1 + one % 3), kind="part")]
    if how == 1:
        network = networks[two % len(networks)][0]
        return [edit.Change(name, type=network if one % 2 else f"shared {network}", kind="part")]
    if how == 2:
        return [edit.Change(name, edit.clauses(repeat=None), kind="part")]
    names = next(clause.value for clause in part.clauses if clause.keyword.text == "from")
    assert isinstance(names, tuple)
    return [edit.Change(name, edit.clauses(from_=[one.text for one in reversed(names)]), kind="part")]


MAKERS: tuple[Maker, ...] = (
    _level, _channels, _parents, _type, _drop, _add, _directly, _repeat, _resample, _join, _move, _absorb_no_more, _end,
    _task, _own_resampling, _add_part, _drop_part, _change_part,
)  # fmt: skip


@lru_cache(maxsize=4096)
def _typed(source: Source, network: str) -> TypedNetwork | None:
    """A network, if it has no mistakes."""
    outcome = driver.analyse(source, only=network)
    found = outcome.value.checked.get(network) if outcome.value is not None else None
    return found.typed if found is not None else None


def decode(source: Source, network: str, space: Space, draws: Sequence[Draw]) -> edit.Edits:
    """The edits of any numbers, each of which leaves the network right."""
    typed = _typed(source, network)
    if typed is None:
        raise ValueError(f"network `{network}` has mistakes already")
    taken = edit.Edits()
    for at, (what, which, one, two) in enumerate(draws):
        sight = _Sight(typed, space, at)
        if not sight.blocks:
            break
        row = sight.blocks[-1 - which % len(sight.blocks)]
        made = MAKERS[what % len(MAKERS)](sight, row, one, two)
        if not made:
            continue
        wanted = edit.Edits([*taken, *made])
        edited = _typed(edit.apply(source, wanted, base=network, name=NAME), NAME)
        if edited is not None:
            taken, typed = wanted, edited
    return taken


def edits(
    file: str | Source, network: str | None = None, *, space: Space | None = None, most: int = 4
) -> st.SearchStrategy[edit.Edits]:
    """Up to `most` valid edits of a network of a file: of its only one, or of `network`.

    `spinedsl.edit.apply` carries them out. Types that they name are those of the file, or of `space`.

    Raises:
        Mistakes: the file has mistakes.
        NetworkChoice: several networks and none chosen, or an unknown one.
    """
    source = Source.from_text(file) if isinstance(file, str) else file
    chosen = api.program(source, network=network).name
    types = Space.of(source) if space is None else space
    number = st.integers(0, HIGHEST)
    draws = st.lists(st.tuples(number, number, number, number), max_size=most)
    return st.builds(lambda drawn: decode(source, chosen, types, drawn), draws)
