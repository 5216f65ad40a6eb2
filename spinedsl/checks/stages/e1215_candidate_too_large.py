"""E1215: candidate that does not fit into memory."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1215",
    title="candidate that does not fit into memory",
    message="there is not enough memory to train a candidate",
    label="",
    default=Default.ERROR,
    explanation="""\
The training of a candidate asked for more memory than the machine, or its GPU, has left. That candidate has no value,
and the search goes on; it stops where ten in a row do not fit. A smaller `batch` in `[run]` needs less, and a bound in
the space, as in `keep memory <= 2G`, leaves large candidates out.
""",
)
