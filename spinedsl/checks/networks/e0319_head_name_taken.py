"""E0319: name of a head's output taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Label, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0319",
    title="name of a head's output taken",
    message="head `{head}` gives an output `{name}`, but that name is taken",
    label="gives `{name}`",
    fix="give the head another name",
    default=Default.ERROR,
    explanation="""\
The outputs of a head are named after the head and the rows that it read, as `scores_P3`. Each name
of a network means one thing, in the file, in PyTorch and in ONNX, so no row may have such a name
too. Rename the row or the head.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

head_type predict(features, outputs) {
    each p in features { yield conv(p, outputs, kernel = 1) }
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3:        residual  level 3  after s   channels 8
    block scores_P3: residual  level 4  after b3  channels 8
    output P3: b3
    output P4: scores_P3
    head scores: predict(outputs = 4) from P3, P4
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

head_type predict(features, outputs) {
    each p in features { yield conv(p, outputs, kernel = 1) }
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual  level 3  after s   channels 8
    block b4: residual  level 4  after b3  channels 8
    output P3: b3
    output P4: b4
    head scores: predict(outputs = 4) from P3, P4
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Heads that give an output a name that a row, the input or another head's output has."""
    places = {row.name: row.span for row in network.rows.values()}
    if network.network.input is not None:
        places[network.input_name] = network.network.input.name.span
    for head in network.rows.values():
        for name, _ in head.parts if head.kind == "head" else ():
            if name in places and name != head.name:
                found = RULE.at(head.span, head=head.name, name=name)
                found = found.with_others(Label(places[name], f"`{name}` is here already"))
                yield found.repaired()
            places.setdefault(name, head.span)
