"""Compare two networks: what changed, in the network's own terms, and what it breaks.

`compare` gives a `Difference`: changes row by row, costs before and after, and a `Tier` with its reasons, all read off
the two programs, never off their text. `derive` says the same as edits, `breaking` compares all networks of two files.
`words` and `machine` write it down.
"""

from spinedsl.compare.breaking import NotCompared, Verdict, breaking, networks_in, not_compared
from spinedsl.compare.compare import compare
from spinedsl.compare.derive import derive, out_of_reach
from spinedsl.compare.model import Change, Difference, Reason, Tier
from spinedsl.compare.side import Side, side, side_of

__all__ = [
    "Change",
    "Difference",
    "NotCompared",
    "Reason",
    "Side",
    "Tier",
    "Verdict",
    "breaking",
    "compare",
    "derive",
    "networks_in",
    "not_compared",
    "out_of_reach",
    "side",
    "side_of",
]
