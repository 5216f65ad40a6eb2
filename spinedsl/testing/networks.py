"""Random networks that are valid by construction: rows decoded from small numbers, and repaired one by one.

A row that the space's own types cannot take, asked of the compiler in a network of its own, is tried at other levels
and channels, and left out at last. Lists of numbers shrink well: what fails does so with a handful of blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import TypeAlias

from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.brief import brief
from spinedsl.ir.filled import maps_of
from spinedsl.ops.tasks import TASKS
from spinedsl.record import Record, field, replace
from spinedsl.source import Source
from spinedsl.testing import definitions
from spinedsl.testing.parts import folded
from spinedsl.testing.space import STANDARD, Space

# Numbers of a row: its type; level and channels; distances back to what it reads; how it reads and what else it says.
# They are four because Hypothesis takes out five choices at a time, and a row of a list is one more than its numbers.
Draw: TypeAlias = tuple[int, int, int, int]
HIGHEST: Draw = (23, 63, 16**3 - 1, 127)
# Numbers of the network: defaults, sizes, size of the input, stem, resample, join, outputs, head, widths.
Choices: TypeAlias = tuple[int, int, int, int, int, int, int, int, int]

HIGHEST_CHOICE = 23
ANY_SIZES = ((64, 64), (45, 70), (33, 33), (37, 64), (96, 51))  # odd and even, square and not
TIMES = ((2, 2), (1, 2), (2, 1), (1, 3))  # the greatest stride, for sizes that have to divide
NAME = "Net"
CARRIER = """
block_type carrier__(x, channels, out, stride = 1) -> out {
    return conv(x, out, kernel = 3, stride = stride, padding = same)
}
"""


class Made(Record):
    """A row that other rows may read: its level, the channels that it declares, and those that come out."""

    name: str
    level: int
    declared: int
    channels: int


class Block(Record):
    """A block as it was decoded. `reads` are the rows that it reads, absorbed ones not counted.

    One that is fed by `after`, or takes its maps one by one, has no join.
    """

    made: Made
    text: str
    reads: tuple[str, ...]
    joined: bool


class Drawing(Record, frozen=False):
    """A network in the making."""

    space: Space
    head: str
    frame: str
    stem: Made
    width: int  # the channels of a row that says none; 0 where it has to
    resample: str
    blocks: list[Block] = field(default_factory=list)

    def made(self, index: int) -> Made:
        """The row that a position means: a block, or the stem at -1."""
        return self.stem if index < 0 else self.blocks[index].made


# ---- asking the compiler ----


@lru_cache(maxsize=1 << 17)
def takes(head: str, origin: str, frame: str, given: tuple[Made, ...], row: str, reader: str) -> tuple[int, int] | None:
    """Level and channels that come out of a row `q` that reads `p0`, `p1`, … as `given`; None if it is a mistake.

    `reader` is what makes the network whole: an output of `q`, if `q` is a block; or a task of `q`, if `q` is a head,
    which has neither level nor channels.
    """
    carriers = [
        f"block p{n}: carrier__(out = {one.channels}) level {one.level} channels {one.declared} after s"
        for n, one in enumerate(given)
    ]
    text = "\n".join([head, CARRIER, frame, *carriers, row, reader, "}\n"])
    outcome = driver.analyse(Source.from_text(text, "probe.spine", origin))
    if outcome.value is None or not outcome.ok or NAME not in outcome.value.checked:
        return None
    type_ = outcome.value.checked[NAME].typed.rows["q"].type
    if type_ is None or type_.level is None:
        return (-1, 0) if row.startswith("head") else None
    return type_.level, type_.channels


# ---- rows ----


@lru_cache(maxsize=1 << 10)
def _several(head: str, origin: str) -> dict[str, int]:
    """The block types that take their maps one by one, with the number of these."""
    unit = driver.analyse(Source.from_text(head, "probe.spine", origin)).value
    found = unit.unit.definitions.items() if unit is not None else ()
    return {name: maps for name, defined in found if (maps := maps_of(defined.definition)) > 1}


def _attempts(drawing: Drawing, draw: Draw, maps: int) -> Iterator[tuple[tuple[int, ...], str, str, str]]:
    """Parents, clauses, `from` or `after`, and what stands between parents; the wanted ones first.

    A type of several maps may read a row again. What stands between may be the resampling of the parent before it.
    """
    space, count = drawing.space, len(drawing.blocks)
    _, place, back, how = draw
    channels, level = divmod(place, 8)
    distances = (back // 16**n % 16 for n in range(3))
    parents = [count - 1 - distance % (count + 1) for distance in distances]
    joins, how = how % 2, how // 2
    more = how // 4
    parents = (parents * maps)[:maps] if maps > 1 else list(dict.fromkeys(parents))[: 1 + how % 4 % space.inputs]
    above = [drawing.made(parent) for parent in parents]
    levels = list(dict.fromkeys([space.levels[level % len(space.levels)], above[0].level, *(a.level for a in above)]))
    widths = list(dict.fromkeys([space.channels[channels % len(space.channels)], above[0].channels]))
    repeat = f" repeat {1 + more % 3}" if more % 4 and maps == 1 else ""
    resample = space.resamples[more % len(space.resamples)]
    other = f" resample {resample}" if more % 5 > 2 and resample != drawing.resample else ""
    first = space.resamples[(more // 4 + level) % len(space.resamples)]
    betweens = (f" resample {first}, ", ", ") if len(parents) > 1 and more % 3 == 1 else (", ",)
    for joined in (True, False) if joins else (False,):
        specials = dict.fromkeys((other, "")) if joined else ("",)
        for special, between in product(specials, betweens if joined else (", ",)):
            for width in widths:
                for wanted in levels:
                    channels_given = "" if width == drawing.width else f" channels {width}"
                    chosen = tuple(parents) if joined or maps > 1 else (parents[0],)
                    yield (
                        chosen,
                        f" level {wanted} {{}} {{}}{channels_given}{repeat}{special}",
                        "from" if joined else "after",
                        between,
                    )


def _decode_row(drawing: Drawing, types: Sequence[str], draw: Draw) -> None:
    """Add the first row that the types can take; none if there is none."""
    use = types[draw[0] % len(types)]
    name = f"b{len(drawing.blocks)}"
    maps = _several(drawing.head, drawing.space.origin).get(use.partition("(")[0], 1)
    for parents, clauses, word, between in _attempts(drawing, draw, maps):
        given = tuple(drawing.made(parent) for parent in parents)
        probes = tuple(Made("", one.level, one.declared, one.channels) for one in given if one is not drawing.stem)
        names, count = [], 0
        for one in given:
            names.append("s" if one is drawing.stem else f"p{count}")
            count += one is not drawing.stem
        row = f"block q: {use}{clauses}".format(word, between.join(names))
        found = takes(drawing.head, drawing.space.origin, drawing.frame, probes, row, "output P: q")
        if found is not None:
            level, channels = found
            channels_given = clauses.partition(" channels ")[2].partition(" ")[0]
            made = Made(name, level, int(channels_given or drawing.width), channels)
            sources = between.join(one.name for one in given)
            text = f"block {name}: {use}{clauses}".format(word, sources)
            drawing.blocks.append(Block(made, text, tuple(one.name for one in given), word == "from" and maps == 1))
            return


def _kept(drawing: Drawing, outputs: Sequence[Block], absorbs: dict[str, str]) -> list[Block]:
    """Blocks that some output reads. One that none reads is absorbed by a block below where it fits, else left out."""
    by_name = {block.made.name: block for block in drawing.blocks}
    kept: set[str] = set()

    def keep(name: str) -> None:
        pending = [name]
        while pending:
            found = pending.pop()
            if found in by_name and found not in kept:
                kept.add(found)
                pending += by_name[found].reads

    for output in outputs:
        keep(output.made.name)
    for at in range(len(drawing.blocks) - 1, -1, -1):
        orphan = drawing.blocks[at]
        if orphan.made.name in kept:
            continue
        for host in drawing.blocks[at + 1 :]:
            fits = (host.made.level, host.made.channels) == (orphan.made.level, orphan.made.channels)
            if fits and host.joined and host.made.name in kept and host.made.name not in absorbs:
                absorbs[host.made.name] = orphan.made.name
                keep(orphan.made.name)
                break
    return [block for block in drawing.blocks if block.made.name in kept]


# ---- networks ----


def to_text(
    space: Space, types: Sequence[Sequence[int]], draws: Sequence[Draw], choices: Choices, *, parts: bool = True
) -> str:
    """The network of any numbers, as a file. `types` are the numbers of block types of its own.

    A row was tried by itself. What shows only in the whole, such as an input of which a row further down reads no
    channel, goes with the last rows.
    """
    own = space.resamples[(choices[5] + choices[4] + 1) % len(space.resamples)]
    ways = ((own, True), (own, False), ("", False)) if parts else ()
    for text in dict.fromkeys(_to_text(space, types, draws, choices, part=part, shared=one) for part, one in ways):
        if not _is_refused(space.source(text)):
            return text
    text = _to_text(space, types, draws, choices)
    while draws and _is_refused(space.source(text)):
        draws = draws[:-1]
        text = _to_text(space, types, draws, choices)
    return text


def _is_refused(source: Source) -> bool:
    """It has mistakes. A fault of the compiler is for the laws to find."""
    try:
        return not driver.analyse(source).ok
    except Exception:  # noqa: BLE001
        return False


def _to_text(
    space: Space,
    types: Sequence[Sequence[int]],
    draws: Sequence[Draw],
    choices: Choices,
    *,
    part: str | None = None,
    shared: bool = False,
) -> str:
    """A file with the network that these draws stand for; with a `part`, whose rows may resample one input so.

    Copies of it may be `shared`.
    """
    output, head, widths = choices[6:]
    own = [definitions.decode(f"made{n}", numbers) for n, numbers in enumerate(types)]
    text = "\n".join([space.head, *own])
    drawing = _begun(space, text, choices)
    made = [use for n, one in enumerate(own) for use in definitions.uses(f"made{n}", one)]
    every = [space.blocks[0], *made, *space.blocks[1:]]
    for draw in draws:
        _decode_row(drawing, every, draw)
    if not drawing.blocks:
        _decode_row(drawing, every, (0, 0, 0, 0))
    below = drawing.blocks or [Block(drawing.stem, "", (), joined=False)]  # no type of the space fits
    last = list({block.made.level: block for block in below}.values())
    absorbs: dict[str, str] = {}
    kept = _kept(drawing, last, absorbs)
    given = [(block.made.name, block.made.level) for block in last]
    inner = folded(widths // 2, every, given, part, shared=shared) if part is not None else None
    rows = [block.text + (f" absorb {absorbs[name]}" if (name := block.made.name) in absorbs else "") for block in kept]
    if inner is not None:
        text, rows = f"{text}\n{inner.networks}", [*rows, inner.row]
        behind = dict(zip((block.made.name for block in last[-len(inner.gives) :]), inner.gives, strict=True))
        last = [
            replace(block, made=replace(block.made, name=behind.get(block.made.name, block.made.name)))
            for block in last
        ]
    rows += [_output(drawing, space.outputs[output % len(space.outputs)], block) for block in last]
    rows += _head(drawing, space.heads[head % len(space.heads)], last)
    return "\n".join([text, drawing.frame, *(f"    {row}" for row in rows), "}\n"])


def _begun(space: Space, head: str, choices: Choices) -> Drawing:
    """The network down to its stem, for the sizes that are drawn; for others, where no stem takes an image of those."""
    wanted = space.sizes[choices[1] % len(space.sizes)]
    for sizes in dict.fromkeys((wanted, *space.sizes, "fixed")):
        drawing = _with_stem(space, head, choices, sizes)
        if drawing is not None:
            return drawing
    raise ValueError(f"no stem of the space takes an image: {', '.join(space.stems)}")


def _with_stem(space: Space, head: str, choices: Choices, kind: str) -> Drawing | None:
    """The network for sizes of a kind, with the first stem, from the wanted one on, that is fit for it, if one is."""
    defaults, sizes, size, stem, resample, join, _, _, widths = choices
    greatest = 1 << max(space.levels)
    high, wide = TIMES[size % len(TIMES)]
    height, width = (high * greatest, wide * greatest) if kind == "divisible" else ANY_SIZES[size % len(ANY_SIZES)]
    default_width = space.channels[widths % len(space.channels)] if widths % 2 else 0
    resampling = space.resamples[resample % len(space.resamples)]
    rules = ([f"sizes {kind}"] if kind != "divisible" else []) + (
        [f"inputs 1..{space.inputs}"] if space.inputs > 2 else []
    )
    rounding = space.roundings[sizes // len(space.sizes) % len(space.roundings)]
    rules += [f"channels {rounding}"] if rounding else []
    lines = [
        f"network {NAME} {{",
        f"    input image: 3 x {height} x {width}",
        f"    defaults {{ {space.defaults[defaults % len(space.defaults)]} }}",
        *([f"    widths {{ level 0..{max(space.levels)}: {default_width} }}"] if default_width else []),
        *([f"    rules {{ {', '.join(rules)} }}"] if rules else []),
        f"    resample {resampling}",
        f"    join {space.joins[join % len(space.joins)]}",
        '    allow W0701 "random"',
        '    allow W0702 "random"',
    ]
    frame = "\n".join(lines)
    for turn in range(len(space.stems)):
        use = space.stems[(stem + turn) % len(space.stems)]
        for clause in (" channels 8", ""):
            row = f"stem q: {use}{clause}"
            found = takes(head, space.origin, frame, (), row, "output P: q")
            if found is not None:
                level, channels = found
                made = Made("s", level, channels, channels)
                return Drawing(space, head, f"{frame}\n    stem s: {use}{clause}", made, default_width, resampling)
    return None


def _output(drawing: Drawing, use: str, block: Block) -> str:
    """An output row; of a type that does not take the map, a plain one."""
    made = block.made
    name = f"O{made.level}"
    for clause in (" channels 4", "") if use else ():
        row = f"output q: {use} from p0{clause}"
        if takes(drawing.head, drawing.space.origin, drawing.frame, (made,), row, ""):
            return f"output {name}: {use} from {made.name}{clause}"
    return f"output {name}: {made.name}"


def _head(drawing: Drawing, use: str, last: Sequence[Block]) -> Iterator[str]:
    """A head of all outputs, else of the last, if there is to be one and it takes them."""
    for read in (last, last[-1:]) if use else ():
        given = tuple(Made("", b.made.level, b.made.declared, b.made.channels) for b in read)
        for clause in (" channels 6", ""):
            row = f"head q: {use} from {', '.join(f'p{n}' for n in range(len(given)))}{clause}"
            if takes(drawing.head, drawing.space.origin, drawing.frame, given, row, ""):
                yield f"head H: {use} from {', '.join(f'O{b.made.level}' for b in read)}{clause}"
                yield from _task(drawing, given, row)
                return


def _task(drawing: Drawing, given: tuple[Made, ...], row: str) -> Iterator[str]:
    """What the head means, where there is a kind of task that one head like it has."""
    for kind in (kind for kind in TASKS.values() if kind.clauses == ("from",)):
        if takes(drawing.head, drawing.space.origin, drawing.frame, given, row, f"task t: {kind.name} from q"):
            yield f"task T: {kind.name} from H"
            return


def draws(most: int) -> st.SearchStrategy[list[Draw]]:
    """Numbers of one to `most` rows."""
    kind, place, back, how = (st.integers(0, highest) for highest in HIGHEST)
    return st.lists(st.tuples(kind, place, back, how), min_size=1, max_size=most)


def networks(space: Space = STANDARD, *, parts: bool = True) -> st.SearchStrategy[str]:
    """Texts of files with one valid network, `Net`, of a space; perhaps with `parts`, which are networks above it.

    They have one to `space.most` blocks, and shrink to one. `space.source(text)` is such a text as a source.

    Raises:
        TypeError: it is no space.
    """
    if not isinstance(space, Space):
        raise TypeError(f"expected a space, as `Space.of(file)` gives; got {type(space).__name__} {brief(space)}")
    number = st.integers(0, HIGHEST_CHOICE)
    own = st.lists(definitions.numbers(), max_size=space.made)
    choices = st.tuples(*[number] * 9)
    return st.builds(lambda *drawn: to_text(space, *drawn, parts=parts), own, draws(space.most), choices)
