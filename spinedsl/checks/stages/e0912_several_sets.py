"""E0912: several sets of weights."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0912",
    title="several sets of weights",
    message="`{path}` holds {count} sets of tensors",
    label="",
    fix="choose one: `--key {key}`",
    default=Default.ERROR,
    explanation="""\
A checkpoint may hold a network more than once: its last state and a moving average of it, a student
and a teacher. Which of them is meant is a decision, so none is taken without a word: `--key` names
one, as the message lists them, and so does `spinedsl.read_weights(path, key = "ema")`.

The average is mostly what was evaluated and published. Where a file holds one set of tensors alone,
under whatever key, that one is taken, and the key is reported.
""",
)
