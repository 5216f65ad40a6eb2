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
each class, two at least. An `embedding` needs one vector
of length 1, so that the distance between two means the same for every pair. A `segmentation` needs
one map with a number for each class at each position.

That a vector has length 1 is told by the operation that makes it, whatever the head's type is called:
`l2_normalise`, perhaps of a map pooled to 1x1, then flattened. A scale after that would change it; the
scale of ArcFace belongs to the loss.
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
