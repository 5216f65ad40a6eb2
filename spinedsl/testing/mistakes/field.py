"""A valid text, where mistakes are planted, and the ways to plant one that many codes share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from spinedsl import driver
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.source import Source, Span


class Field:
    """A valid text, where mistakes are planted. `chosen` picks among the places that are fit for one."""

    def __init__(self, source: Source, analysis: driver.Analysis, network: str, chosen: int) -> None:
        self.text, self.analysis, self.name, self.chosen = source.text, analysis, network, chosen
        self.source = source
        self.typed: TypedNetwork = analysis.checked[network].typed
        self.readers = [row for row in self.typed.rows.values() if row.span.source is source]
        self.rows = [row for row in self.readers if not row.is_inner]  # those of parts stand in other networks
        self.declared = self.typed.network.declared

    # ---- places ----

    def row(self, *kinds: str, fit: Callable[[TypedRow], bool] = lambda row: True) -> TypedRow | None:
        """One of the rows of some kinds that are fit; none whose inputs have places of their own."""
        found = [one for one in self.rows if one.declared.row.kind in kinds and _is_plain(one) and fit(one)]
        return found[self.chosen % len(found)] if found else None

    def line(self, start: str) -> Span | None:
        """A line of the network that begins so, without its line end."""
        head = self.declared.span.start
        found = re.compile(rf"^[ \t]*{start}[^\n]*", re.MULTILINE).search(self.text, head, self.declared.span.end)
        return self.source.span(*found.span()) if found else None

    def clause(self, row: TypedRow, word: str) -> Span | None:
        """A clause of a row."""
        clause = row.declared.clauses.get(word)
        return clause.span if clause is not None else None

    # ---- changes ----

    def put(self, at: int, text: str) -> str:
        """The text with some more at a place."""
        return self.text[:at] + text + self.text[at:]

    def replaced(self, span: Span, text: str) -> str:
        """The text with a place replaced."""
        return self.text[: span.start] + text + self.text[span.end :]

    def in_network(self, text: str) -> str:
        """One line more at the end of the network."""
        return self.put(self.declared.span.end - 1, f"    {text}\n")

    def below(self, text: str) -> str:
        """One statement more at the end of the file."""
        return self.text.rstrip("\n") + f"\n\n{text}\n"

    def with_space(self, lines: str) -> str | None:
        """A search space of the network, below it; None of one with parts or of one size, which can have none."""
        if self.declared.frames or self.typed.one_size:
            return None
        return self.below(f"space Wrong__ of {self.name} {{\n    {lines}\n}}")

    def row_line(self, row: TypedRow) -> Span:
        """A row as it stands."""
        return row.declared.row.span

    def with_type(self, body: str) -> str | None:
        """A block is of a type with this body, `wrong__`, and nothing else is changed."""

        def fit(row: TypedRow) -> bool:
            """The same channels come out of the new type, and nothing else looks at what comes in."""
            direct = not row.declared.direct or row.level == self.above(row)
            absorbed = any(row.name in [name.text for name in other.declared.absorbed] for other in self.rows)
            kept = row.type is not None and row.type.channels == row.channels
            return direct and kept and not absorbed and not row.declared.absorbed

        row = self.row("block", fit=fit)
        if row is None:
            return None
        definition = f"block_type wrong__(x, channels, stride = 1) -> channels {{\n    {body}\n}}\n"
        text = self.replaced(row.declared.row.use.span, "wrong__")
        return text.rstrip("\n") + f"\n\n{definition}"

    def is_read(self, row: TypedRow) -> bool:
        """Some row reads or absorbs it."""
        return any(row.name in sources(other) for other in self.readers)

    def spared(self, row: TypedRow) -> bool:
        """Every row that it reads is read by another row too: without it, none of them is unused."""
        others = {name for other in self.readers if other is not row for name in sources(other)}
        return all(name in others for name in sources(row))

    def above(self, row: TypedRow) -> int | None:
        """The level of the first row that a row reads."""
        sources = row.declared.sources
        type_ = self.typed.rows[sources[0].text].type if sources else None
        return type_.level if type_ is not None else None


Planter: TypeAlias = Callable[[Field], "str | None"]
Planters: TypeAlias = Mapping[str, tuple[Planter, ...]]


def sources(row: TypedRow) -> list[str]:
    """The names of the rows that a row reads or absorbs."""
    return [name.text for name in (*row.declared.sources, *row.declared.absorbed)]


def statement(text: str) -> Planter:
    """A statement at the end of the file."""
    return lambda field: field.below(text)


def line(text: str) -> Planter:
    """A line in the network."""
    return lambda field: field.in_network(text)


def body(text: str) -> Planter:
    """The body of a type that a block has."""
    return lambda field: field.with_type(text)


def _is_plain(row: TypedRow) -> bool:
    return row.declared.maps == 1 and not row.declared.own


def first_input(text: str, fit: Callable[[Field, TypedRow], bool] = lambda field, row: True) -> Planter:
    """The first of several inputs of a block says something of its own."""

    def plant(field: Field) -> str | None:
        several = [row.name for row in field.rows if not row.declared.direct and len(row.declared.sources) > 1]
        row = field.row("block", fit=lambda row: row.name in several and fit(field, row))
        return field.put(row.declared.sources[0].span.end, f" {text}") if row is not None else None

    return plant


def clause(text: str, *kinds: str) -> Planter:
    """A clause more at the end of a row."""

    def plant(field: Field) -> str | None:
        row = field.row(*(kinds or ("block",)))
        return field.put(field.row_line(row).end, f" {text}") if row is not None else None

    return plant


def edit(text: str, fit: Callable[[Field, TypedRow], bool] = lambda field, row: True) -> Planter:
    """An edited network of this one; `{0}` is a block without absorbed maps."""

    def plant(field: Field) -> str | None:
        row = field.row("block", fit=lambda row: not row.declared.absorbed and fit(field, row))
        return field.below(edited(field, text.format(row.name))) if row is not None else None

    return plant


def space(lines: str) -> Planter:
    """A search space of this network; `{0}` is a block that reads the block `{1}` by `from`."""

    def plant(field: Field) -> str | None:
        blocks = {row.name for row in field.rows if row.declared.row.kind == "block" and row.declared.maps == 1}

        def fit(row: TypedRow) -> bool:
            return not row.declared.direct and any(name.text in blocks for name in row.declared.sources)

        row = field.row("block", fit=fit)
        if row is None:
            return None
        read = next(name.text for name in row.declared.sources if name.text in blocks)
        return field.with_space(lines.format(row.name, read))

    return plant


def edited(field: Field, lines: str) -> str:
    """A network made of this one by edits."""
    return f"network Wrong__ = {field.name} with {{\n    {lines}\n}}"


def of_type(use: str, *kinds: str) -> Planter:
    """A row is of another type."""

    def plant(field: Field) -> str | None:
        row = field.row(*kinds)
        if row is None or use.partition("(")[0] not in field.analysis.unit.definitions:
            return None
        return field.replaced(row.declared.row.use.span, use)

    return plant


def without_clause(row: TypedRow | None, word: str, field: Field) -> str | None:
    """The text without a clause of a row."""
    clause = field.clause(row, word) if row is not None else None
    return field.replaced(clause, "") if clause is not None else None
