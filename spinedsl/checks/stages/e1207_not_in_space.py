"""E1207: outside of a space."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1207",
    title="outside of a space",
    message="{what}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
`spine space FILE --contains OTHER` asks whether some decisions of the space give the network of the
other file, whatever its blocks are called. Each reason against it is reported at its place: a block
that no block of the space can be, a parent outside of the window, an output of another type.
""",
)
