"""What a notebook shows of a program: its figure, and what it costs.

In: a program. Out: SVG, or HTML with the same figure and a line of numbers below it. A notebook prints the `repr` of a
network that is so large that nobody would wait for the figure.
"""

from __future__ import annotations

import base64
from html import escape

from spinedsl.ops import program as ops
from spinedsl.record import values

MOST_ROWS = 200  # of a figure that is drawn without being asked for


class Program(ops.Program, eq=False):
    """A network that can run: `rows` in running order, `outputs` by name. A notebook shows its figure."""

    @staticmethod
    def of(program: ops.Program) -> Program:
        """The same program."""
        return Program(*values(program))  # type: ignore[arg-type]

    def _repr_svg_(self) -> str | None:
        if len(self.rows) > MOST_ROWS:
            return None
        from spinedsl.draw import lay_out, to_svg  # noqa: PLC0415  only a notebook needs it

        return to_svg(lay_out(self))

    def _repr_html_(self) -> str | None:
        svg = self._repr_svg_()
        if svg is None:
            return None
        # An image keeps the styles of the figure out of the page.
        data = base64.b64encode(svg.encode()).decode()
        return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(self.name)}"><p>{escape(_figures(self))}</p>'


def _figures(program: ops.Program) -> str:
    """What it costs, in a line."""
    from spinedsl.analysis import costs  # noqa: PLC0415  only a notebook needs it
    from spinedsl.ops.graph import flatten  # noqa: PLC0415

    found = costs(flatten(program))
    image = " x ".join(map(str, program.input_type.shape))
    return f"{program.name}: {found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds at {image}"
