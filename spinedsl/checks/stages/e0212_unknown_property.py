"""E0212: unknown property."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0212",
    title="unknown property",
    message="{what} has no property `{name}`",
    label="expected {known}",
    default=Default.ERROR,
    explanation="""\
While a network is compiled, a definition can read the `.channels`, `.level`, `.height` and `.width`
of a feature map, and of a block also `.in_channels` and `.out_channels`. There is nothing else to
read: what a feature map holds exists only when the network runs.
""",
    wrong="""\
spine 1

def f(x) {
    return conv(x, x.chanels, kernel = 1)
}
""",
    right="""\
spine 1

def f(x) {
    return conv(x, x.channels, kernel = 1)
}
""",
)
