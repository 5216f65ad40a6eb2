"""Mistakes in the form of a text, and beyond its limits."""

from __future__ import annotations

from spinedsl.ir.typed import TypedRow
from spinedsl.testing.mistakes.field import (
    Field,
    Planter,
    Planters,
    body,
    clause,
    statement,
)

MANY = "9" * 5000


def _after_name(what: str) -> Planter:
    """What stands between the name of a row and its type is replaced."""

    def plant(field: Field) -> str | None:
        row = field.row("block", "output")
        if row is None:
            return None
        start = row.span.end
        return field.replaced(field.source.span(start, field.text.index(":", start) + 1), what)

    return plant


def _cut(field: Field) -> str | None:
    """A row that ends behind its colon. What follows must not be taken for its type, as `part`, no keyword, is."""

    def fit(row: TypedRow) -> bool:
        return field.spared(row) and not field.text[field.row_line(row).end :].lstrip().startswith("part ")

    row = field.row("block", "output", fit=fit)
    return field.replaced(field.source.span(row.span.end, field.row_line(row).end), ":") if row is not None else None


def _misspelt_row(field: Field) -> str | None:
    row = field.row("block")
    if row is None:
        return None
    start = field.row_line(row).start
    return field.replaced(field.source.span(start, start + len("block")), "blokc")


def _open_bracket(field: Field) -> str | None:
    row = field.row("block", fit=lambda row: not row.declared.row.use.arguments)
    return field.put(row.declared.row.use.span.end, "(rate = 1") if row is not None else None


def _without_brace(field: Field) -> str | None:
    at = field.text.index("{", field.declared.span.start)
    return field.text[:at] + field.text[at + 1 :]


def _keyword(field: Field) -> str | None:
    row = field.row("output")
    return field.replaced(row.span, "level") if row is not None and not field.is_read(row) else None


def _at_line_end(text: str) -> Planter:
    def plant(field: Field) -> str | None:
        row = field.row("block", "output", "stem")
        return field.put(field.row_line(row).end, text) if row is not None else None

    return plant


def _resampled_as_it_is(field: Field) -> str | None:
    row = field.row("block", fit=lambda row: row.declared.direct and field.spared(row))
    if row is None:
        return None
    source = row.declared.sources[0]
    return field.put(source.span.end, f" resample identity, {source.span.text}")


def _lookalike(field: Field) -> str | None:
    row = field.row("stem")
    if row is None:
        return None
    use = row.declared.row.use.name
    at = next((n for n, letter in enumerate(use.text) if letter in "aceop"), None)
    if at is None:
        return None
    other = {"a": "\u0430", "c": "\u0441", "e": "\u0435", "o": "\u043e", "p": "\u0440"}[use.text[at]]
    return field.replaced(field.source.span(use.span.start + at, use.span.start + at + 1), other)


def _two_sizes(field: Field) -> str | None:
    line = field.line("input")
    return field.replaced(line, line.text.rpartition(" x ")[0]) if line is not None else None


def _version(number: str) -> Planter:
    def plant(field: Field) -> str | None:
        return field.text.replace("spine 1\n", number, 1) if field.text.startswith("spine 1\n") else None

    return plant


def _version_below(field: Field) -> str | None:
    if not field.text.startswith("spine 1\n"):
        return None
    return field.text.removeprefix("spine 1\n").rstrip("\n") + "\nspine 1\n"


PLANTERS: Planters = {
    "E0101": (
        _after_name(" "),
        _after_name(" ="),
        _resampled_as_it_is,
        statement("head_type wrong__(maps) {\n    each p in maps {\n        yield y = relu(p)\n    }\n}"),
        statement("def wrong__(x) {\n    return y = relu(x)\n}"),
        statement("def wrong__(x) { return x ** 2 }"),
    ),
    "E0102": (_cut,),
    "E0103": (_misspelt_row, statement("class Net__ { }")),
    "E0104": (_open_bracket, statement("def wrong__(x) {\n    return relu((x)\n}")),
    "E0105": (statement("}"), statement("def wrong__(x) {\n    return relu(x))\n}")),
    "E0106": (_without_brace, statement("def wrong__(x)\n    return x\n}")),
    "E0107": (_keyword, statement("def wrong__(from) { return from }")),
    "E0108": (_at_line_end(" ;"), _at_line_end(" &"), _at_line_end("\u00a0")),
    "E0109": (_lookalike,),
    "E0110": (_at_line_end(" # \u202e"), _at_line_end("\u2066")),
    "E0111": (_at_line_end("\x00"), _at_line_end("\u200b")),
    "E0112": (_two_sizes,),
    "E0113": (statement("def wrong__(x) {\n    var y = x\n    else { y = relu(y) }\n    return y\n}"),),
    "E0114": (_version("spine 7\n"),),
    "E0115": (_version_below,),
    "E0602": (statement("def wrong__(x, a = true) {\n    " + "if a { " * 60 + "} " * 60 + "\n    return x\n}"),),
    "E0603": (statement(f"def wrong__(x) {{ return conv(x, {MANY}, kernel = 1) }}"), clause(f"repeat {MANY}")),
    "E0604": (body("var y = conv(x, channels, kernel = 1)\n    repeat 100000 { y = relu(y) }\n    return y"),),
}
