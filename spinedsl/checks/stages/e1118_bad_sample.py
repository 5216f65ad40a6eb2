"""E1118: wrong value from a data set of one's own."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1118",
    title="wrong value from a data set of one's own",
    message="`read({index})` of {whose} gives {got}",
    label="",
    default=Default.ERROR,
    explanation="""\
A data set given from Python is any object with `classes`, `__len__` and `read(index)`. What `read`
gives is looked at each time, since a picture that is cut to whole numbers, or a label that stands for
nothing, would train without a word.

`read` gives two things: pixels as a NumPy array of `uint8`, height x width x 3, or x 1 for grey, of any
size; and the label, a whole number from 0 to below the number of classes. Of pictures with boxes it
is a record with `sides`, `labels`, `crowds` and `areas` instead. Mean and standard deviation are no
business of `read`: [data.preprocessing] has them.
""",
)
