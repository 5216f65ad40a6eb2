"""E1043: evaluation that does not go into the card."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1043",
    title="evaluation that does not go into the card",
    message="`{path}` does not belong in this model's card: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
`--evaluation` takes the `eval.json` that `spine eval -o FOLDER` wrote for the same network: its digest
must be that of the checkpoint. The figures of another training, or of another step, are those of
another network.
""",
)
