"""Tasks: what the heads of a network mean, so that who trains, evaluates or exports it need not be told.

A kind of task is a row of `TASKS`: the clauses by which it names its heads, one head each; its arguments; and what is
wrong with what these heads give (`misfits`). Another kind is another row: nothing else in the language names one.
`ops/detection.py` has the numbers of a detection task, for what decodes boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from spinedsl.brief import counted
from spinedsl.diagnostics import one_of
from spinedsl.ops.primitives import Attribute, Idle, Kind
from spinedsl.ops.types import Type, Value
from spinedsl.record import Record

if TYPE_CHECKING:
    from spinedsl.ops.graph import Node  # which a check of a clean file without tasks does not need

KEEP_LENGTH = frozenset({"flatten", "identity"})  # operations that leave a vector's length as it is
LEAST_CLASSES = 2


class Given(Record, eq=False):
    """What a clause names: values of a head by number, the types of all values, and the operations that make them.

    `yields` are the names under which the head yields several things, if the clause names none of them, and `head` is
    that of the head.
    """

    values: tuple[int, ...]
    types: tuple[Type, ...]
    nodes: tuple[Node, ...]
    yields: tuple[str, ...] = ()
    head: str = ""

    @property
    def results(self) -> tuple[Type, ...]:
        """The types of what it gives."""
        return tuple(self.types[value] for value in self.values)

    @property
    def in_words(self) -> str:
        """What it gives, in words."""
        if len(self.values) != 1:
            return f"{len(self.values)} values"
        (given,) = self.results
        if given.is_vector:
            return f"a vector of {'x'.join(map(str, given.axes)) or given.channels}"
        count = f"{'x'.join(map(str, given.axes))} channels" if given.axes else counted(given.channels, "channel")
        return f"a map of {count} ({given.where})"


class Misfit(Record):
    """What is wrong with what the head after a clause gives."""

    clause: str
    expected: str
    got: str
    fix: str


Heads: TypeAlias = Mapping[str, Given]  # by clause
Misfits: TypeAlias = Callable[[Heads, Mapping[str, Value]], Iterator[Misfit]]


class TaskKind(Record):
    """A row of the table. `example` is a row of a network that has such a task; `heads` are types that give it."""

    name: str
    clauses: tuple[str, ...]
    misfits: Misfits
    example: str
    heads: tuple[str, ...]  # of the prelude, as examples
    attributes: tuple[Attribute, ...] = ()
    optional: tuple[str, ...] = ()  # clauses that it takes and does not need

    @property
    def words(self) -> tuple[str, ...]:
        """All clauses that it takes."""
        return (*self.clauses, *self.optional)

    def attribute(self, name: str) -> Attribute | None:
        """The argument of that name."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


# ---- what a head has to give ----


def _one_vector(given: Given) -> bool:
    return len(given.values) == 1 and given.results[0].is_vector and not given.results[0].axes


def _classes(heads: Heads, arguments: Mapping[str, Value]) -> Iterator[Misfit]:
    """One vector, with a number for each class; of one class there is nothing to tell apart."""
    given = heads["from"]
    if not _one_vector(given):
        fix = "let it end with `linear(flatten(global_average_pool(y)), classes)`, as `classifier` does"
        yield Misfit("from", "one vector, with a number for each class", given.in_words, fix)
    elif given.results[0].channels < LEAST_CLASSES:
        fix = "give a class of its own to what is none of them: yes and no are two classes"
        yield Misfit("from", f"at least {LEAST_CLASSES} classes", given.in_words, fix)


def _unit_vector(heads: Heads, arguments: Mapping[str, Value]) -> Iterator[Misfit]:
    """One vector of length 1, so that distances between two mean the same wherever they are taken."""
    given = heads["from"]
    if not _one_vector(given):
        fix = "let it end with `l2_normalise(linear(flatten(global_average_pool(y)), features))`, as `embedding` does"
        yield Misfit("from", "one vector of length 1", given.in_words, fix)
    elif not has_length_one(given, given.values[0]):
        made = next((node for node in given.nodes if node.result == given.values[0]), None)
        by = f", by `{made.primitive}`" if made is not None else ""
        yield Misfit(
            "from",
            "a vector of length 1",
            f"one of any length{by}",
            "return `l2_normalise(…)` of it, or take a head such as `embedding`",
        )


def has_length_one(given: Given, value: int) -> bool:
    """A value is what `l2_normalise` gives, perhaps flattened. Of a map that normalises each position by itself."""
    made = {node.result: node for node in given.nodes}
    while value in made and made[value].primitive in KEEP_LENGTH:
        value = made[value].inputs[0]
    of = given.types[value]
    return value in made and made[value].primitive == "l2_normalise" and not of.axes and of.height * of.width == 1


def _class_map(heads: Heads, arguments: Mapping[str, Value]) -> Iterator[Misfit]:
    """One map of a level, with a number for each class at each position."""
    given = heads["from"]
    is_map = len(given.values) == 1 and given.results[0].level is not None and not given.results[0].axes
    if not is_map:
        fix = "let it end with `conv(y, classes, kernel = 1, bias = true)`, as `segmentation` does"
        yield Misfit("from", "one map, with a number for each class", given.in_words, fix)
    elif given.results[0].channels < LEAST_CLASSES:
        fix = "give a class of its own to what is none of them, say the background"
        yield Misfit("from", f"at least {LEAST_CLASSES} classes", given.in_words, fix)


# ---- boxes ----

BOX = 4  # numbers


def _boxes(heads: Heads, arguments: Mapping[str, Value]) -> Iterator[Misfit]:
    """Maps of the same levels, with the numbers of each anchor, or of the point, at each position."""
    wrong = [_no_maps(clause, given) for clause, given in heads.items() if not _maps_of_levels(given)]
    levels = {clause: [type_.level for type_ in given.results] for clause, given in heads.items()}
    if not wrong:
        others = (clause for clause in heads if levels[clause] != levels["boxes"])
        wrong = [_other_levels(clause, heads[clause], heads["boxes"]) for clause in others]
    if not wrong:  # how many anchors there are, the boxes tell
        wrong = [*_counts("boxes", heads["boxes"], arguments)]
    if not wrong:
        wrong = [misfit for clause in heads for misfit in _counts(clause, heads[clause], arguments)]
    yield from wrong


def _maps_of_levels(given: Given) -> bool:
    """Maps, each of another level or another row, and nothing else beside them."""
    whole = all(
        type_.level is not None and not (type_.stride or type_.axes) and type_.extra == (0, 0)
        for type_ in given.results
    )
    return whole and not given.yields


def _no_maps(clause: str, given: Given) -> Misfit:
    expected = "maps, one of each level"
    if given.yields:
        one = clause if clause in given.yields else given.yields[0]
        got = one_of(given.yields, conjunction="and")
        return Misfit(clause, expected, f"{got} of each", f"name one of them, as in `{clause} {given.head}.{one}`")
    return Misfit(clause, expected, given.in_words, "let it `yield` a map for each one that it takes")


def _other_levels(clause: str, given: Given, boxes: Given) -> Misfit:
    expected, got = (", ".join(str(type_.level) for type_ in one.results) for one in (boxes, given))
    what = f"maps of the levels of its boxes ({expected})"
    return Misfit(clause, what, f"maps of levels {got}", "let both read the same rows, in the same order")


def _counts(clause: str, given: Given, arguments: Mapping[str, Value]) -> Iterator[Misfit]:
    """Channels: four for the box of each anchor, one for each of its classes, one for its quality."""
    ratios, scales, classes = arguments["ratios"], arguments["scales"], arguments["classes"]
    assert isinstance(ratios, tuple)
    assert isinstance(scales, int)
    assert isinstance(classes, int)
    of_class = f"{classes:,} class{'es' * (classes != 1)}"
    known = {"classes": (classes, of_class), "boxes": (BOX, f"the {BOX} numbers of a box")}
    each, what = known.get(clause, (1, "one number"))
    anchors = len(ratios) * scales if ratios else 1
    off = next((type_.channels for type_ in given.results if type_.channels != each * anchors), None)
    if off is None:
        return
    fix = f"let each of its maps have {counted(each * anchors, 'channel')}"
    if clause == "classes" and off % anchors == 0:
        fix += f", or say `classes = {off // anchors}`"
    if ratios:
        parts = f"{counted(scales, 'scale')}, {counted(len(ratios), 'ratio')}"
        where = f"for each of {counted(anchors, 'anchor')} ({parts})"
        fix += ", or change the `ratios` and `scales` of the task" if clause == "boxes" else ""
    else:
        where = "for the point at each position"
        fix += f", or give the task its {off // each} anchors by `ratios` and `scales`" * (
            clause == "boxes" and off % each == 0
        )
    yield Misfit(clause, f"{counted(each * anchors, 'channel')}, {what} {where}", counted(off, "channel"), fix)


_POINTS = Idle(("ratios",), lambda given: given["ratios"] == (), "points have no sides", "give `ratios` for anchors")
_DETECTS = (
    Attribute("classes", Kind.CHANNELS, required=True),
    Attribute("ratios", Kind.POSITIVE, (), many=True),
    Attribute("scales", Kind.COUNT, 3, idle=(_POINTS,)),
    Attribute("size", Kind.POSITIVE, 4, idle=(_POINTS,)),
)

# ---- the table ----

_TABLE = (
    TaskKind("classification", ("from",), _classes, "task classify: classification from logits", ("classifier",)),
    TaskKind("embedding", ("from",), _unit_vector, "task face: embedding from vector", ("embedding",)),
    TaskKind("segmentation", ("from",), _class_map, "task segment: segmentation from masks", ("segmentation",)),
    TaskKind(
        "detection",
        ("classes", "boxes"),
        _boxes,
        "task find: detection(classes = 80) classes scores boxes boxes",
        ("fcos", "retina_tower", "separable_tower"),
        _DETECTS,
        ("quality",),
    ),
)
TASKS: dict[str, TaskKind] = {kind.name: kind for kind in _TABLE}
