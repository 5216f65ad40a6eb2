"""What the rules of a network say: `inputs 1..3`, `sizes fixed`, `channels multiple(8)`, by their names alone.

In: an entry of `rules`. Out: what is wrong with it is reported.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Edit, nearest, one_of
from spinedsl.ir.networks import MULTIPLE, RULES, is_multiple
from spinedsl.ir.resolve.names import Names
from spinedsl.ops.primitives import OFFICIAL, SIZES
from spinedsl.syntax import tree

EXPECTED = {
    "inputs": "a number or a range",
    "sizes": one_of(SIZES),
    "outputs": "`any`",
    "channels": f"`{OFFICIAL}` or `{MULTIPLE}(N)`",
}
WORDS = {"sizes": SIZES, "outputs": ("any",), "channels": (OFFICIAL,)}  # of rules that take words


def check_rule(names: Names, item: tree.RuleItem) -> None:
    """An entry and all that it names."""
    if isinstance(item.low, tree.Call) and (item.name.text == "channels" or is_multiple(item.low)):
        _rounding(names, item, item.low, known=item.name.text in RULES)
    else:
        _value(names, item)
    if item.high is not None:
        names.check(item.high)


def _value(names: Names, item: tree.RuleItem) -> None:
    """Where a rule takes words, one that is unknown was to be one of those, and no `let` makes it one."""
    before, rule, value = len(names.diagnostics), item.name.text, item.low
    names.check(value)
    if rule not in WORDS or not isinstance(value, tree.Ident) or len(names.diagnostics) == before:
        return
    found = say.UNKNOWN_NAME.at(value.span, kind="value", name=value.name, where=f"for `{rule}`")
    found = found.with_notes(f"`{rule}` expects {EXPECTED[rule]}")
    near = nearest(value.name, WORDS[rule])
    found = found.with_rename(value.span, near) if near is not None else found.with_fix(f"say {EXPECTED[rule]}")
    names.diagnostics[before:] = [found]


def _rounding(names: Names, item: tree.RuleItem, call: tree.Call, *, known: bool) -> None:
    """`multiple(8)`, which is what `channels` may be and nothing else."""
    if known and item.name.text != "channels":
        found = say.EXPECTED_VALUE.at(
            call.span, what=f"`{item.name.text}`", expected=EXPECTED[item.name.text], got=f"`{MULTIPLE}(…)`"
        )
        found = found.with_fix(f"say it of the channels: `channels {call.span.text}`", Edit(item.name.span, "channels"))
    elif not is_multiple(call):
        found = say.EXPECTED_VALUE.at(
            call.span, what="`channels`", expected=EXPECTED["channels"], got=f"a call of `{call.callee.text}`"
        )
        found = found.with_fix(f"say what widths are multiples of: `{MULTIPLE}(8)`", Edit(call.callee.span, MULTIPLE))
    else:
        for argument in call.arguments:
            names.check(argument.value)
        names.at(call.span).arguments(call.callee, call.arguments, call.span, ["by"], ["by"], None)
        return
    names.diagnostics.append(found)
