"""W1005: run that was not finished."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1005",
    title="run that was not finished",
    message="the folder holds a run that stopped at step {step} of {steps}: it is kept as `{kept}`",
    label="",
    default=Default.WARNING,
    explanation="""\
A run begins in a folder that has the last checkpoint of another one, which was interrupted or killed
and could have gone on: `--resume` was perhaps forgotten. Its checkpoints get other names, so that
nothing is lost, and the new run begins. Logs and figures of the old one are replaced.

To go on with the old one, stop the new run, give the checkpoint its name `last.safetensors` back, and
resume. A run that came to its end is replaced without a word.
""",
)
