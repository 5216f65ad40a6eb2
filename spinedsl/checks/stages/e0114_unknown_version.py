"""E0114: unknown language version."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0114",
    title="unknown language version",
    message="unknown language version {got}",
    label="this compiler knows version 1",
    fix="write `spine 1`",
    default=Default.ERROR,
    explanation="""\
`spine 1` says which version of the language and of its prelude a file is written for, so that a
later change of the prelude cannot alter your network. This compiler knows version 1 only: the
number is wrong, or the file needs a newer compiler.
""",
    wrong="""\
spine 2

def f(x) { return relu(x) }
""",
    right="""\
spine 1

def f(x) { return relu(x) }
""",
)
