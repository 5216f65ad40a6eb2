"""What is reported where a shape rule refuses: the words of the rule, with the places and a way to repair it.

In: a `Problem`, the types that came in, the attributes and the place. Out: a diagnostic.
"""

from __future__ import annotations

from math import gcd
from typing import cast

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic
from spinedsl.ir.expand.context import Context
from spinedsl.ops.primitives import UNCUT, Problem
from spinedsl.ops.rules import along
from spinedsl.ops.types import Attr, Type, Value, by
from spinedsl.source import Span

UNDO = "undo what was put around it by `crop`, or what was cut off by `pad`"


def misfit(role: str, problem: Problem, types_: list[Type], attributes: dict[str, Attr], span: Span) -> Diagnostic:
    """Why an operation, called by the name `role`, cannot take what it is given."""
    if problem.culprit is not None:
        return _of_another_kind(role, problem.culprit, span)
    x, stride = types_[0] if types_ else None, attributes["stride"].value if "stride" in attributes else 1
    if x is not None and problem.size is not None and problem.otherwise is not None:
        got, sizes, moved = by(problem.size), _whole(x), (along(stride, 0), along(stride, 1))
        expected = by(tuple(size // cast(int, step) for size, step in zip(sizes, moved, strict=True)))
        where = problem.otherwise.where
        found = say.SIZE_NOT_KEPT.at(span, operation=role, before=x.size, after=got, level=where, expected=expected)
        return found.with_notes(f"it has {problem.text}").with_fix("let it keep the size: `padding = same`")
    got = " and ".join(str(type_) for type_ in types_)
    role = {"add": "+", "multiply": "*", "divide": "/"}.get(role, role)
    found = say.SHAPE.at(span, operation=role, problem=problem.text, label=f"got {got}")
    hint = problem.fix or hint_for(types_, attributes)
    return found.with_fix(hint) if hint else found


def level_after(x: Type, stride: Value) -> int | None:
    """The level that a stride leads to, of the larger of two; None where there is none, or it is no power of two."""
    if x.is_vector or x.is_pooled or x.over:
        return None
    strides = [step * cast(int, along(stride, axis)) for axis, step in enumerate(x.strides)]
    if any(step & (step - 1) for step in strides):
        return None
    return max(strides).bit_length() - 1


def divides(x: Type, stride: Value) -> bool:
    """The stride divides the size that the level of `x` has."""
    return all(size % cast(int, along(stride, axis)) == 0 for axis, size in enumerate(_whole(x)))


def _whole(x: Type) -> tuple[int, int]:
    """Height and width without what was put around."""
    return x.height - x.extra[0], x.width - x.extra[1]


def _of_another_kind(role: str, x: Type, span: Span) -> Diagnostic:
    """A map where a vector is needed, or the other way round, or channels that are laid out along axes."""
    if x.axes:
        got = f"a {'vector' if x.is_vector else 'feature map'} of {x}"
        found = say.WRONG_RANK.at(span, operation=role, expected="channels in one row", got=got)
        return found.with_fix(f"put them back in one row first: `reshape(x, {x.channels})`")
    if x.is_vector:
        found = say.WRONG_RANK.at(span, operation=role, expected="feature maps", got=f"a vector of {x.channels}")
        if role == "conv":
            return found.with_fix("take `linear`")
        linear = "of a 1x1 map, `conv(…, kernel = 1, bias = true)` does what `linear` does of a vector"
        return found.with_fix(f"apply it before the map is flattened; {linear}")
    if role == "reshape":
        found = say.WRONG_RANK.at(span, operation=role, expected="vectors `like` a map", got=f"a feature map of {x}")
        return found.with_fix("take `like` away: what `reshape` makes of a map has its size")
    found = say.WRONG_RANK.at(span, operation=role, expected="vectors", got=f"a feature map of {x}")
    return found.with_fix(f"flatten it: `{role}(flatten(global_average_pool(x)), …)`")


def hint_for(types_: list[Type], attributes: dict[str, Attr]) -> str:
    """How feature maps that do not fit could be made to."""
    groups, stride = (attributes[name].value if name in attributes else 1 for name in ("groups", "stride"))
    if isinstance(stride, tuple) and any(side & (side - 1) for side in cast("tuple[int, int]", stride)):
        return "take 1, 2, 4 or another power of two for each side"
    if any(isinstance(type_.stride, tuple) and not type_.over for type_ in types_):
        return "let another stride make both sides equal first, as `[1, 2]`, or `resize` the map"
    if any(type_.stride and not type_.over for type_ in types_):
        return "bring the map between levels to a level first, by `resize`"
    if len({type_.level for type_ in types_ if type_.level is not None}) > 1:
        return "bring them to one level first, by a stride or by `upsample`"
    if len({type_.channels for type_ in types_}) > 1:
        return "bring them to the same channels first, as by `conv(…, kernel = 1)`, or `concat` them"
    if "levels" in attributes and types_[0].level is not None:
        return f"at most `levels = {types_[0].level}`"
    if isinstance(stride, int) and stride & (stride - 1):
        return f"a stride of {1 << (stride.bit_length() - 1)} or {1 << stride.bit_length()}"
    if isinstance(groups, int) and groups > 1:
        channels = types_[0].channels
        out = attributes["channels"].value if "channels" in attributes else channels
        common = gcd(channels, out) if isinstance(out, int) else channels
        near = min((n for n in range(1, common + 1) if common % n == 0), key=lambda n: abs(n - groups))
        return f"the nearest that divides is `groups = {near}`"
    return ""


def beyond_any_size(primitive: str, types_: list[Type], context: Context) -> Problem | None:
    """Why an operation cannot stand in a network of any size, where its result would not have a level's size."""
    if primitive in UNCUT and types_[0].extra != (0, 0):
        if context.one_size:
            return Problem(f"{types_[0].size}, which is not the size of its level", fix="take `resize(x, like = …)`")
        return Problem(f"in a network of any size, {types_[0].size}", fix=UNDO)
    if primitive != "pixel_unshuffle":
        return None
    fix = "a convolution whose kernel is its stride does the same, and rounds the size up"
    return Problem("in a network of any size, whose maps need not divide", fix=fix)
