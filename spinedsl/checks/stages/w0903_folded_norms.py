"""W0903: norms that were folded."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W0903",
    title="norms that were folded",
    message="`{path}` has {count} in its kernels, which {come} back scaling by 1",
    label="",
    fix="to train on or to compare tensors, take the weights that the model was made with",
    default=Default.WARNING,
    explanation="""\
A model of `-O1` or `-O2` has most batch norms in the kernels beside them. As weights it is read the
other way round: by what it says of its tensors, kernels and biases are told apart again. What a norm
did to a kernel cannot be: it comes back as one that scales by 1 and adds what it did. The network
gives the outputs of the model, up to rounding.

Evaluating, quantising and compiling need no more. Statistics of the norms are not those of the
training any more, so training on from there starts with other ones. A model of `-O0` has every tensor
as it is.
""",
)
