"""E0916: no boxes to find."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0916",
    title="no boxes to find",
    message="network `{network}` cannot be compiled with `--detect`: {reason}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
With `--detect` what is compiled gives boxes, each with a class and a score, instead of the numbers
of the network's heads. What these numbers mean a row of the network says: a task of the kind
`detection`, with the heads of its classes and of its boxes, and perhaps of a quality.

    head fcos: fcos(classes = 80) from P3, P4, P5 channels 128
    task find: detection(classes = 80) classes fcos.scores boxes fcos.boxes quality fcos.centreness

Of several such tasks `--task NAME` chooses one. A PyTorch file gets a method `detect`, so no row of
the network may have this name.
""",
)
