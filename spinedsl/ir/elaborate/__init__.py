"""Elaborate: from a resolved `Network` to a `TypedNetwork`, every definition expanded and every feature map typed.

The rows run in the order of the file. A row with a mistake gives an unknown feature map; rows that read it are unknown
too and nothing more is reported about them. Copies of a part that share their weights get those of the first.
"""

from __future__ import annotations

from spinedsl.diagnostics import Outcome
from spinedsl.ir.elaborate.network import Elaborator
from spinedsl.ir.expand import Work
from spinedsl.ir.networks import Network
from spinedsl.ir.typed import InputSize, TypedNetwork

__all__ = ["Work", "elaborate"]


def elaborate(network: Network, given_size: InputSize | None = None, work: Work | None = None) -> Outcome[TypedNetwork]:
    """The network with every value known.

    Args:
        network: as resolved.
        given_size: replaces the height and width of its input.
        work: what all networks of a file may expand to, together; without it, this network has it for itself.
    """
    if work is None:
        work = Work(len(network.declared.span.source.text))
    elaborator = Elaborator(network, given_size, work)
    typed = elaborator.run()
    return Outcome(typed, tuple(elaborator.context.diagnostics))
