"""Lines of Python as `ruff format` sets them: what fits stays on a line, a bracket that does not is opened.

In: a `Doc`, which is text or a bracket with items. Out: lines of at most `WIDTH` characters where that can be had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from spinedsl.record import Record

WIDTH = 120
STEP = 4


class Bracket(Record):
    """`opening item, item closing`, such as a call."""

    opening: str
    items: tuple[Doc, ...]
    closing: str = ")"


class Joined(Record):
    """`first + second - third`: operands of one precedence, each but the first with its operator before it."""

    first: Doc
    rest: tuple[tuple[str, Doc], ...]


Doc: TypeAlias = str | Bracket | Joined


def call(function: str, *items: Doc) -> Bracket:
    """`function(item, item)`."""
    return Bracket(f"{function}(", items)


def named(name: str, value: Doc) -> Doc:
    """`name=value`, as an argument."""
    if isinstance(value, Bracket):
        return Bracket(f"{name}={value.opening}", value.items, value.closing)
    return f"{name}={flat(value)}"


def entry(key: str, value: Doc) -> Doc:
    """`"key": value`, in a dictionary."""
    if isinstance(value, Bracket):
        return Bracket(f'"{key}": {value.opening}', value.items, value.closing)
    return f'"{key}": {flat(value)}'


def flat(doc: Doc) -> str:
    """The document on one line."""
    if isinstance(doc, str):
        return doc
    if isinstance(doc, Joined):
        return flat(doc.first) + "".join(f" {operator} {flat(part)}" for operator, part in doc.rest)
    return doc.opening + ", ".join(flat(item) for item in doc.items) + doc.closing


def lines(indent: int, prefix: str, doc: Doc, suffix: str = "") -> list[str]:
    """`prefix doc suffix` at an indentation, broken where it has to be."""
    margin = " " * indent
    whole = margin + prefix + flat(doc) + suffix
    if len(whole) <= WIDTH or isinstance(doc, str):
        return [whole]
    if isinstance(doc, Joined):
        (operator, last), *more = doc.rest
        if isinstance(last, Bracket) and last.items and not more:
            # One operator before a call: the call's own bracket is opened.
            opened = Bracket(f"{flat(doc.first)} {operator} {last.opening}", last.items, last.closing)
            if len(f"{margin}{prefix}{opened.opening}") <= WIDTH:
                return lines(indent, prefix, opened, suffix)
        return [
            f"{margin}{prefix}(",
            *lines(indent + STEP, "", doc.first),
            *(line for operator, part in doc.rest for line in lines(indent + STEP, f"{operator} ", part)),
            f"{margin}){suffix}",
        ]
    return [f"{margin}{prefix}{doc.opening}", *_items(indent + STEP, doc.items), f"{margin}{doc.closing}{suffix}"]


def unpacked(indent: int, names: Sequence[str], doc: Doc, single: bool = False) -> list[str]:
    """What a call gives, unpacked into names; of a `single` thing too. Names that are too many stand one to a line."""
    together = f"({names[0]},)" if single else ", ".join(names)
    begins = doc.opening if isinstance(doc, Bracket) else flat(doc)
    if single or len(f"{' ' * indent}{together} = {begins}") <= WIDTH:
        return lines(indent, f"{together} = ", doc)
    margin = " " * indent
    return [f"{margin}(", *(f"{margin}{' ' * STEP}{name}," for name in names), *lines(indent, ") = ", doc)]


def _items(indent: int, items: Sequence[Doc]) -> list[str]:
    together = " " * indent + ", ".join(flat(item) for item in items)
    if len(together) <= WIDTH:
        return [together]
    comma = "," if len(items) > 1 else ""
    return [line for item in items for line in lines(indent, "", item, comma)]


# ---- statements ----


class Line(Record):
    """`before doc after` on a line of its own, or on several."""

    before: str
    doc: Doc
    after: str = ""


class Choice(Record):
    """`if test: then`, and `else: other` if there is one; a choice alone in `other` is an `elif`."""

    test: str
    then: tuple[Statement, ...]
    other: tuple[Statement, ...] = ()


class For(Record):
    """`for …: body`; `head` is all but the colon."""

    head: str
    body: tuple[Statement, ...]


class Append(Record):
    """`results.append(value)`."""

    results: str
    value: Doc


class Extend(Record):
    """`results += [value for …]`."""

    results: str
    value: Doc
    head: str


class Deferred(Record):
    """A line that may stand here: what is written around it tells in the end."""

    line: Callable[[], Line | None]


Statement: TypeAlias = Line | Choice | For | Append | Extend | Deferred


def block(statements: Sequence[Statement], indent: int) -> list[str]:
    """The lines of some statements at an indentation."""
    return [line for statement in statements for line in _statement(statement, indent, "if")]


def _statement(statement: Statement, indent: int, word: str) -> list[str]:
    margin = " " * indent
    if isinstance(statement, Deferred):
        line = statement.line()
        return [] if line is None else _statement(line, indent, word)
    if isinstance(statement, Line):
        return lines(indent, statement.before, statement.doc, statement.after)
    if isinstance(statement, Append):
        return lines(indent, "", call(f"{statement.results}.append", statement.value))
    if isinstance(statement, Extend):
        return [f"{margin}{statement.results} += [{flat(statement.value)} {statement.head}]"]
    if isinstance(statement, For):
        return [f"{margin}{statement.head}:", *block(statement.body, indent + STEP)]
    made = [f"{margin}{word} {statement.test}:", *block(statement.then, indent + STEP)]
    if len(statement.other) == 1 and isinstance(statement.other[0], Choice):
        return [*made, *_statement(statement.other[0], indent, "elif")]
    return [*made, f"{margin}else:", *block(statement.other, indent + STEP)] if statement.other else made
