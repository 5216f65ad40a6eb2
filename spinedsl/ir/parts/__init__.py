"""Parts: a network that has other networks as its parts, written out with rows for all of them.

In: a parsed network, and the networks that its parts name. Out: a `tree.Network` of ordinary rows, those of a part
called `n1.P4`, and a `tree.Frame` for each part. Every row keeps its place in the text of the network that it is of.
All stages after this see rows, and ask a frame for the settings of a part.
"""

from __future__ import annotations

from spinedsl.ir.parts.interface import Interface, interface_of, is_part
from spinedsl.ir.parts.write import connected, write_out

__all__ = ["Interface", "connected", "interface_of", "is_part", "write_out"]
