"""Records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Hashable
from functools import cached_property
from typing import TypeAlias

import pytest

from spinedsl.brief import Items, Table
from spinedsl.record import Record, asdict, field, names, replace, values


class Point(Record):
    x: int
    y: int = 2


class Pen(Record, frozen=False):
    colour: str
    strokes: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.used = 0


class Deep(Point):
    z: int = 3


class Nothing(Record):
    """It has no fields."""


class Node(Record, eq=False):
    text: str = field(default="", repr=False)

    @cached_property
    def size(self) -> int:
        return len(self.text)


Numbers: TypeAlias = tuple[int, ...]
Either: TypeAlias = Point | Pen
Perhaps: TypeAlias = Point | Numbers


class Bag(Record):
    plain: int | None
    one: Point | None
    either: Either
    written: tuple[int, ...]
    aliased: Numbers
    perhaps: Perhaps
    abstract: Hashable
    unknown: Unseen  # type: ignore[name-defined]  # noqa: F821
    table: dict[int, int]


@pytest.mark.parametrize("name", ["written", "aliased", "perhaps", "abstract", "unknown"])
def test_a_long_tuple_prints_as_a_few_lines_wherever_a_field_may_hold_one(name: str) -> None:
    held = dict.fromkeys(names(Bag), None) | {name: (1, 2, 3, 4)}
    bag = Bag(**held)  # type: ignore[arg-type]
    assert type(getattr(bag, name)) is Items
    assert getattr(bag, name) == (1, 2, 3, 4)


def test_what_a_field_cannot_hold_is_not_looked_for() -> None:
    held = dict.fromkeys(names(Bag), (1, 2, 3, 4)) | {"table": dict.fromkeys(range(4), 0)}
    bag = Bag(**held)  # type: ignore[arg-type]
    assert [type(getattr(bag, name)) for name in ("plain", "one", "either", "table")] == [tuple, tuple, tuple, Table]


def test_fields_by_position_by_name_and_by_default() -> None:
    assert values(Point(1)) == (1, 2)
    assert values(Point(y=5, x=4)) == (4, 5)
    assert values(Deep(1, z=9)) == (1, 2, 9)
    assert names(Deep) == ("x", "y", "z")
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'w'"):
        Point(1, w=2)  # type: ignore[call-arg]


def test_each_record_gets_a_list_of_its_own() -> None:
    one, other = Pen("red"), Pen("blue")
    one.strokes.append(Point(1))
    assert other.strokes == []
    assert one.used == 0


def test_a_record_holds_its_fields_and_nothing_else() -> None:
    point = Point(1)
    with pytest.raises(AttributeError):
        point.z = 3  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")
    pen = Pen("red")
    pen.colour = "blue"
    assert pen.colour == "blue"


def test_equality_and_hashes() -> None:
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(2)
    assert Point(1, 2) != Deep(1, 2)
    assert hash(Point(1)) == hash(Point(1, 2))
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert Node("a") != Node("a")
    assert len({Node("a"), Node("a")}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Pen("red"))


def test_what_a_record_shows_and_how_it_is_copied() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert repr(Node("secret")) == "Node()"
    assert Node("four").size == 4
    assert copy.deepcopy(Point(1)) == Point(1)
    assert pickle.loads(pickle.dumps(Deep(1))) == Deep(1)
    assert replace(Deep(1), y=7) == Deep(1, 7, 3)
    assert asdict(Pen("red", [Point(1)])) == {"colour": "red", "strokes": [{"x": 1, "y": 2}]}


def test_records_are_taken_apart_by_position() -> None:
    match Point(3, 4):
        case Point(x, y):
            assert (x, y) == (3, 4)
