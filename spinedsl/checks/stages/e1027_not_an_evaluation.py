"""E1027: not an evaluation."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1027",
    title="not an evaluation",
    message="`{path}` is no evaluation that has a threshold: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A threshold comes from the `eval.json` that `spine eval -o FOLDER` writes for a network that embeds.
A classifier has none.
""",
)
