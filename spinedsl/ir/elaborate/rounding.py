"""How a network rounds its widths: `rules { channels multiple(8) }`.

In: the values of a network's settings. Out: the multiple, 1 where widths are rounded down (`channels official`), or
None after a mistake, so that nothing is reported about what follows from it.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.diagnostics import Edit
from spinedsl.ir.expand import in_words
from spinedsl.ir.networks import MULTIPLE, RULES, is_multiple
from spinedsl.ir.scalars import Poison
from spinedsl.ops.primitives import OFFICIAL
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.elaborate.settings import Settings
    from spinedsl.ir.networks import Network

MOST = 1_024
NEAR = Fraction(9, 10)  # of a width stays: what would lose more is rounded up


def rounded(width: Fraction | int, multiple: int) -> Fraction | int:
    """The multiple nearest to a width, half of one upwards; at least one, and no more than a tenth below the width."""
    if multiple == 1 or width <= 0:
        return width
    nearest = max(multiple, floor(Fraction(width) / multiple + Fraction(1, 2)) * multiple)
    return nearest + multiple if nearest < NEAR * width else nearest


def has_rounding(network: Network) -> bool:
    """The network's `rules` say how channels are rounded."""
    return any(item.name.text == "channels" for item in (network.rules.items if network.rules is not None else ()))


def multiple_of(settings: Settings) -> int | None:
    """What the widths of a network are multiples of."""
    rules = settings.network.rules
    for item in rules.items if rules is not None else ():
        if item.name.text == "channels":
            return _given(settings, item)
    misread = any(item.name.text not in RULES and is_multiple(item.low) for item in (rules.items if rules else ()))
    return None if misread or any(MULTIPLE in item.mentions for item in settings.network.broken) else 1


def _given(settings: Settings, item: tree.RuleItem) -> int | None:
    low = item.low
    if item.high is None and isinstance(low, tree.Call) and is_multiple(low):
        by = next((argument.value for argument in low.arguments), None)
        return None if by is None else settings.whole(by, f"`{MULTIPLE}`", 1, MOST)
    value = settings.values.evaluate(low)
    if value == OFFICIAL and item.high is None:
        return 1
    if not isinstance(value, Poison):
        place = low.span if item.high is None else low.span.to(item.high.span)
        got = in_words(value) if item.high is None else "a range"
        expected = f"`{OFFICIAL}` or `{MULTIPLE}(N)`"
        found = say.EXPECTED_VALUE.at(place, what="`channels`", expected=expected, got=got)
        near = value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST else 8
        settings.report(
            found.with_fix(
                f"say what widths are multiples of: `{MULTIPLE}({near})`", Edit(place, f"{MULTIPLE}({near})")
            )
        )
    return None
