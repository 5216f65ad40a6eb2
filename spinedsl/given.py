"""What is given to the public functions, looked at before anything is done with it.

In: any value. Out: the same in its one form, or a `TypeError` or `ValueError` that says what is expected and what came.
Of a path that is none, the diagnostic says how a text is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

from spinedsl import checks as say
from spinedsl import driver
from spinedsl.brief import brief, cut
from spinedsl.diagnostics import Diagnostic, Outcome, nearest_file
from spinedsl.ir.typed import InputSize
from spinedsl.source import Source

File: TypeAlias = str | PathLike[str] | Source
SIGNS = ("\n", "{", "network ", "spine ")  # of a text, where a path was expected
MOST_PIXELS = 999_999  # along an axis


def source_of(file: File) -> Outcome[Source]:
    """A file, read; or why it cannot be.

    Raises:
        TypeError: it is neither a path nor a `Source`.
    """
    if isinstance(file, Source):
        return Outcome(file)
    path = path_of(file, "a .spine file", "spinedsl.Source.from_text(text) for a text")
    path = str(Path(path)) if path else path
    outcome = driver.read(path)
    if outcome.value is not None:
        return outcome
    (found,) = outcome.diagnostics
    return Outcome(None, (_with_repair(found, path),))


def _with_repair(found: Diagnostic, path: str) -> Diagnostic:
    """The same, and what may have been meant by the path."""
    if any(sign in path for sign in SIGNS):
        nowhere = Source("<text>", "").span(0, 0)
        diagnostic = say.CANNOT_READ.at(
            nowhere, path=cut(path.strip(), 40), reason="this is a text, and no path of a file"
        )
        return diagnostic.with_fix("give a text as `spinedsl.Source.from_text(text)`")
    folder = Path(path).parent
    try:
        others = [other.name for other in folder.glob("*.spine")] if not Path(path).exists() else []
    except (OSError, ValueError):
        return found
    near = nearest_file(Path(path).name, others)
    return found if near is None else found.with_fix(f"did you mean `{folder / near}`?")


def path_of(value: object, what: str, otherwise: str) -> str:
    """The path of a file.

    Raises:
        TypeError: it is no path of text. `what` it would be the path of, and what is given `otherwise`.
    """
    if hasattr(value, "read"):
        raise TypeError(f"expected the path of {what}, got an open file: give its name, or {otherwise}")
    if isinstance(value, str | PathLike):
        path = fspath(value)
        if isinstance(path, str):
            return path
    got = "None" if value is None else f"{type(value).__name__} {brief(value)}"
    raise TypeError(f"expected the path of {what}, or {otherwise}; got {got}")


def size_of(size: object, name: str = "size") -> InputSize | None:
    """Height and width of an input, in pixels.

    Raises:
        TypeError: they are not two whole numbers.
        ValueError: one is not positive, or larger than any image.
    """
    if size is None:
        return None
    form = f"{name} must be (height, width) in pixels, as in (640, 640)"
    several = isinstance(size, Iterable) and not isinstance(size, str | bytes | Mapping)
    items: list[Any] = list(size) if several else [size]  # type: ignore[call-overload]
    try:
        numbers = [index(item) for item in items if not isinstance(item, bool)]
    except TypeError:
        numbers = []
    if len(items) != 2 or len(numbers) != 2:
        hint = f": did you mean ({items[0]}, {items[0]})?" if len(items) == len(numbers) == 1 else ""
        raise TypeError(f"{form}; got {brief(size)}{hint}")
    if not all(0 < number <= MOST_PIXELS for number in numbers):
        raise ValueError(f"{form}, each from 1 to {MOST_PIXELS:,}; got {brief(tuple(numbers))}")
    return InputSize(*numbers)


def names_of(names: object, name: str, example: str) -> tuple[str, ...]:
    """Several names.

    Raises:
        TypeError: it is no collection, or holds something else than texts.
    """
    form = f"{name} must be a collection of names, as in {name}={example}"
    if not isinstance(names, Iterable) or isinstance(names, str | bytes):
        raise TypeError(f"{form}; got {brief(names)}")
    found = tuple(names)
    wrong = [item for item in found if not isinstance(item, str)]
    if wrong:
        raise TypeError(f"{form}; got {brief(wrong[0])} in it")
    return found


def name_of(value: object, name: str) -> str | None:
    """A name, or nothing.

    Raises:
        TypeError: it is no text.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a name, as a text; got {brief(value)}")
    return value


def settings_of(settings: object) -> dict[str, dict[str, int]]:
    """Numbers by name, by the code of a lint.

    Raises:
        TypeError: they are not.
    """
    if settings is None:
        return {}
    form = 'settings must be numbers by name, by the code of a lint, as in settings={"W0702": {"levels": 4}}'
    if not isinstance(settings, Mapping) or not all(isinstance(given, Mapping) for given in settings.values()):
        raise TypeError(f"{form}; got {brief(settings)}")
    return {str(code): {str(n): whole(v, f"{code}.{n}") for n, v in given.items()} for code, given in settings.items()}


def whole(value: object, name: str) -> int:
    """A whole number.

    Raises:
        TypeError: it is none.
    """
    try:
        number = index(value) if not isinstance(value, bool) else None  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} must be a whole number; got {brief(value)}")
    return number


def sizes_of(sizes: object) -> Iterator[InputSize]:
    """Several sizes of an input.

    Raises:
        TypeError: they are no list of pairs of whole numbers.
        ValueError: one of the numbers is not positive.
    """
    form = "sizes must be (height, width) pairs in a list, as in sizes=[(640, 640)]"
    if isinstance(sizes, str | bytes) or not isinstance(sizes, Iterable):
        raise TypeError(f"{form}; got {brief(sizes)}")
    items = list(sizes)
    if items and all(isinstance(item, int) for item in items):
        raise TypeError(f"{form}; got {brief(tuple(items))}: did you mean [{brief(tuple(items))}]?")
    for item in items:
        size = size_of(item, "each of sizes")
        if size is None:
            raise TypeError(f"{form}; got None in it")
        yield size
