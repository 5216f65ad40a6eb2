"""Any value in a few words: what a prompt, a debugger or a failing test prints of it.

In: a value of any size. Out: a line of at most `LINE` characters, or of a collection a few lines of at most `MOST`.
The work does not grow with the value: nothing is walked further than it is shown. An analysis hangs together by
references, and printed in full that of a file of 70 lines would take gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

MOST = 400  # characters of a collection: less than a screen
LINE = 120  # characters of anything else
PART = 40  # characters of a value within another
ONE_LINE = 90  # a collection that needs no more stays on one line
FEW = 3  # items of a collection that may print as Python's own does
PLAIN = 6  # numbers and short texts of a collection within another value
MOST_ITEMS = 40  # of a collection, however short they are
TAIL = 24  # room for how many more there are


def cut(text: str, most: int = LINE) -> str:
    """The text on one line of at most `most` characters, with an escape for each that a terminal would not print."""
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in shown)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def short_path(name: str, most: int = 60) -> str:
    """The name of a file: of a long one its end."""
    return cut(name if len(name) <= most else f"…{name[1 - most :]}", most)


def brief(value: object, most: int = PART) -> str:
    """A value as it stands within another: a number or a short text as it is, of what is larger only what it is."""
    if hasattr(type(value), "__brief__"):
        short = value.__brief__()  # type: ignore[attr-defined]
        return cut(f"<{short.removeprefix(': ')}>" if short else f"{type(value).__name__}(…)", most)
    if isinstance(value, str):
        return cut(f"{str(value[:most])!r}" + "…" * (len(value) > most), most)
    if isinstance(value, bool | float | Fraction | None):
        return cut(str(value), most)
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 3 * most else f"<a number of {value.bit_length()} bits>"
    return _inner(value, most)


def _inner(value: object, most: int) -> str:
    if isinstance(value, tuple | list | dict | set | frozenset):
        return _collection(value, most)
    if isinstance(value, bytes | bytearray):
        return f"<{len(value):,} bytes>"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return cut(f"<{'x'.join(map(str, value.shape)) or 'one number'} {value.dtype}>", most)
    if isinstance(value, type) or callable(value):
        return cut(f"<{getattr(value, '__qualname__', type(value).__name__)}>", most)
    return f"<{cut(type(value).__name__, most - 2)}>"


def _collection(value: tuple[Any, ...] | list[Any] | dict[Any, Any] | set[Any] | frozenset[Any], most: int) -> str:
    """A few plain items as they are; else how many there are."""
    kind = next(kind for kind in (tuple, list, dict, set, frozenset) if isinstance(value, kind))
    opening, closing = {tuple: ("(", ")"), list: ("[", "]")}.get(kind, ("{", "}"))
    if (
        len(value) <= PLAIN
        and kind in (tuple, list)
        and all(isinstance(item, str | int | float | None) for item in value)
    ):
        text = ", ".join(brief(item, most) for item in value) + "," * (kind is tuple and len(value) == 1)
    else:
        text = f"{len(value)} item{'s' * (len(value) != 1)}"
    return f"{opening}{text}{closing}" if len(text) + 2 <= most else f"{opening}{len(value)} items{closing}"


def fields(name: str, held: Iterable[tuple[str, object]]) -> str:
    """`Name(field=value, …)`, as many as there is room for."""
    text = f"{cut(name, PART)}("
    for number, (field, value) in enumerate(held):
        part = f"{', ' * (number > 0)}{field}={brief(value)}"
        if len(text) + len(part) > LINE - 4:
            return f"{text}, …)" if number else f"{text}…)"
        text += part
    return f"{text})"


def listed(names: Iterable[str], count: int, most: int = 3) -> str:
    """`a, b, c, … 4 more`: the first of `count` names."""
    shown = [cut(name, PART // 2) for name in islice(names, most)]
    return ", ".join([*shown, f"… {count - len(shown)} more"] if count > len(shown) else shown)


def counted(count: int, word: str) -> str:
    """`1 file`, `2 files`: a count with its word."""
    return f"{count:,} {word}{'s' * (count != 1)}"


UNITS = ((2**20, "MiB"), (2**10, "KiB"))
FEWEST = 4  # of a unit that the most of some bytes come to: a tenth of it is not much then


def unit_of(most: int) -> tuple[int, str]:
    """The unit for numbers of bytes of which this is the largest: how many bytes it is, and its name."""
    return next((unit for unit in UNITS if most >= FEWEST * unit[0]), UNITS[-1])


def table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Lines of columns as wide as they have to be, to the right except those in `left`."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def html_table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """The same for a notebook; `head` names the columns."""
    from html import escape  # noqa: PLC0415  only a notebook needs it

    made = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    top = ["".join(f"<th>{escape(cell)}</th>" for cell in head)] if head else []
    return f"<table>{''.join(f'<tr>{cells}</tr>' for cells in (*top, *made))}</table>"


def lines(parts: Iterator[str], count: int, opening: str, closing: str) -> str:
    """The first parts of a collection, side by side or one a line, and how many more there are."""
    shown: list[str] = []
    room = MOST - TAIL
    for part in islice(parts, MOST_ITEMS):
        room -= len(part) + 3
        if room < 0:
            break
        shown.append(part)
    if len(shown) < count:
        shown.append(f"… {count - len(shown)} more")
    one = f"{opening}{', '.join(shown)}{closing}"
    return one if len(one) <= ONE_LINE else f"{opening}{f',{chr(10)} '.join(shown)}{closing}"


def _item(value: object) -> str:
    """An item of a collection: a record on a line of its own, else in a few words."""
    if isinstance(value, tuple) and not hasattr(type(value), "__brief__") and len(value) <= FEW:
        return f"({', '.join(map(brief, value))}{',' * (len(value) == 1)})"
    return repr(value) if hasattr(type(value), "__brief__") else brief(value)


class Items(tuple[T, ...]):
    """A tuple that prints its first items and how many more there are. In all else it is a tuple."""

    __slots__ = ()

    def __repr__(self) -> str:
        return lines(map(_item, self), len(self), "(", ",)" if len(self) == 1 else ")")


class Table(dict[K, V]):
    """A dict that prints its first items and how many more there are. In all else it is a dict."""

    __slots__ = ()

    def __repr__(self) -> str:
        return lines((f"{brief(key)}: {_item(value)}" for key, value in self.items()), len(self), "{", "}")


class Unordered(frozenset[T]):
    """A frozenset that prints how many items it has: which come first is chance. In all else it is a frozenset."""

    __slots__ = ()

    def __repr__(self) -> str:
        return _collection(self, PART)


SHORT: Mapping[type, Callable[[Any], Any]] = {tuple: Items, dict: Table, frozenset: Unordered}


def short(value: Any) -> Any:
    """A collection that prints as a few lines; anything else as it is."""
    kind = type(value)
    return SHORT[kind](value) if kind in SHORT and len(value) > FEW else value
