"""E0601: file too large."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0601",
    title="file too large",
    message="a file has at most {limit} characters",
    label="in this file",
    default=Default.ERROR,
    explanation="""\
A file has at most four million characters, more than a thousand times what a SpineNet takes. Beyond
that it is no file of this language but something else with its ending, or the output of a program
that did not stop, and reading it would only take time and memory.

It happens where a program writes out every copy of a row or of a network. `repeat 3` on a row,
`repeat n { … }` in a definition and instances such as `network B = A(width = 2)` say the same in a
few lines.
""",
)
