"""E1042: cannot be exported."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1042",
    title="cannot be exported",
    message="network `{network}` cannot be exported to {format}: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
ONNX is written by spinedsl itself, and has every network. The other formats are made by the converters
of their packages, and not every version of those knows every operation. The reason is what the
converter reported.

`--to onnx` always goes; many runtimes read it.
""",
)
