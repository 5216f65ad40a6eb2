"""E0232: name of two networks."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0232",
    title="name of two networks",
    message="`{name}` names two networks",
    label="which of them cannot be told",
    fix="give one of them another name, say `{other}`",
    default=Default.ERROR,
    explanation="""\
An instance, `network A = Net with { … }`, may be made of a network of its own file or of a file that it imports. Where
two of these have a network `Net`, nothing tells which is meant: no file comes before another, and a file's own network
does not hide an imported one.

The name is only a mistake where an instance uses it. Give one of the networks another name, or import only one of the
files.
""",
)
