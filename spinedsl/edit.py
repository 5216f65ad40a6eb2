"""Edits of a network as values: what a search makes, what a comparison shows, and what `with { … }` says.

    from spinedsl import edit
    edits = edit.Edits([
        edit.Change("b7", edit.clauses(level=5)),
        edit.Change("b14", edit.clauses(absorb=None)),
        edit.Drop("b11"),
        edit.Add("x1", "residual", edit.clauses(level=4, from_=["b3", "b5"]), before="b7"),
        edit.Move("b6", after="b7"),
        edit.widths({3: 96, "4..7": "256 * width"}),
        edit.Setting("resample", ("spinenet(alpha = 1)",)),
        edit.Argument("width", "1.3"),
        edit.Task("classify", "classification", edit.clauses(from_="logits")),
    ])
    source = edit.apply(source, edits, base="SpineNet49", name="Variant")

Making a value looks at its form only: whether the rows are there, and what becomes of the network, is for the compiler
to say of the text. Every value has one text, and `parse(edits.to_text())` gives equal values back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias, TypeVar

from spinedsl.brief import Items, brief, counted, cut
from spinedsl.diagnostics import Outcome
from spinedsl.record import Record, names, replace, values
from spinedsl.source import Source, Span
from spinedsl.syntax import tree
from spinedsl.syntax.format import text_of
from spinedsl.syntax.fragment import parse_edits
from spinedsl.syntax.parse import keywords
from spinedsl.syntax.statements import PART

T = TypeVar("T")

Clauses: TypeAlias = tuple[tuple[str, str], ...]
Value: TypeAlias = int | Fraction | str | Sequence[str] | None

KINDS = ("stem", "block", "part", "output", "head")
WITH_ENTRIES = ("widths", "defaults", "rules")  # these stand in braces; of other settings there is one
_WORD = "[A-Za-z_][A-Za-z0-9_]*"
_NAME = re.compile(rf"{_WORD}\Z")
_NAMES = re.compile(rf"{_WORD}(, {_WORD})*\Z")
_PLAIN = re.compile(rf"([0-9]{{1,9}}|{_WORD})\Z")
_VALUES = {
    "level": _PLAIN, "channels": _PLAIN, "repeat": _PLAIN, "resample": _NAME, "join": _NAME, "after": _NAMES,
    "from": _NAMES, "absorb": _NAMES,
}  # fmt: skip
_BREAKS = re.compile("[\n\r]")


# ---- the edits ----


class _Edit(Record):
    """What all edits have in common: `str` is what they say in a `.spine` file."""

    def __brief__(self) -> str:
        return f": {cut(str(self))}"


class Change(_Edit):
    """`block b7: type clauses…`: each clause replaces the row's, `none` takes it away; a type replaces the type.

    Of a part, which is of kind `part`, the type is the network, as in `Cell(channels = 64)` or `shared Cell`.
    """

    name: str
    clauses: Clauses = ()
    type: str | None = None
    kind: str = "block"

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        head = f"{self.kind} {self.name}" + (f": {self.type}" if self.type is not None else "")
        return " ".join([head, *(f"{word} {value}" for word, value in self.clauses)])


class Add(_Edit):
    """`add block x1: type clauses… before b7`. Without a place, the row goes to the end of the rows of its kind.

    `Add("n", "Cell(channels = 64)", clauses(from_=["b3", "b4"]), kind="part")` puts a part in.
    """

    name: str
    type: str
    clauses: Clauses = ()
    before: str | None = None
    after: str | None = None
    kind: str = "block"

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        row = f"add {self.kind} {self.name}: {self.type}"
        place = [f"before {self.before}"] if self.before is not None else []
        place += [f"right after {self.after}"] if self.after is not None else []
        return " ".join([row, *(f"{word} {value}" for word, value in self.clauses), *place])


class Drop(_Edit):
    """`drop b11`."""

    name: str

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        return f"drop {self.name}"


class Move(_Edit):
    """`move b6 after b7`, or `before` it: one of the two is given."""

    name: str
    before: str | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        before = [f"before {self.before}"] if self.before is not None else []
        return " ".join([f"move {self.name}", *before, *([f"after {self.after}"] if self.after is not None else [])])


class Setting(_Edit):
    """A setting by its word. Of `widths`, `defaults` and `rules`, each entry replaces the network's of its key.

    Of `resample`, `join`, `input` and `let` there is one entry, as in `Setting("let", ("n = 5",))`, which replaces all.
    """

    word: str
    entries: tuple[str, ...]

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        inner = [", ".join(self.entries)] if self.entries else []
        return " ".join([self.word, *(["{", *inner, "}"] if self.word in WITH_ENTRIES else inner)])


class Argument(_Edit):
    """`width = 2`: the value of a parameter."""

    name: str
    value: str

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class Task(_Edit):
    """`task classify: classification from logits`: a task that is added, or replaces the one of its name."""

    name: str
    type: str
    clauses: Clauses = ()

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        return " ".join([f"task {self.name}: {self.type}", *(f"{word} {value}" for word, value in self.clauses)])


class Allow(_Edit):
    """`allow W0701 "reason"`: a warning that the edited network accepts."""

    code: str
    reason: str

    def __post_init__(self) -> None:
        _settle(self)

    def __str__(self) -> str:
        return f'allow {self.code} "{self.reason}"'


Edit: TypeAlias = Change | Add | Drop | Move | Setting | Argument | Task | Allow


class Edits(Record):
    """Edits in the order in which they are made."""

    items: tuple[Edit, ...] = ()

    def __init__(self, items: Iterable[_Edit] = ()) -> None:  # what a type checker makes of a list of several kinds
        if isinstance(items, _Edit):
            raise TypeError(f"edits come in a list, as in Edits([…]); got one: {items}")
        found = Items(items)
        for item in found:
            if not isinstance(item, _Edit):
                raise TypeError(
                    f"each of the edits must be one of this module's; got {brief(item)}: `parse` reads a text"
                )
        object.__setattr__(self, "items", found)

    def __iter__(self) -> Iterator[Edit]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __brief__(self) -> str:
        texts = ", ".join(cut(str(edit), 40) for edit in self.items[:3]) + ", …" * (len(self.items) > 3)
        return f": {counted(len(self.items), 'edit')}: {texts}" if self.items else ": none"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """The `with { … }` that says them, one a line."""
        return "with {\n" + "".join(f"    {edit}\n" for edit in self.items) + "}"


def clauses(
    *,
    level: Value = "",
    from_: Value = "",
    after: Value = "",
    channels: Value = "",
    repeat: Value = "",
    absorb: Value = "",
    resample: Value = "",
    join: Value = "",
) -> Clauses:
    """The clauses of an edit: a number, the text of an expression, a list of rows; None takes the clause away."""
    given: dict[str, Value] = {
        "level": level, "from": from_, "after": after, "channels": channels, "repeat": repeat, "absorb": absorb,
        "resample": resample, "join": join,
    }  # fmt: skip
    return tuple((word, _text(value)) for word, value in given.items() if value != "")


def widths(channels: Mapping[int | str, int | Fraction | str]) -> Setting:
    """The setting that gives levels their channels: `widths({3: 96, "4..7": "256 * width"})`."""
    return Setting("widths", tuple(f"level {_text(level)}: {_text(width)}" for level, width in channels.items()))


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return str(value)
    rows = list(value) if isinstance(value, Iterable) else []
    if not rows or not all(isinstance(row, str) for row in rows):
        raise TypeError(f"expected a whole number, a Fraction, a text, a list of rows or None; got {brief(value)}")
    return ", ".join(rows)


# ---- from and to text ----


def parse(text: str, name: str = "<edits>") -> Outcome[Edits]:
    """The edits of a `with { … }`, or the mistakes of form in it. Comments are left out."""
    outcome = parse_edits(Source.from_text(text, name))
    return Outcome(None if outcome.value is None else of(outcome.value), outcome.diagnostics)


def of(instance: tree.Instance) -> Edits:
    """The edits of an instance of a parsed file. Edits that could not be read are left out."""
    return Edits(_value(edit) for edit in instance.edits or () if not isinstance(edit, tree.Broken))


def to_network(edits: Edits, *, base: str, name: str) -> str:
    """The statement that makes network `name` of network `base`.

    Raises:
        ValueError: one of the two is no name.
    """
    for given in (base, name):
        if not _is_name(given):
            raise ValueError(f"a network cannot be named {given!r}")
    return f"network {name} = {base} {edits.to_text()}"


def apply(source: Source, edits: Edits, *, base: str, name: str) -> Source:
    """The file with a further network at its end: `name`, which is `base` with the edits made.

    Raises:
        ValueError: one of the two is no name.
        TypeError: the source is no `Source`, or the edits are no `Edits`.
    """
    if not isinstance(source, Source):
        raise TypeError(f"apply takes a Source, such as `spinedsl.parse(path).value.source`; got {brief(source)}")
    if not isinstance(edits, Edits):
        raise TypeError(f"apply takes Edits, as in Edits([…]); got {brief(edits)}")
    before = source.text.rstrip("\n") + "\n\n" if source.text.strip() else ""
    return replace(source, text=f"{before}{to_network(edits, base=base, name=name)}\n")


def _value(edit: tree.EditItem) -> Edit:
    """The value of a parsed edit, which has its one form already."""
    if isinstance(edit, tree.Change):
        type_ = type_of(edit.use, edit.shared) if edit.use is not None else None
        return _made(Change, name=edit.name.text, clauses=_clauses(edit.clauses), type=type_, kind=edit.kind)
    if isinstance(edit, tree.Addition):
        row, shared = edit.row, edit.row.shared if isinstance(edit.row, tree.Part) else None
        type_ = type_of(row.use, shared)
        return _made(
            Add, name=row.name.text, type=type_, clauses=_clauses(row.clauses), kind=row.kind, **_place(edit.place)
        )
    if isinstance(edit, tree.Move):
        return _made(Move, name=edit.name.text, **_place(edit.place))
    if isinstance(edit, tree.Drop):
        return _made(Drop, name=edit.name.text)
    if isinstance(edit, tree.Argument):
        assert edit.name is not None
        return _made(Argument, name=edit.name.text, value=text_of(edit.value.span))
    if isinstance(edit, tree.Task):
        return _made(Task, name=edit.name.text, type=text_of(edit.use.span), clauses=_clauses(edit.clauses))
    if isinstance(edit, tree.Allow):
        return _made(Allow, code=edit.code.text, reason=edit.reason)
    assert not isinstance(edit, tree.Broken)
    return _setting(edit)


def type_of(use: tree.Use, shared: tree.Name | None) -> str:
    """The text of a type, or of a part's network."""
    return f"shared {text_of(use.span)}" if shared is not None else text_of(use.span)


def _setting(edit: tree.SettingItem) -> Setting:
    if isinstance(edit, tree.Defaults | tree.Widths | tree.Rules):
        word = type(edit).__name__.lower()
        return _made(Setting, word=word, entries=tuple(text_of(item.span) for item in edit.items))
    if isinstance(edit, tree.Setting):
        return _made(Setting, word=edit.keyword, entries=(text_of(edit.use.span),))
    word = "let" if isinstance(edit, tree.Binding) else "input"
    return _made(Setting, word=word, entries=(text_of(Span(edit.span.source, edit.name.span.start, edit.span.end)),))


def _made(kind: type[T], /, **parts: object) -> T:
    """A value whose parts are known to be right."""
    made = kind.__new__(kind)
    for field, value in parts.items():
        object.__setattr__(made, field, value)
    return made


def _place(place: tree.Place | None) -> dict[str, str | None]:
    return {word: place.row.text if place is not None and place.word == word else None for word in ("before", "after")}


def _clauses(parsed: Iterable[tree.Clause]) -> Clauses:
    return tuple(
        (clause.keyword.text, text_of(Span(clause.span.source, clause.keyword.span.end, clause.span.end)))
        for clause in parsed
    )


# ---- the form of a value ----


def _settle(edit: Edit) -> None:
    """Bring the parts of a value into their one form.

    Raises:
        ValueError: they are not the parts of one edit: their text would say something else, or nothing.
        TypeError: one is no text.
    """
    try:
        if _plain(edit):
            return
    except TypeError:
        parts = ", ".join(f"{name}={brief(getattr(edit, name))}" for name in names(type(edit)))
        raise TypeError(f"the parts of an edit must be texts; got {type(edit).__name__}({parts})") from None
    text = str(edit)
    outcome = parse(f"with {{\n{text}\n}}") if not _BREAKS.search(text) else Outcome(None)
    if outcome.value is None or len(outcome.value) != 1 or _shape(outcome.value.items[0]) != _shape(edit):
        raise ValueError(f"this is not the form of one edit: {text}")
    for name in names(type(edit)):
        object.__setattr__(edit, name, getattr(outcome.value.items[0], name))


def _shape(edit: Edit) -> tuple[object, ...]:
    """What has to come out as it went in; types and the values of clauses may have their blanks put right."""
    if isinstance(edit, Change):
        return Change, edit.kind, edit.name, edit.type is None, [word for word, _ in edit.clauses]
    if isinstance(edit, Add):
        return Add, edit.kind, edit.name, [word for word, _ in edit.clauses], edit.before, edit.after
    if isinstance(edit, Task):
        return Task, edit.name, [word for word, _ in edit.clauses]
    if isinstance(edit, Setting):
        return Setting, edit.word, len(edit.entries)
    if isinstance(edit, Argument):
        return Argument, edit.name
    return type(edit), *values(edit)


def _plain(edit: Edit) -> bool:
    """The value is of a form so plain that it need not be parsed to be known right; most are."""
    if isinstance(edit, Drop):
        return _is_name(edit.name)
    if isinstance(edit, Move):
        place = edit.before if edit.after is None else edit.after
        return place is not None and None in (edit.before, edit.after) and _is_name(edit.name) and _is_name(place)
    if isinstance(edit, Argument):
        return _is_name(edit.name) and _PLAIN.match(edit.value) is not None and edit.value not in keywords()
    if isinstance(edit, Allow | Setting | Task) or edit.kind not in KINDS or not _is_name(edit.name):
        return False
    words = [word for word, _ in edit.clauses]
    if edit.kind == PART and not {"from", "repeat"}.issuperset(words):
        return False
    if any(word not in _VALUES or not _VALUES[word].match(value) for word, value in edit.clauses):
        return False
    if any(name in keywords() for _, value in edit.clauses for name in value.split(", ")):
        return False
    if isinstance(edit, Change):
        return (edit.type is not None or bool(words)) and (edit.type is None or _is_name(edit.type))
    places = [place for place in (edit.before, edit.after) if place is not None]
    return len(places) < 2 and all(_is_name(name) for name in (edit.type, *places))


def _is_name(text: str) -> bool:
    return _NAME.match(text) is not None and text not in keywords()
