"""E1110: picture of two classes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1110",
    title="picture of two classes",
    message="`{path}` is of the class `{second}` here, and of `{first}` in line {line}",
    label="the other class",
    default=Default.ERROR,
    explanation="""\
A list names a picture twice, with two classes. One of the rows is wrong, and nothing says which.

A picture that shows both needs a task with several labels a picture, which classification is not.
""",
)
