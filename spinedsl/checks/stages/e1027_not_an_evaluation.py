"""E1027: not an evaluation."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1027",
    title="not an evaluation",
    message="`{path}` is no evaluation that serves here: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A threshold, and the figures of a card, come from the `eval.json` that `spine eval -o FOLDER` writes for
the same network. A classifier has no threshold.
""",
)
