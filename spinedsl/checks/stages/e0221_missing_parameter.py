"""E0221: missing parameter."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0221",
    title="missing parameter",
    message="{kind} needs a parameter for {missing}, which `{name}` lacks",
    label="its first parameters are filled in by the rows that use it",
    fix="as in `{example}`",
    default=Default.ERROR,
    explanation="""\
The first parameters of a `block_type`, `resample_type` and so on are filled in by the rows that use
it: a block type gets the feature map, a resampling the feature map, the block that it comes from
and the block that it goes to, a join the list of feature maps. A type needs a parameter for each,
even for one that it does not read.
""",
    wrong="""\
spine 1

resample_type plain(x, source) {
    return relu(x)
}
""",
    right="""\
spine 1

resample_type plain(x, source, target) {
    return relu(x)
}
""",
)
