"""E1211: study of another search."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1211",
    title="study of another search",
    message="study `{study}` is of another search: expected {what} {expected}, got {got}",
    label="",
    default=Default.ERROR,
    explanation="""\
A study goes on only as it began: with the same space, engine, seed and objectives. Otherwise its
candidates could not be compared, or would not be those that the seed leads to. The budget may grow.
Another search takes another file, or another name by `--name`.
""",
)
