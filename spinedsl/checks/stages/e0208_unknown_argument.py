"""E0208: unknown argument."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0208",
    title="unknown argument",
    message="`{callee}` has no parameter `{name}`",
    label="it takes {known}",
    default=Default.ERROR,
    explanation="""\
The definition, primitive or network has no parameter of this name; the message lists those it has.
Nothing unknown is passed on or ignored: an argument that is dropped silently is a network other
than the one you meant. The primitives do not use PyTorch's names: it is `kernel`, not
`kernel_size`, and `epsilon`, not `eps`.
""",
    wrong="""\
spine 1

def f(x) {
    return conv(x, 64, kernel_size = 3)
}
""",
    right="""\
spine 1

def f(x) {
    return conv(x, 64, kernel = 3)
}
""",
)
