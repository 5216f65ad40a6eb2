"""E0233: value that nothing reads."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0233",
    title="value that nothing reads",
    message="`{name}` of {where} is never read",
    label="{why}",
    default=Default.ERROR,
    explanation="""\
What is given has to be read by somebody. A call that says `init = zeros` and the variance of what is
drawn, or the starting value of a bias that it does not have, says something that cannot happen; so does
an entry of `defaults` for what every call says by itself, such as the `kernel` of a convolution, and one
that sets nothing. Mostly it is half of what was meant: `bias = true`, or `act relu`. Where the other half is
computed, or is what the network's `defaults` say, nothing is reported: another use may read it.
""",
    wrong="""\
spine 1

def scores(x) {
    return conv(x, 36, kernel = 3, bias_init = -4.6)
}

network Net {
    input image: 3 x 64 x 64
    stem s: enter
    head h: all from s
}

stem_type enter(image) {
    return scores(image)
}

head_type all(maps) {
    return first(maps)
}
""",
    right="""\
spine 1

def scores(x) {
    return conv(x, 36, kernel = 3, bias = true, bias_init = -4.6)
}

network Net {
    input image: 3 x 64 x 64
    stem s: enter
    head h: all from s
}

stem_type enter(image) {
    return scores(image)
}

head_type all(maps) {
    return first(maps)
}
""",
)
