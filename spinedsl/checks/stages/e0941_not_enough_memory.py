"""E0941: not enough memory."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0941",
    title="not enough memory",
    message="running network `{network}` needs about {needs} GiB of memory, and {free} GiB are free",
    label="",
    default=Default.ERROR,
    explanation="""\
What is asked for would not fit into the memory of this machine. Every engine keeps a copy of the
weights, and the one that runs the feature maps of the whole batch; `spine stats` has both figures, of
one image. Rather than let the system end the program halfway, nothing is begun.

A smaller size of the input, fewer images at once or fewer engines take less.
""",
)
