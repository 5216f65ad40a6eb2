"""Mistakes in the rows of a network, and in what they read."""

from __future__ import annotations

import re
from collections.abc import Callable

from spinedsl.ir.typed import TypedRow
from spinedsl.source import Source
from spinedsl.testing.mistakes.field import (
    Field,
    Planter,
    Planters,
    body,
    edit,
    sources,
    space,
    without_clause,
)


def _read_once(field: Field, row: TypedRow) -> bool:
    """One row reads it, and nothing would be unused without it."""
    return sum(sources(other).count(row.name) for other in field.readers) == 1 and field.spared(row)


def _inputs(field: Field) -> str | None:
    """One input more than the network takes, none of them by a resampling that keeps a level or a width.

    The join of two of them is as wide as one: a type that reads what a wider one gives would be wrong as well.
    """
    names = [row.name for row in field.rows if row.declared.row.kind in ("stem", "block")]
    most = field.typed.most_inputs

    def fit(row: TypedRow) -> bool:
        resample = row.declared.resample
        keeps = resample is None or resample[1].name in ("top_down", "identity", "kept")
        first = row.inputs[0].resample if len(row.inputs) > 1 else None
        if row.join is None or first is None or row.join.type.channels != first.type.channels:
            return False
        return not (row.declared.direct or row.declared.absorbed or keeps) and names.index(row.name) > most

    row = field.row("block", fit=fit)
    clause = field.clause(row, "from") if row is not None else None
    if row is None or clause is None:
        return None
    had = [name.text for name in row.declared.sources]
    above = [name for name in names[: names.index(row.name)] if name not in had]
    return field.replaced(clause, f"from {', '.join([*had, *above][: most + 1])}")


def _parent_twice(field: Field) -> str | None:
    row = field.row("block", fit=lambda row: not row.declared.direct and not row.declared.absorbed)
    clause = field.clause(row, "from") if row is not None else None
    if row is None or clause is None:
        return None
    names = [name.text for name in row.declared.sources]
    return field.replaced(clause, f"from {', '.join([*names, names[field.chosen % len(names)]])}")


def _reads_below(field: Field) -> str | None:
    blocks = [row for row in field.rows if row.declared.row.kind == "block" and row.declared.maps == 1]
    for at, row in enumerate(blocks[:-1]):
        below = blocks[at + 1 + field.chosen % (len(blocks) - at - 1)]
        clause = field.clause(row, "from") or field.clause(row, "after")
        reads = _all_read(field, below)
        if clause is not None and row.name not in reads and field.spared(row) and not row.declared.absorbed:
            word = "after" if row.declared.direct else "from"
            return field.replaced(clause, f"{word} {below.name}")
    return None


def _all_read(field: Field, row: TypedRow) -> set[str]:
    found: set[str] = set()
    pending = [row.name]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            declared = field.typed.rows[name].declared
            pending += [source.text for source in (*declared.sources, *declared.absorbed)]
    return found


def _circle(field: Field) -> str | None:
    row = field.row(
        "block", fit=lambda row: not row.declared.direct and not row.declared.absorbed and field.spared(row)
    )
    clause = field.clause(row, "from") if row is not None else None
    return field.replaced(clause, f"from {row.name}") if row is not None and clause is not None else None


def _unused(field: Field) -> str | None:
    row = field.row("block")
    if row is None:
        return None
    line = field.row_line(row)
    name = row.span
    again = line.text[: name.start - line.start] + "nobody__" + line.text[name.end - line.start :]
    return field.put(line.end, f"\n    {re.sub(r' absorb [a-z0-9_, ]+', '', again)}")


def _without(*kinds: str) -> Planter:
    """Every row of some kinds is taken away; with heads their tasks, which would be mistakes of their own."""

    def plant(field: Field) -> str | None:
        text = field.text
        rows = [field.row_line(row) for row in field.rows if row.declared.row.kind in kinds]
        tasks = [task.declared.task.span for task in field.typed.tasks if "head" in kinds]
        if any(span.source is not field.source for span in tasks) or len(field.rows) < len(field.readers):
            return None  # a part would read what is not there
        for line in sorted((*rows, *tasks), key=lambda line: line.start, reverse=True):
            text = text[: line.start] + text[line.end :]
        return text if rows else None

    return plant


def _second_output(field: Field) -> str | None:
    row = field.row("output")
    source = row.declared.sources[0] if row is not None else None
    return field.put(field.row_line(row).end, f"\n    output Again__: {source.span.text}") if row and source else None


def _absorbs_misfit(field: Field) -> str | None:
    def misfit(row: TypedRow) -> str | None:
        at = [other.name for other in field.rows].index(row.name)
        join = (row.join.type.level, row.join.type.channels) if row.join is not None else None
        for other in field.rows[:at]:
            block = other.declared.row.kind == "block" and other.name not in sources(row)
            if block and join and other.type and (other.type.level, other.type.channels) != join:
                return other.name
        return None

    row = field.row("block", fit=lambda row: "absorb" not in row.declared.clauses and misfit(row) is not None)
    return field.put(field.row_line(row).end, f" absorb {misfit(row)}") if row is not None else None


def _absorbs_directly(field: Field) -> str | None:
    def other(row: TypedRow) -> str | None:
        at = [found.name for found in field.rows].index(row.name)
        above = [found.name for found in field.rows[:at] if found.declared.row.kind in ("stem", "block")]
        return next((name for name in above if name not in sources(row)), None)

    row = field.row("block", fit=lambda row: row.declared.direct and other(row) is not None)
    return field.put(field.row_line(row).end, f" absorb {other(row)}") if row is not None else None


def _resamples_directly(field: Field) -> str | None:
    row = field.row("block", fit=lambda row: row.declared.direct)
    resample = next((r.declared.resample for r in field.rows if r.declared.resample is not None), None)
    if row is None or resample is None:
        return None
    return field.put(field.row_line(row).end, f" resample {resample[0].name.text}")


def _without_level(field: Field) -> str | None:
    row = field.row("block", fit=lambda row: not row.declared.direct and "level" in row.declared.clauses)
    return without_clause(row, "level", field)


def _without_line(start: str) -> Planter:
    """A setting is taken away that some block needs, since it says none of its own."""

    def plant(field: Field) -> str | None:
        line = field.line(start)
        joined = any("from" in r.declared.clauses and start not in r.declared.clauses for r in field.rows if r.join)
        return field.replaced(line, "") if line is not None and joined else None

    return plant


def _line_again(start: str) -> Planter:
    def plant(field: Field) -> str | None:
        line = field.line(start)
        return field.put(line.end, f"\n{line.text}") if line is not None else None

    return plant


def _from_and_after(field: Field) -> str | None:
    row = field.row("block", fit=lambda row: bool(row.declared.sources))
    if row is None:
        return None
    word = "from" if row.declared.direct else "after"
    return field.put(field.row_line(row).end, f" {word} {row.declared.sources[0].span.text}")


def _channels_not_taken(field: Field) -> str | None:
    def fit(row: TypedRow) -> bool:
        defined = row.declared.defined
        return defined is not None and defined.parameter("channels") is None and "channels" not in row.declared.clauses

    row = field.row("output", "head", fit=fit)
    return field.put(field.row_line(row).end, " channels 4") if row is not None else None


def _name_of_a_head(field: Field) -> str | None:
    row = field.row("block", "stem")
    if row is None:
        return None
    own = "head_type twin__(features) { each p in features { yield p } }"
    heads = f"head h__: twin__ from {row.name}\n    head h___{row.name}: twin__ from {row.name}"
    return Field(Source.from_text(field.in_network(heads)), field.analysis, field.name, 0).text + f"\n{own}\n"


def _vector_as_output(field: Field) -> str | None:
    row = field.row("block")
    if row is None:
        return None
    own = "output_type vector__(x) { return flatten(global_average_pool(x)) }"
    return field.in_network(f"output V__: vector__ from {row.name}") + f"\n{own}\n"


def _reads_the_first(field: Field) -> str | None:
    """A row of several inputs whose join takes the first one alone."""

    def fit(row: TypedRow) -> bool:
        clauses = row.declared.clauses
        first = row.inputs[0].resample if row.inputs else None
        same = row.join is not None and first is not None and row.join.type == first.type
        return "join" not in clauses and len(sources(row)) > 1 and same

    row = field.row("block", fit=fit)
    if row is None:
        return None
    text = field.put(field.row_line(row).end, " join alone__").rstrip("\n")
    return f"{text}\n\njoin_type alone__(inputs) {{ return first(inputs) }}\n"


def _two_heads(field: Field) -> str | None:
    """A task of two heads."""
    row = field.row("head")
    return None if row is None else field.in_network(f"task twice__: classification from {row.name}, {row.name}")


def _map_more(field: Field) -> str | None:
    """A row that feeds its type without a join names one input more."""
    rows = [row for row in field.rows if row.kind == "block" and (row.declared.direct or row.declared.maps > 1)]
    if not rows:
        return None
    row = rows[field.chosen % len(rows)]
    clause = field.clause(row, "after" if row.declared.direct else "from")
    assert clause is not None
    return field.put(clause.end, f", {row.declared.sources[0].span.text}")


def _several(change: Callable[[Field, TypedRow], str | None]) -> Planter:
    """A change of a row whose type takes its maps one by one."""

    def plant(field: Field) -> str | None:
        rows = [row for row in field.rows if row.declared.maps > 1]
        return change(field, rows[field.chosen % len(rows)]) if rows else None

    return plant


def _repeated(field: Field, row: TypedRow) -> str:
    return field.put(field.row_line(row).end, " repeat 2")


def _inputs_of_a_space(field: Field, row: TypedRow) -> str | None:
    return field.with_space(f"parents {row.name}: 1 of all")


def _own_in_a_space(field: Field) -> str | None:
    """A space chooses the inputs of a block, one of which has a resampling of its own."""
    rows = [row for row in field.rows if row.declared.own and row.declared.maps == 1]
    return field.with_space(f"parents {rows[field.chosen % len(rows)].name}: 1 of all") if rows else None


PLANTERS: Planters = {
    "E0301": (_inputs,),
    "E0302": (_parent_twice,),
    "E0303": (_reads_below,),
    "E0304": (_circle,),
    "E0305": (_unused,),
    "E0306": (_without("output", "head"),),
    "E0307": (_second_output,),
    "E0308": (_absorbs_misfit,),
    "E0309": (_without_level,),
    "E0310": (_without_line("resample"), _without_line("join")),
    "E0311": (_line_again("input"), _line_again("defaults"), _line_again("resample"), _line_again("join")),
    "E0312": (_from_and_after,),
    "E0313": (_absorbs_directly,),
    "E0314": (lambda field: "# nothing here\n",),
    "E0315": (_without("stem", "block", "output", "head"),),
    "E0316": (_resamples_directly,),
    "E0317": (_channels_not_taken,),
    "E0318": (edit("drop {0}", _read_once),),
    "E0319": (_name_of_a_head,),
    "E0320": (_vector_as_output,),
    "E0321": (_reads_the_first, body("return conv(x * 0, channels, kernel = 1, stride = stride, bias = true)")),
    "E0322": (_two_heads,),
    "E0323": (_map_more,),
    "E0324": (_several(_repeated),),
    "E0325": (_several(_inputs_of_a_space),),
    "E0332": (_own_in_a_space,),
    "E1201": (space("parents {0}: 1 of all\n    parents {0}: 1 of last 1"), space("permute {0}, {0}")),
    "E1202": (space("parents {0}: 0 of all"), space("parents {0}: 1 of last 0"), space("parents {0}: 99 of all")),
    "E1203": (space("permute {1}, {0}"),),
    "E1204": (space("permute {1}, {0}\n    parents {0}: 1 of all"),),
    "E1205": (space("level_shift {0}: 0..30"), space("level_shift {0}: -30..0")),
    "E1217": (space("keep parameters > 5\n    keep parameters <= 5"), space("keep memory < 1\n    keep memory >= 1")),
}
