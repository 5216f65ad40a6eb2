"""E0322: heads of a task."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0322",
    title="heads of a task",
    message="task `{name}` has {got} after `{clause}`, expected one head",
    label="expected one head",
    default=Default.ERROR,
    explanation="""\
Each clause of a task names one head, as in `towers`, or one thing that a head yields, as in
`towers.scores`. Two heads that mean the same kind of thing, such as the labels of two data sets, are
two tasks, each with a name of its own: losses, metrics and predictions go by those names.
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
    head breeds:  pooled_classifier(classes = 37)  from b3
    head animals: pooled_classifier(classes = 2)   from b3
    task classify: classification from breeds, animals
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
    head breeds:  pooled_classifier(classes = 37)  from b3
    head animals: pooled_classifier(classes = 2)   from b3
    task breed:  classification  from breeds
    task animal: classification  from animals
}
""",
)
