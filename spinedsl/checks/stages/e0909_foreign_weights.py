"""E0909: weights that cannot be told apart."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0909",
    title="weights that cannot be told apart",
    message="cannot tell which tensor of `{path}` is which in network `{network}`: {reason}",
    label="",
    fix="names are known of {known}, and canonical ones; `spine weights show` lists both",
    default=Default.ERROR,
    explanation="""\
Other codes name their variables by the order in which they are built, so a file is converted only
if every part of the network has as many layers in it as there: one too few, and all that follow
would be shifted by one without a wrong shape anywhere. The notes say where the counts differ.

Usually it is another network: other repeats, other outputs, a ResNet. Dump the backbone alone, and
name the network that it is with `--network`. Names of codes that spine does not know are refused
rather than guessed: rename the tensors to the canonical names, which `spine weights show net.spine`
lists.
""",
)
