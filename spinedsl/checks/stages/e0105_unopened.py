"""E0105: unmatched bracket."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0105",
    title="unmatched bracket",
    message="unmatched `{bracket}`",
    label="{why}",
    default=Default.ERROR,
    explanation="""\
This bracket closes nothing, or closes the network or definition around it while more of it follows.
Usually it was left over when a line was changed. The text after it is read as if the bracket were
not there.
""",
    wrong="""\
spine 1

def f(x) {
    return relu(x))
}
""",
    right="""\
spine 1

def f(x) {
    return relu(x)
}
""",
)
