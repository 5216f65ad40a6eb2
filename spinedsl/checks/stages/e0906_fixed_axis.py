"""E0906: axis that cannot vary."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0906",
    title="axis that cannot vary",
    message="the {axis} of network `{network}` cannot vary",
    label="the {axis} is fixed here",
    default=Default.ERROR,
    explanation="""\
With `--dynamic height,width` the ONNX model takes images of any size. But what a definition
computes from `x.height` or `x.width` is fixed when the network is compiled, so the model would fit
the one size alone, and give wrong results for others without a word.

It happens where `rules { sizes fixed }` stands, and where a definition reads the size, as in
`average_pool(x, kernel = x.height)`. Where another operation does the same without it, such as
`global_average_pool(x)`, use that; else leave the axis out of `--dynamic` and compile one model for
each size with `--input`.
""",
)
