"""E0914: several prefixes fit."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0914",
    title="several prefixes fit",
    message="the names in `{path}` fit network `{network}` in {count} ways",
    label="",
    fix="say which: `--prefix {prefix}`, or `--prefix ''` for none",
    default=Default.ERROR,
    explanation="""\
Trainers and hosts put something before the names of a network's tensors: `module.`, `_orig_mod.`,
`model.`, `backbone.`, or several of them. It is taken away where the rest fits. Here the tensors
under two prefixes fit the network alike, as those of a student and a teacher do, and which are
meant is a decision: `--prefix student.` says it, and `--prefix ''` takes names as they are.
""",
)
