"""Edits: `network A = B with { … }` as a network written out, and whom to blame for what is wrong with it.

In: a `Network` and an instance with edits of it. Out: another `tree.Network`, which is resolved, elaborated and
checked like any other, and a `Trace` of what was done. Every node keeps its place, in the network or in the edit.
"""

from __future__ import annotations

from spinedsl.ir.edits.apply import apply
from spinedsl.ir.edits.blame import blame

__all__ = ["apply", "blame"]
