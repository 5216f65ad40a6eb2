"""What to do about a value of another kind than its place needs: the words, and where it is sure, the edit."""

from __future__ import annotations

from spinedsl.diagnostics import Edit, Fix
from spinedsl.ir.expand.values import MAPS, Held
from spinedsl.ir.scalars import is_number
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Many
from spinedsl.syntax import tree

IN_A_LIST = "feature maps"


def advice(expected: str, expr: tree.Expr, got: object) -> Fix | None:
    """How to make of `expr`, which is `got`, what is `expected`; None where nothing is likely."""
    text = expr.span.text
    takes_map, takes_list, takes_flag = (word in expected for word in ("feature map", "list", "`true`"))
    if "list of numbers" in expected:
        return _numbers(expected, text, got)
    if isinstance(got, Held):
        return Fix(f"give `{text}` a number, or call it, as in `{text}(x)`")
    if isinstance(got, MAPS):
        return _map(text, expr, is_list=takes_list, is_flag=takes_flag)
    if isinstance(got, Many):
        if not takes_map:
            return None
        grow = "; a list grows by another list, as in `l + [x]`" if "number or" in expected else ""
        return Fix(f"make one map of them first, by `sum` or `concat`{grow}")
    if isinstance(got, str) and got in PRIMITIVES:
        return Fix(f"apply it to a feature map, as in `{got}(x)`") if takes_map else None
    if isinstance(got, bool) and not takes_flag:
        return Fix(f"choose between two values by it, as in `2 if {text} else 1`")
    if is_number(got) and takes_flag:
        return Fix(f"compare it, as in `{text} > 0`", (Edit(expr.span, f"{text} > 0"),))
    if is_number(got) and takes_list:
        return Fix("a list is written `[a, b]`")
    if is_number(got) and expected == IN_A_LIST:
        return Fix("a list has feature maps or numbers, not both")
    if is_number(got) and expected == "a feature map":
        return Fix("feature maps come first, as in `conv(x, …)`")
    return None


def _map(text: str, expr: tree.Expr, *, is_list: bool, is_flag: bool) -> Fix:
    """The same of a feature map where a list, a flag or a number is expected."""
    if is_list:
        return Fix(f"`[{text}]` is a list of one", (Edit(expr.span, f"[{text}]"),))
    if is_flag:
        return Fix(f"compare a number of it, as in `{text}.channels > 64`")
    return Fix(f"read a number of it, as in `{text}.channels`")


def _numbers(expected: str, text: str, got: object) -> Fix | None:
    """The same where a list of numbers would do."""
    if isinstance(got, MAPS) and "a number" in expected:
        return Fix(f"read a number of it, as in `{text}.channels`")
    if is_number(got):
        return Fix("a list of numbers is written `[1, 2]`; `repeat i in n` counts from 0")
    return Fix("a list has feature maps or numbers, not both")
