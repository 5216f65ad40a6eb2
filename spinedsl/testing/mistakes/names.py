"""Mistakes in names, and in definitions."""

from __future__ import annotations

from spinedsl.ir.typed import TypedRow
from spinedsl.testing.mistakes.field import (
    Field,
    Planter,
    Planters,
    body,
    clause,
    edit,
    edited,
    first_input,
    line,
    of_type,
    statement,
)
from spinedsl.testing.mistakes.parts import planted


def _edit_of_dropped(field: Field) -> str | None:
    """An output that nothing reads is dropped; a head gives its map instead."""
    row = field.row("output", fit=lambda row: row.declared.defined is not None and not field.is_read(row))
    if row is None:
        return None
    source = row.declared.sources[0].span.text
    lines = f"drop {row.name}\n    output {row.name} from {source}\n    add head h__: keep__ from {source}"
    return field.below(f"head_type keep__(maps) {{ each p in maps {{ yield p }} }}\n{edited(field, lines)}")


def _private(field: Field) -> str | None:
    row = field.row("output", fit=lambda row: not field.is_read(row))
    return field.replaced(row.span, "__init__") if row is not None else None


def _unknown_parent(field: Field) -> str | None:
    row = field.row("block", "output", fit=lambda row: bool(row.declared.sources))
    return field.put(row.declared.sources[0].span.end, "_missing__") if row is not None else None


def _same_row_again(field: Field) -> str | None:
    row = field.row("block")
    if row is None:
        return None
    line = field.row_line(row)
    return field.put(line.end, f"\n    {line.text}")


def _unknown_argument(field: Field) -> str | None:
    row = field.row("block", "stem", fit=lambda row: not row.declared.row.use.arguments)
    return field.put(row.declared.row.use.span.end, "(unheard_of__ = 1)") if row is not None else None


def _argument_without_name(field: Field) -> str | None:
    def fit(row: TypedRow) -> bool:
        defined = row.declared.defined
        free = (
            [p for p in defined.definition.parameters[1:] if p.name.text not in ("channels", "stride")]
            if defined
            else []
        )
        return bool(free) and not row.declared.row.use.arguments

    row = field.row("block", fit=fit)
    return field.put(row.declared.row.use.span.end, "(2)") if row is not None else None


def _channels_again(field: Field) -> str | None:
    """A row says its channels by a clause and among its arguments."""
    row = field.row("block", "stem", "output", fit=lambda row: "channels" in row.declared.clauses)
    if row is None:
        return None
    use = row.declared.row.use
    others = [argument.span.text for argument in use.arguments if argument.name is not None]
    return field.replaced(use.span, f"{use.name.text}({', '.join([*others, 'channels = 8'])})")


def _let_as_an_argument(field: Field) -> str | None:
    """A `let` of the network is given by an instance of it."""
    let = f"let wrong__ = {field.chosen}"
    chosen = field.chosen // 2 % 3
    given = "(wrong__ = 1)" if chosen == 0 else " with { wrong__ = true }" if chosen == 1 else "(wrong__ = relu)"
    return f"{field.in_network(let)}\nnetwork Wrong__ = {field.name}{given}\n"


def _clause_again(field: Field) -> str | None:
    row = field.row("block")
    clause = field.clause(row, "level") if row is not None else None
    return field.put(clause.end, f" {clause.text}") if clause is not None else None


def _two_yields(field: Field) -> str | None:
    row = field.row("block", "stem")
    if row is None:
        return None
    own = "head_type twice__(features) { each p in features {\n yield relu(p)\n yield relu6(p)\n} }"
    return field.in_network(f"head h__: twice__ from {row.name}") + f"\n{own}\n"


def _resamples_by_a_join(field: Field) -> str | None:
    known = field.analysis.unit.definitions.values()
    join = next((defined.name for defined in known if defined.kind == "join_type"), None)
    return first_input(f"resample {join}")(field) if join is not None else None


def _head_resamples(field: Field) -> str | None:
    row = field.row("head", fit=lambda row: len(row.declared.sources) > 1)
    return field.put(row.declared.sources[0].span.end, " resample identity") if row is not None else None


def given(use: str, definitions: str = "") -> Planter:
    """A head whose type calls what it is given: by default what takes other arguments than it calls it with."""

    def plant(field: Field) -> str | None:
        row = field.row("block", "stem")
        if row is None:
            return None
        text = field.in_network(f"head h__: {use} from {row.name}")
        return f"{text}\n{GIVEN}{definitions}"

    return plant


GIVEN = """\
def other__(x) { return relu(x) }

def fit__(x, channels) { return conv(x, channels, kernel = 1) }

head_type given__(maps, op = other__) { each p in maps { yield shared op(p, 4) } }
"""
CIRCLE = "\ndef circle__(x, channels, by = circle__) { return by(relu(x), channels) }\n"

PLANTERS: Planters = {
    "E0201": (
        _unknown_parent,
        statement("def wrong__(x) { return relu(unheard_of__) }"),
        statement("def wrong__(x) { return Conv2d(x, 4, kernel = 1) }"),
        statement("def wrong__(x) { return LeakyReLU(x) }"),
        statement("network Wrong__ = Unheard_of__()"),
        edit("let unheard_of__ = 3"),
        planted("part p__: Part__ from READ repeat unheard_of__"),
        planted("part p__: Part__ from unheard_of__"),
        planted("part p__: Part__ from READ\n    output o__: p__.unheard_of__"),
        first_input("resample unheard_of__"),
    ),
    "E0202": (
        _same_row_again,
        statement("def relu(x) { return x }"),
        planted("part p__: Part__ from READ\n    part p__: Part__ from READ"),
    ),
    "E0203": (
        _let_as_an_argument,
        of_type("resnet_stem", "block"),
        of_type("activated_sum", "block"),
        _resamples_by_a_join,
    ),
    "E0204": (statement("def wrong__(x) { return wrong__(x) }"), given("given__(op = circle__)", CIRCLE)),
    "E0246": (given("given__"), given("given__(op = other__ if true else fit__)")),
    "E0247": (
        body(
            "var y = conv(x, channels, kernel = 1, stride = stride)\n"
            "    each k in [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] { y = y + conv(y, channels, kernel = k) }\n"
            "    each k1 in [1] { y = y + conv(y, channels, kernel = k1) }\n    return y"
        ),
        body(
            "var y = conv(x, channels, kernel = 1, stride = stride)\n    each norm_ in [1, 1, 1] { y = norm(y) }\n"
            "    return norm(norm(y))"
        ),
    ),
    "E0205": (statement("import std.unheard_of__"),),
    "E0208": (
        _unknown_argument,
        statement("def wrong__(x) { return relu(x, slope = 1) }"),
        first_input("resample identity(unheard_of__ = 1)"),
    ),
    "E0209": (
        statement("def wrong__(x) { return conv(x, 4, kernel = 1, kernel = 3) }"),
        _channels_again,
        statement("def wrong__(x, gate = relu) { return gate(x, slope = 1, slope = 2) }"),
        body("let y = norm(conv(x, channels, kernel = 3, stride = stride))\n    return act(y, x = y)"),
    ),
    "E0210": (statement("def wrong__(x) { return conv(x, 4) }"),),
    "E0211": (statement("def wrong__(x) { return relu(x, 6) }"),),
    "E0212": (body("return conv(x, channels + x.depth, kernel = 1, stride = stride)"),),
    "E0213": (statement("def wrong__(x) {\n    let y = x\n    y = relu(y)\n    return y\n}"),),
    "E0214": (statement("def wrong__(x) { let y = relu(x) }"),),
    "E0215": (statement("def wrong__(x) {\n    return x\n    let y = relu(x)\n}"),),
    "E0216": (
        clause("wobble 3"),
        clause("wobble 3", "stem"),
        _head_resamples,
        planted("part p__: Part__ from READ resample identity, READ"),
    ),
    "E0217": (_clause_again,),
    "E0218": (line('allow W0799 "why not"'), lambda field: field.below(edited(field, "rules { wobble 1..2 }"))),
    "E0219": (_private, statement("def wrong__(x) {\n    let forward = relu(x)\n    return forward\n}")),
    "E0220": (statement("network Wrong__ = Wronger__()\nnetwork Wronger__ = Wrong__()"),),
    "E0221": (statement("resample_type wrong__(x, source) -> 4 { return x }"),),
    "E0222": (_argument_without_name,),
    "E0223": (statement("def wrong__(x) {\n    repeat 2 { return x }\n    return x\n}"),),
    "E0224": (_edit_of_dropped,),
    "E0225": (edit("block {0} repeat 1\n    block {0} repeat 2"),),
    "E0226": (edit("block {0} absorb none"),),
    "E0227": (statement("def wrong__(x) { return shared conv(x, 4, kernel = 1) }"),),
    "E0228": (statement("def wrong__(x) {\n    yield x\n    return x\n}"),),
    "E0229": (statement("head_type wrong__(maps) {\n    each p in maps { yield p }\n    return first(maps)\n}"),),
    "E0230": (statement("head_type wrong__(maps) {\n    each p in maps { let y = relu(p) }\n}"),),
    "E0231": (_two_yields,),
    "E0233": (
        body("return act(norm(conv(x, channels, kernel = 3, stride = stride, bias_init = 1)))"),
        body("return act(norm(conv(x, channels, kernel = 3, stride = stride, init = zeros, init_scale = 2)))"),
        lambda field: field.below(edited(field, "defaults { dropout(rate = 0.5) }")),
        lambda field: field.below(edited(field, "defaults { l2_normalise() }")),
    ),
}
