"""E0945: a checkpoint of another network."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0945",
    title="a checkpoint of another network",
    message="`{path}` was trained as another network than `{network}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A checkpoint of `spine train` says which output its task is about and how pictures become the network's
input. The network of the file that is named has no such output, or takes other pictures, so it is not
the one that was trained.

Name the file and the network of the training; `--network` chooses among several, and the message of
`spine eval` on the checkpoint begins with the network's name.
""",
)
