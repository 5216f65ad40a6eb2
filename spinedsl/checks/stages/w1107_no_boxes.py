"""W1107: pictures without boxes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1107",
    title="pictures without boxes",
    message="no boxes in {what} of `{path}`",
    label="",
    default=Default.WARNING,
    explanation="""\
A picture without boxes teaches a detector that there is nothing to be found in it. If that is so, it
is a good example; if nobody has drawn the boxes yet, or their file has another name than the picture,
it teaches the detector to be silent.
""",
)
