"""E0513: head that does not fit its task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Label, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0513",
    title="head that does not fit its task",
    message="task `{name}` needs {expected}, but head `{head}` gives {got}",
    label="a task of kind `{kind}`",
    default=Default.ERROR,
    explanation="""\
Each kind of task needs numbers of its own form. A `classification` needs one vector with a number for
each class, two at least; an `embedding` one vector of length 1, which `l2_normalise` gives, and nothing
after it changes; a `segmentation` one map with a number for each class.

A `detection` needs boxes with four numbers, classes with a number for each, and perhaps a quality with
one number, all for each anchor and over maps of the same levels. Anchors are all `ratios` at all
`scales`; without `ratios`, each position is one point. Of a head that yields several things, a clause
names one: `boxes towers.boxes`.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.heads

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    head vector: pooled_classifier(classes = 128) from b3
    task face: embedding from vector
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.heads

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    head vector: embedding(dimension = 128) from b3
    task face: embedding from vector
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Tasks whose heads give something else than their kind needs."""
    for found in network.task_misfits:
        task, misfit = found.task.declared, found.misfit
        facts = {"name": task.name, "head": found.head.name, "kind": task.task.use.name.text}
        diagnostic = RULE.at(found.place, expected=misfit.expected, got=misfit.got, **facts)
        place = Label(found.head.declared.row.use.span, f"`{found.head.name}` gives {misfit.got}")
        yield diagnostic.with_others(place).with_fix(misfit.fix)
