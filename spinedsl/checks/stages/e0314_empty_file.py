"""E0314: empty file."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0314",
    title="empty file",
    message="this file has no network and no definition",
    label="expected `network NAME {{ … }}`",
    fix="begin with `spine new`, or an example",
    default=Default.ERROR,
    explanation="""\
A file defines at least one network, or something that other files can import. This one is empty, or
has comments and imports only. `spine new net.spine` writes a small network to begin with.
""",
    wrong="""\
spine 1

# The network will stand here.
""",
    right="""\
spine 1

# A definition is enough: other files can import it.
def f(x) { return relu(x) }
""",
)
