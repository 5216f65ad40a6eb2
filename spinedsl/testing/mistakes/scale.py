"""Mistakes in levels, channels, shapes and values."""

from __future__ import annotations

import re

from spinedsl.ir.typed import TypedRow
from spinedsl.testing.mistakes.field import (
    Field,
    Planter,
    Planters,
    body,
    edited,
    first_input,
    sources,
    without_clause,
)
from spinedsl.testing.mistakes.parts import planted


def _without_channels(field: Field) -> str | None:
    row = field.row("block", fit=lambda row: "channels" in row.declared.clauses)
    return without_clause(row, "channels", field) if field.line("widths") is None else None


def _channels_of(value: str) -> Planter:
    def plant(field: Field) -> str | None:
        row = field.row("block", "stem", fit=lambda row: "channels" in row.declared.clauses)
        clause = field.clause(row, "channels") if row is not None else None
        return field.replaced(clause, f"channels {value}") if clause is not None else None

    return plant


def _level_of(value: str) -> Planter:
    """The level of a block that is resampled, and that only outputs read: nothing else is reported about it then."""

    def plant(field: Field) -> str | None:
        def fit(row: TypedRow) -> bool:
            readers = {other.declared.row.kind for other in field.rows if row.name in sources(other)}
            return not row.declared.direct and _general(row) and readers <= {"output"}

        row = field.row("block", fit=fit)
        clause = field.clause(row, "level") if row is not None else None
        return field.replaced(clause, f"level {value}") if clause is not None else None

    return plant


def _of_several_sizes(planter: Planter) -> Planter:
    """Only where every map has the size of its level."""
    return lambda field: None if field.typed.one_size else planter(field)


def _of_maps_of_two(planter: Planter) -> Planter:
    """Only where every map has two rows and two columns or more, so that a window of two lies within."""

    def plant(field: Field) -> str | None:
        x, levels = field.typed.input_type, [row.level or 0 for row in field.rows]
        return planter(field) if x is not None and min(x.height, x.width) >= 2 << max(levels, default=0) else None

    return plant


def _general(row: TypedRow) -> bool:
    """It is resampled by a rule of the prelude that goes up and down."""
    return row.declared.resample is not None and row.declared.resample[1].name in ("spinenet", "spinenet_mobile")


def _odd_size(field: Field) -> str | None:
    line = field.line("input")
    if line is None or field.typed.any_size or field.typed.divisor < 2:
        return None
    head, height, width = line.text.rsplit(" x ", 2)
    if not (height.isdigit() and width.isdigit()):
        return None
    sizes = (height, f"{int(width) + 1}") if field.chosen % 2 else (f"{int(height) + 1}", width)
    return field.replaced(line, " x ".join([head, *sizes]))


def _stem_level(field: Field) -> str | None:
    row = field.row("stem", fit=lambda row: "level" not in row.declared.clauses)
    if row is None or row.type is None or row.type.level is None:
        return None
    return field.put(field.row_line(row).end, f" level {row.type.level + 1}")


def _down_directly(field: Field) -> str | None:
    def fit(row: TypedRow) -> bool:
        stems = [r.type.level for r in field.rows if r.declared.row.kind == "stem" and r.type and r.type.level]
        defined, above = row.declared.defined, field.above(row)
        strided = defined is not None and defined.parameter("stride") is not None and "level" in row.declared.clauses
        return row.declared.direct and strided and above is not None and above > min(stems, default=0)

    row = field.row("block", fit=fit)
    clause = field.clause(row, "level") if row is not None else None
    return field.replaced(clause, f"level {(field.above(row) or 1) - 1}") if row and clause else None


def _bad_resample(field: Field) -> str | None:
    def fit(row: TypedRow) -> bool:
        above = [field.typed.rows[name.text] for name in row.declared.sources]
        single = not row.declared.direct and len(above) == 1 and "resample" not in row.declared.clauses
        return single and above[0].type is not None and above[0].type.level != row.level

    row = field.row("block", fit=fit)
    if row is None:
        return None
    body = "{ return conv(x, target.in_channels, kernel = 1) }"
    own = f"resample_type wrong__(x, source, target) -> target.in_channels {body}"
    return field.put(field.row_line(row).end, " resample wrong__").rstrip("\n") + f"\n\n{own}\n"


def _keeps_another_level(field: Field, row: TypedRow) -> bool:
    """The first input comes from another level than the row has."""
    above = field.typed.rows[row.declared.sources[0].text].type
    return above is not None and above.level != row.level


MOVED = """resample_type moved__(x, source, target) -> x.channels {
    if target.level < x.level { return upsample(x, levels = x.level - target.level) }
    var y = x
    repeat target.level - x.level { y = max_pool(y, kernel = 3, stride = 2) }
    return y
}"""


def _sum_of_other_widths(field: Field) -> str | None:
    """A row whose inputs keep their channels, which differ, on their way to a sum."""

    def fit(row: TypedRow) -> bool:
        types = [field.typed.rows[name.text].type for name in row.declared.sources]
        widths = {type_.channels for type_ in types if type_ is not None}
        return len(widths) > 1 and not row.declared.direct and not row.declared.clauses.keys() & {"resample", "join"}

    row = field.row("block", fit=fit)
    if row is None:
        return None
    return field.put(field.row_line(row).end, " resample moved__ join sum").rstrip("\n") + f"\n\n{MOVED}\n"


def _widths(text: str) -> Planter:
    def plant(field: Field) -> str | None:
        return field.in_network(text) if field.line("widths") is None else None

    return plant


def _no_defaults(field: Field) -> str | None:
    line = field.line("defaults")
    found = re.search(r"\bact [a-z0-9_]+, ", line.text) if line is not None else None
    if line is None or found is None or not _uses_act(field):
        return None
    return field.replaced(line, line.text.replace(found[0], "", 1))


def _uses_act(field: Field) -> bool:
    """Just one row that surely uses it: every further use would be reported too."""
    return any(row.declared.row.use.name.text in ("residual", "bottleneck", "resnet_stem") for row in field.rows)


ONE = "conv(x, channels, kernel = 1, stride = stride)"


def _task_misfit(field: Field) -> str | None:
    """A head that gives the map that it reads: no classes."""
    row = field.row("block")
    if row is None:
        return None
    rows = f"head misfit__: kept__ from {row.name}\n    task wrong__: classification from misfit__"
    return field.in_network(rows) + "\nhead_type kept__(maps) { return relu(first(maps)) }\n"


PLANTERS: Planters = {
    "E0401": (_level_of("40"), _level_of("0")),
    "E0402": (_odd_size,),
    "E0403": (_channels_of("0"),),
    "E0404": (_without_channels,),
    "E0405": (_stem_level,),
    "E0406": (_down_directly,),
    "E0407": (body("return conv(x, channels + 1, kernel = 1, stride = stride)"),),
    "E0408": (_bad_resample, first_input("resample identity", _keeps_another_level)),
    "E0409": (_widths("widths { level 2: 4, level 2: 8 }"),),
    "E0410": (_widths("widths { level 5..3: 4 }"), lambda field: field.below(edited(field, "rules { inputs 3..1 }"))),
    "E0501": (body("return x + conv(x, x.channels + 1, kernel = 1)"),),
    "E0502": (
        body("return conv(x, relu, kernel = 1)"),
        body("return conv(x, channels, kernel = true)"),
        lambda field: field.below(edited(field, "rules { channels 8 }")),
    ),
    "E0503": (
        body("return conv(x, channels, kernel = 0)"),
        body("return conv(x, channels, kernel = 3, groups = 0)"),
        lambda field: field.below(edited(field, "rules { channels multiple(0) }")),
        planted("part p__: Part__ from READ repeat 0"),
        planted("part p__: Part__ from READ repeat 3 / 2"),
    ),
    "E0504": (_no_defaults,),
    "E0505": (body("return conv(x, channels / (stride - stride), kernel = 1)"),),
    "E0506": (_of_maps_of_two(_of_several_sizes(body("return conv(x, channels, kernel = 2, padding = 0)"))),),
    "E0507": (body("return conv(x, channels * global_average_pool(x).level, kernel = 1)"),),
    "E0508": (body("return channels"),),
    "E0509": (body("var y = x\n    repeat i in 2 { y = shared conv(y, channels + 1 - i, kernel = 1) }\n    return y"),),
    "E0510": (
        body("return linear(x, channels)"),
        body("return max_pool(linear(flatten(global_average_pool(x)), channels), kernel = 1)"),
    ),
    "E0511": (_of_several_sizes(body(f"return pad({ONE}, top = 1, left = 1)")),),
    "E0512": (
        body(f"var y = {ONE}\n    repeat i in 2 {{ y = shared batch_norm(y, epsilon = 0.1 * (i + 1)) }}\n    return y"),
    ),
    "E0513": (_task_misfit,),
    "E0520": (body(f"return {ONE} * sqrt(2)"), body(f"return {ONE} * log2(3)")),
    "E0521": (_sum_of_other_widths,),
}
