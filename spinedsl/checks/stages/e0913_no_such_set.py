"""E0913: no such set of weights."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0913",
    title="no such set of weights",
    message="`{path}` has no set of tensors `{key}`: it has {known}",
    label="",
    default=Default.ERROR,
    explanation="""\
`--key` names a set of tensors in a checkpoint: the keys that lead to it, joined by dots, as in
`ema.module`. The file has none of that name; the message lists those that it has.

A file that is one set of tensors, such as a state dict or safetensors, has no keys. Of a dump of a
TensorFlow model that has moving averages the sets are called `variables` and `averages`.
""",
)
