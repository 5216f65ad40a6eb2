"""E1109: not a data set."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1109",
    title="not a data set",
    message="`{path}` is no data set: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A data set is a folder with one folder of pictures for each class; a CSV with a first line such as
`path,label`; a folder of persons with a `pairs.txt`; or an idx file of images with one of labels
beside it. Which one it is follows from what stands at the path, unless the configuration says it.
""",
)
