"""E0109: letter of another script."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0109",
    title="letter of another script",
    message="{character} looks like `{like}` but is another character",
    label="names are ASCII letters, digits and `_`",
    fix="write the ASCII `{like}`",
    default=Default.ERROR,
    explanation="""\
Some letters of other alphabets look just like ASCII ones: here a Cyrillic letter stands for the
Latin `c`. Two names could then look the same and be different, and nobody could see why one of them
is not found. So names take ASCII letters only. Such letters come with copied text. The example
shows the letter by its number, as your editor may not.
""",
    wrong="""\
spine 1

def f(x) {
    let s\\u{441}ale = relu(x)
    return x
}
""",
    right="""\
spine 1

def f(x) {
    let scale = relu(x)
    return x
}
""",
)
