"""Settings: what a table of a TOML file may say, as a table here; what it does say, read, with every mistake at once.

In: a `Document`, the path of a table in it, and the `Setting`s that the table may have. Out: their values by name, with
defaults for those that are not there, and diagnostics with places. A setting that is wrong has its default.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from spinedsl import checks as say
from spinedsl.brief import brief
from spinedsl.diagnostics import Diagnostic, Edit, nearest, one_of
from spinedsl.record import Record
from spinedsl.source import Source, Span
from spinedsl.toml import Document, Path

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Setting(Record):
    """A key: its name, the kind of its value, its default, and what it says.

    A number is from `least` to `most`, and `above` what it must exceed; a text is one of `choices`, where there are
    some. One that is `needed` has no default.
    """

    name: str
    kind: str  # of `KINDS`
    default: Any
    about: str
    least: float | None = None
    most: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    needed: bool = False
    elsewhere: tuple[str, ...] = ()  # what other programs call it

    @property
    def expected(self) -> str:
        """What the value has to be, in words."""
        if self.choices:
            return one_of(self.choices)
        words, _ = KINDS[self.kind]
        if self.above is not None:
            words += f" above {_plain(self.above)}"
        elif self.least is not None and self.most is not None:
            words += f" from {_plain(self.least)} to {_plain(self.most)}"
        elif self.least is not None:
            words += f" from {_plain(self.least)} on"
        if self.above is not None and self.most is not None:
            words += f", at most {_plain(self.most)}"
        return words

    def takes(self, value: object) -> bool:
        """A value that is neither a list nor a table can be its own."""
        fits = KINDS[self.kind][1](value) and (not self.choices or value in self.choices)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return fits and (not number or _in_range(self, value))  # type: ignore[arg-type]


class Odd(Record):
    """A setting that does not go with others, or with a network: its name, what is wrong, and what to do."""

    setting: str
    what: str
    fix: str = ""


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """A number that a float can hold, and neither a truth value nor infinite."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of 400 digits
        return False


def _list_of(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(fits(item) for item in value)


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def is_path(value: object) -> bool:
    """A text that can be the name of a file: none has a null character, or half of one."""
    try:
        return isinstance(value, str) and bool(value) and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


KINDS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "whole": ("a whole number", _whole),
    "number": ("a number", is_number),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
    "text": ("a text", _text),
    "path": ("a path, as a text", is_path),
    "paths": (
        "a path, or a list of paths",
        lambda value: is_path(value) or (_list_of(is_path)(value) and bool(value)),
    ),
    "numbers": ("a list of numbers", _list_of(is_number)),
    "range": (
        "two numbers in order",
        lambda value: _list_of(is_number)(value) and len(value) == 2 and value[0] <= value[1],  # type: ignore[arg-type, index]
    ),
    "wholes": ("a list of whole numbers", _list_of(_whole)),
    "names": ("a list of names", _list_of(_text)),
    "values": (
        "a table of numbers, texts and truth values",
        lambda value: (
            isinstance(value, dict) and all(is_number(one) or isinstance(one, str | bool) for one in value.values())
        ),
    ),
}


class Table(Record):
    """The settings of a table by its path, and the tables in it.

    A `switch` may also be true, which is all of its defaults, or false, as which it is read where it is not there; or,
    in its stead, the value of the setting `short`.
    """

    settings: tuple[Setting, ...]
    tables: Mapping[str, Table] = {}
    switch: bool = False
    short: str = ""

    @property
    def expected(self) -> str:
        """What stands for it, in words."""
        words = "true, false, or a table of settings" if self.switch else "a table of settings"
        return words + (f", or what its `{self.short}` is" if self.short else "")

    def named(self, name: str) -> Setting | None:
        """The setting of a name."""
        return next((setting for setting in self.settings if setting.name == name), None)

    def at(self, path: Path) -> Setting:
        """The setting of a path that `paths` gives."""
        table = self
        for name in path[:-1]:
            table = table.tables[str(name)]
        return next(setting for setting in table.settings if setting.name == path[-1])

    def paths(self) -> Iterator[tuple[str, ...]]:
        """The paths of all settings, those of tables in it too."""
        yield from ((setting.name,) for setting in self.settings)
        for name, table in self.tables.items():
            yield from ((name, *path) for path in table.paths())


def read_table(
    document: Document, table: Table, path: Path = (), whole: tuple[Table, Path] | None = None
) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The values of a table of the document, and of the tables in it, with every mistake in them.

    A switch that is off is None. `whole` is the table around, and its path, of whose other keys a stray one may be.
    """
    whole = whole or (table, path)
    held: Any = _at(document.values, path)
    found: dict[str, Any] = {setting.name: setting.default for setting in table.settings}
    diagnostics: list[Diagnostic] = []
    for name, value in held.items():
        setting = table.named(name)
        place = (*path, name)
        if setting is not None:
            wrong = list(_wrong(document, place, setting, value))
            diagnostics += wrong
            found[name] = setting.default if wrong else value
        elif name not in table.tables:
            diagnostics.append(_unknown(document, place, table, whole))
        elif not _opens(table.tables[name], value):
            diagnostics.append(_no_table(document, place, table.tables[name], value))
    for name, inner in table.tables.items():
        value = held.get(name, False if inner.switch else {})
        there = isinstance(value, dict)
        found[name], more = read_table(document if there else _empty(document), inner, (*path, name), whole)
        diagnostics += more if there else []
        if inner.switch and value is False:
            found[name] = None
        elif inner.short and not there and not isinstance(value, bool) and _opens(inner, value):
            setting = inner.named(inner.short)
            assert setting is not None
            wrong = list(_wrong(document, (*path, name), setting, value))
            diagnostics += wrong
            found[name][inner.short] = setting.default if wrong else value
    missing = (setting for setting in table.settings if setting.needed and setting.name not in held)
    diagnostics += [_missing(document, path, setting) for setting in missing]
    return found, diagnostics


def _opens(table: Table, value: Any) -> bool:
    """A value stands for a table: it is one, or what is short for it."""
    if isinstance(value, dict) or (table.switch and isinstance(value, bool)):
        return True
    setting = table.named(table.short) if table.short else None
    return setting is not None and not isinstance(value, bool | str) and isinstance(value, list) == isinstance(
        setting.default, list
    )  # fmt: skip


def problems(values: Mapping[str, Any], table: Table) -> list[Diagnostic]:
    """Every mistake in values that stand in no file."""
    return read_table(Document(Source("", ""), values, {}, {}), table)[1]


def in_words(found: Iterable[Diagnostic]) -> str:
    """Mistakes in a line, with what to do: for an exception."""
    return "; ".join(": ".join([one.message, *(fix.text for fix in one.fixes)]) for one in found)


def _at(values: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    held: Any = values
    for name in path:
        held = held.get(name, {}) if isinstance(held, dict) else {}
    return held if isinstance(held, Mapping) else {}


def _empty(document: Document) -> Document:
    return Document(document.source, {}, document.keys, document.places)


def dotted(path: Path) -> str:
    """A path as a file says it: `data.augment.flip`."""
    return ".".join(str(part) for part in path)


def _wrong(document: Document, path: Path, setting: Setting, value: Any) -> Iterator[Diagnostic]:
    """What is wrong with the value of a setting: its kind, its choices or its range."""
    _, fits = KINDS[setting.kind]
    if not fits(value):
        yield _of_kind(document, path, setting.expected, value)
    elif setting.choices:
        for place, one in _parts(path, value):
            if one not in setting.choices:
                yield _not_a_choice(document, place, setting, one)
    else:
        for place, one in _parts(path, value):
            if isinstance(one, int | float) and not isinstance(one, bool) and not _in_range(setting, one):
                yield say.KEY_OUT_OF_RANGE.at(
                    document.value(place), name=dotted(path), expected=setting.expected, got=shown(one)
                )


def _parts(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, list):
        yield from (((*path, number), one) for number, one in enumerate(value))
    else:
        yield path, value


def _in_range(setting: Setting, value: float) -> bool:
    low = setting.least is None or value >= setting.least
    return low and (setting.most is None or value <= setting.most) and (setting.above is None or value > setting.above)


def _of_kind(document: Document, path: Path, expected: str, value: Any) -> Diagnostic:
    at = document.value(path)
    diagnostic: Diagnostic = say.KEY_OF_ANOTHER_KIND.at(at, name=dotted(path), expected=expected, got=shown(value))
    if expected.startswith("a path") and _text(value):
        return diagnostic.with_fix("no file can have this name: name another")
    plain = value.strip().lower() if isinstance(value, str) else ""
    if expected == KINDS["flag"][0] and plain in {"yes", "on", "true", "no", "off", "false"}:
        right = "true" if plain in {"yes", "on", "true"} else "false"
        return diagnostic.with_fix(f"did you mean `{right}`?", *_edit(document, path, at, right))
    if "number" in expected and re.fullmatch(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", plain):
        return diagnostic.with_fix(f"a number stands without quotes: `{plain}`", *_edit(document, path, at, plain))
    return diagnostic


def _no_table(document: Document, path: Path, table: Table, value: Any) -> Diagnostic:
    """A value where a table should stand: perhaps one of its settings was meant."""
    diagnostic = _of_kind(document, path, table.expected, value)
    meant = next((setting for setting in table.settings if setting.takes(value)), None)
    if meant is None or diagnostic.fixes:
        return diagnostic
    right = f"{{ {meant.name} = {_value(value)} }}"
    edit = _edit(document, path, document.value(path), right)
    return diagnostic.with_fix(f"did you mean `{path[-1]} = {right}`?", *edit)


def _not_a_choice(document: Document, path: Path, setting: Setting, value: str) -> Diagnostic:
    at = document.value(path)
    diagnostic: Diagnostic = say.NO_SUCH_CHOICE.at(at, name=dotted(path), got=shown(value), expected=setting.expected)
    near = nearest(value, setting.choices)
    return (
        diagnostic.with_fix(f'did you mean "{near}"?', *_edit(document, path, at, f'"{near}"')) if near else diagnostic
    )


def _edit(document: Document, path: Path, span: Span, text: str) -> tuple[Edit, ...]:
    """The edit of a repair; none where the setting does not stand in the file, as one of a command line."""
    return (Edit(span, text),) if path in document.keys or path in document.places else ()


def _unknown(document: Document, path: Path, table: Table, whole: tuple[Table, Path]) -> Diagnostic:
    """A key that nothing reads: what was meant, or where it belongs."""
    name = str(path[-1])
    own = [*(setting.name for setting in table.settings), *table.tables]
    known = [*own, *(name for name in whole[0].tables if path[:-1] == whole[1] and name not in own)]
    where = f"[{dotted(path[:-1])}] has {one_of(known, conjunction='and', limit=30)}" if len(path) > 1 else (
        f"there is {one_of(known, conjunction='and', limit=30)}"
    )  # fmt: skip
    span = document.key(path)
    diagnostic: Diagnostic = say.UNKNOWN_KEY.at(span, name=dotted(path), where=where)
    others = [(*whole[1], *other) for other in whole[0].paths()]
    elsewhere = [dotted(other[:-1]) for other in others if other[-1] == name and other[:-1] != path[:-1]]
    if elsewhere:
        return diagnostic.with_fix(
            f"`{name}` stands in {' or '.join(f'[{one}]' if one else 'no table' for one in elsewhere)}"
        )
    meant = next((other for other in others if name in whole[0].at(other[len(whole[1]) :]).elsewhere), None)
    if meant is not None:
        here = _edit(document, path, span, str(meant[-1])) if meant[:-1] == path[:-1] else ()
        return diagnostic.with_fix(f"it is called `{meant[-1]}`, in [{dotted(meant[:-1])}]", *here)
    near = nearest(name, known)
    return diagnostic.with_fix(f"did you mean `{near}`?", *_edit(document, path, span, near)) if near else diagnostic


def _missing(document: Document, path: Path, setting: Setting) -> Diagnostic:
    span = document.key(path)
    where = f"[{dotted(path)}]" if path else "the file"
    diagnostic: Diagnostic = say.KEY_MISSING.at(span, name=dotted((*path, setting.name)), where=where)
    return diagnostic.with_fix(f"write `{setting.name} = …` in {where}: {setting.about}")


def shown(value: Any) -> str:
    """A value as a file has it, in a few words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value[:60], ensure_ascii=False)
    return "a table" if isinstance(value, dict) else brief(value)


# ---- from values to a file ----


def to_toml(values: Mapping[str, Any]) -> str:
    """A file that says these values: numbers, texts, truth values, lists and tables of them. `None` is left out.

    Raises:
        TypeError: a value is none of those.
    """
    lines = [f"{_key(name)} = {_value(value)}" for name, value in values.items() if _plain_value(value)]
    blocks = ["\n".join(lines)] if lines else []
    for name, value in values.items():
        if isinstance(value, Mapping):
            blocks += list(_tables((name,), value))
    return "\n\n".join(blocks) + "\n" * bool(blocks)


def _plain_value(value: Any) -> bool:
    return value is not None and not isinstance(value, Mapping)


def _tables(path: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[str]:
    lines = [f"[{'.'.join(map(_key, path))}]"]
    lines += [f"{_key(name)} = {_value(value)}" for name, value in values.items() if _plain_value(value)]
    yield "\n".join(lines)
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _tables((*path, name), value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A text as TOML has it, whose escapes are those of JSON but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    value = value.item() if getattr(value, "shape", None) == () else value  # a number of NumPy or PyTorch
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str) or hasattr(value, "__fspath__"):
        return _quoted(str(value))
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_value, value))}]"
    raise TypeError(f"a setting is a number, a text, true or false, a list or a table of them; got {brief(value)}")
