"""E1112: idx file that cannot be read."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1112",
    title="idx file that cannot be read",
    message="cannot make sense of `{path}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
An idx file begins with two zeros, the type of its numbers and how many sizes follow; then come the
sizes and the numbers, and nothing else. Pictures are bytes, labels whole numbers. It may be
compressed by gzip, whatever it is called.

What does not have the length that its beginning says was cut off, or is another file: fetch it
again.
""",
)
