"""E1105: unknown class."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1105",
    title="unknown class",
    message="there is no class `{name}`{where}",
    label="{known}",
    default=Default.ERROR,
    explanation="""\
The classes are known: from the configuration, or from the training images. A label that is none of
them would be an output that the network does not have, so that no prediction could ever be right.

It happens with `Cat` beside `cat`, with a folder that was added to the validation images alone, and
with labels that count from 1.
""",
)
