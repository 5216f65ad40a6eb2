"""Evaluate calls of operations: arguments are sorted, and the primitive's shape rule has the last word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import repeat
from typing import cast

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, nearest, one_of
from spinedsl.ir.arguments import argument_twice, taken_away
from spinedsl.ir.expand.attributes import check_value
from spinedsl.ir.expand.body import Sites
from spinedsl.ir.expand.functions import Functions
from spinedsl.ir.expand.misfits import beyond_any_size, divides, level_after, misfit
from spinedsl.ir.expand.notation import OPAQUE
from spinedsl.ir.expand.plan import Plan, plan_of
from spinedsl.ir.expand.values import MAPS, Block, FeatureMap, Result
from spinedsl.ir.scalars import POISON, Poison
from spinedsl.ops.primitives import PRIMITIVES, ROLES, UNCUT, Attribute, Primitive, Problem
from spinedsl.ops.program import Many, Op, Operand, flat
from spinedsl.ops.rules import oblong, of_one_size, size_not_kept, stands_at, uneven_stride
from spinedsl.ops.types import Attr, Expr, Literal, Operation, Type, Value, by
from spinedsl.record import replace
from spinedsl.source import Span
from spinedsl.syntax import tree

DEFAULT_FOR = {"act": "act relu", "norm": "norm batch_norm(momentum = 0.99, epsilon = 1e-3)"}
_ATTRIBUTES = {name: {a.name: a for a in primitive.attributes} for name, primitive in PRIMITIVES.items()}


class Operations(Functions):
    """An evaluator that knows the operations of the language, and the roles that one fills."""

    empty = Many("", ())

    @cached_property
    def plan(self) -> Plan:
        """Where the parameters of each call are."""
        return plan_of(self.defined)

    @property
    def sites(self) -> Sites:
        """Which statement binds what each name means."""
        return self.plan.sites

    def list_function(self, expr: tree.Call) -> Result:
        """`sum`, `first`, `last`, `rest` or `len` of a list of feature maps, or of numbers."""
        name, place = expr.callee.text, expr.arguments[0].value
        items = self.evaluate(place)
        if isinstance(items, Poison):
            return POISON
        if isinstance(items, tuple) or (name == "len" and isinstance(items, Many)):
            return self.of_numbers(expr, place, items) if isinstance(items, tuple) else len(items.items)
        if not isinstance(items, Many) or not items.items:
            empty = "an empty list" if isinstance(items, Many) else items
            return self.wrong(f"`{name}`", "a list of one or more feature maps", place, empty)
        if name == "rest":
            return rest(items) if self.context.spend(expr.span, len(items.items)) else POISON
        if name in ("first", "last"):
            item = items.items[0 if name == "first" else -1]
            assert isinstance(item, MAPS)
            return item
        return self.apply("add", "sum", (items,), {}, expr.span, (), shared=False)

    def call_primitive(self, expr: tree.Call, name: str) -> Result:
        """A primitive by its own name, by a role of the network's `defaults`, or held by a parameter."""
        prepared = self.context.prepared(name)
        if prepared is None:
            if name in ROLES:  # else it is a definition whose head could not be read
                self.report_no_default(expr.callee)
            return POISON
        primitive, preset, complete = prepared
        role = expr.callee.text
        if complete is not None and len(expr.arguments) == 1 and primitive.most == 1 and primitive.name not in UNCUT:
            # Most calls are `norm(x)` and `act(x)`, with nothing to bind but `x`.
            x = self.evaluate(expr.arguments[0].value)
            if isinstance(x, MAPS) and expr.arguments[0].name is None:
                path = self.plan.paths.get(id(expr), (role,))
                return self.apply(primitive.name, role, (x,), complete, expr.span, path, shared=expr.shared)
        attributes = dict(preset)
        inputs: list[Operand | Block] = []
        if not self.bind_arguments(expr, primitive, inputs, attributes):
            return POISON
        bound = {attribute: value for attribute, value in attributes.items() if value is not None}
        if len(bound) < len(attributes):
            attribute = next(name for name in attributes if name not in bound)
            found = say.MISSING_ARGUMENT.at(expr.span, callee=role, name=attribute)
            example = f"{primitive.name}({attribute} = …)"
            where = f"in the network: `defaults {{ {role} {example} }}`" if role in ROLES else f"as in `{example}`"
            self.report(found.with_fix(f"say it {where}"))
            return POISON
        path = self.plan.paths.get(id(expr), (role,))
        maps = tuple(value for value in inputs if not isinstance(value, Block))
        name, level = primitive.name, self.level_of_size(primitive, inputs)
        if level is not None:
            name, maps, bound = "resize_to_level", maps[:1], {"level": Attr(level, OPAQUE), **bound}
        result = self.apply(name, role, maps, bound, expr.span, path, shared=expr.shared)
        if self.context.any_size and name in UNCUT and isinstance(result, Op):
            level = result.type.level
            assert level is not None
            return self.apply(
                "crop_to_level", role, (result,), {"level": Attr(level, OPAQUE)}, expr.span, (), shared=False
            )
        return result

    def level_of_size(self, primitive: Primitive, inputs: list[Operand | Block]) -> int | None:
        """The level whose size a `resize` gives: a block's, and where sizes are rounded up also that of a map."""
        like = inputs[-1] if primitive.name == "resize" else None
        if isinstance(like, Block):
            return like.level
        if not self.context.any_size or not isinstance(like, MAPS) or like.type.extra != (0, 0):
            return None
        return like.type.level

    def report_no_default(self, callee: tree.Name) -> None:
        """A role is used that the network's `defaults` do not fill: reported once for the network."""
        role = callee.text
        found = say.NO_DEFAULT.at(callee.span, role=role, network=self.context.network.name)
        self.context.report(
            found.repaired(entry=DEFAULT_FOR[role]),
            once=f"no default for {role}",
        )

    def bind_arguments(
        self,
        expr: tree.Call,
        primitive: Primitive,
        inputs: list[Operand | Block],
        attributes: dict[str, Attr | None],
    ) -> bool:
        """Sort arguments into `inputs` (feature maps come first) and `attributes`; false after a mistake.

        What a `resize` is to be like may be a block.
        """
        sound, unknown = True, 0
        known = _ATTRIBUTES[primitive.name]
        in_turn: Iterator[Attribute] = _in_turn(primitive)
        takes_list = primitive.most is None
        by_name: dict[str, Operand | Block] = {}
        given: dict[str, tree.Argument] = {}
        for argument in expr.arguments:
            name = argument.name.text if argument.name is not None else ""
            word = word_of(known.get(name), argument.value)
            value = self.evaluate(argument.value) if word is None else word
            in_order = not name and not takes_list and len(inputs) + unknown < primitive.least
            slot = primitive.inputs[len(inputs) + unknown] if in_order else name
            if slot and given.setdefault(slot, argument) is not argument:
                self.report(argument_twice(expr.callee, expr.arguments, argument, given[slot].span, slot))
                return False
            if isinstance(value, Poison):
                sound = False
                unknown += not name  # it keeps its place among the feature maps
            elif in_order or name in primitive.inputs or (takes_list and not name):
                like = primitive.name == "resize" and isinstance(value, Block) and (name == "like" or len(inputs) == 1)
                if not isinstance(value, MAPS) and not (takes_list and isinstance(value, Many)) and not like:
                    self.wrong(f"`{expr.callee.text}`", "a feature map", argument.value, value)
                    sound = False
                    unknown += not name
                    continue
                assert isinstance(value, (*MAPS, Many, Block))
                if name:
                    by_name[name] = value
                else:
                    inputs.append(value)
            elif (attribute := known.get(name) if name else next(in_turn, None)) is not None:
                if not attribute.many and given.setdefault(attribute.name, argument) is not argument:
                    first = given[attribute.name].span
                    self.report(argument_twice(expr.callee, expr.arguments, argument, first, attribute.name))
                    return False
                sound = self.bind_attribute(expr, attribute, argument, value, attributes) and sound
            elif argument.name is not None:
                self.report(unknown_attribute(expr.callee.text, argument.name, primitive.name, list(known)))
                sound = False
            else:
                most = f"{primitive.least + len(known)} arguments"
                found = say.TOO_MANY_ARGUMENTS
                got = len(expr.arguments)
                self.report(found.at(argument.span, callee=expr.callee.text, most=most, got=got))
                return False
        inputs += [by_name[name] for name in primitive.inputs if name in by_name]
        if sound and (len(inputs) < primitive.least or (takes_list and all(_is_empty(value) for value in inputs))):
            self.report(say.MISSING_ARGUMENT.at(expr.span, callee=expr.callee.text, name="x"))
            return False
        return sound and self.all_read(expr, primitive, given, attributes)

    def all_read(
        self,
        expr: tree.Call,
        primitive: Primitive,
        given: Mapping[str, tree.Argument],
        attributes: Mapping[str, Attr | None],
    ) -> bool:
        """No attribute is given that the call itself leaves without a meaning: false with the reason reported.

        Where that depends on a value that is computed, or on what the network's `defaults` say, it is meant.
        """
        known = _ATTRIBUTES[primitive.name]
        for name, argument in given.items():
            values = {other: attr.value for other, attr in attributes.items() if attr is not None}
            preset = self.context.attributes.get(primitive.name, {})
            for idle in known[name].idle if name in known else ():
                free = any(
                    not self.is_literal(given[other].value) if other in given else other in preset
                    for other in idle.others
                )
                if free or not idle.holds(values):
                    continue
                found = say.NOT_READ.at(argument.span, name=name, where=f"this `{expr.callee.text}`", why=idle.why)
                away = taken_away(expr.arguments, argument)
                self.report(found.with_fix(f"{idle.fix}, or take it away", away))
                return False
        return True

    def is_literal(self, expr: tree.Expr) -> bool:
        """The text alone tells the value."""
        if isinstance(expr, tree.Unary):
            return self.is_literal(expr.operand)
        return isinstance(expr, tree.Number | tree.Flag) or (isinstance(expr, tree.Ident) and expr.name not in self.env)

    def bind_attribute(
        self,
        expr: tree.Call,
        attribute: Attribute,
        argument: tree.Argument,
        value: Result,
        attributes: dict[str, Attr | None],
    ) -> bool:
        """Hold one attribute's value against its kind; of one that holds many, it is the next."""
        place = argument.value
        checked = check_value(attribute, value, place.span, f"`{attribute.name}` of `{expr.callee.text}`")
        if isinstance(checked, Diagnostic):
            self.report(checked)
            return False
        written = Attr(checked, self.notation(place) if word_of(attribute, place) is None else Literal(checked))
        attributes[attribute.name] = _one_more(attributes[attribute.name], written) if attribute.many else written
        return True

    def apply(
        self,
        primitive: str,
        role: str,
        inputs: tuple[Operand, ...],
        attributes: dict[str, Attr],
        span: Span,
        path: tuple[str, ...],
        *,
        shared: bool,
    ) -> Op | Poison:
        """Apply a primitive whose attributes are all known. A sum takes its list two by two."""
        row = PRIMITIVES[primitive]
        operands = flat(inputs)
        if not self.context.spend(span, 1 + len(operands)):
            return POISON
        types_ = [operand.type for operand in operands]
        if row.sized:
            assert self.context.input is not None
            types_.append(self.context.input)
        values = {name: attr.value for name, attr in attributes.items()}
        if "stride" in values and not self.fits_sizes(role, primitive, types_[0], attributes, values, span):
            return POISON
        beyond = beyond_any_size(primitive, types_, self.context) if self.context.any_size else None
        if beyond is not None and not self.context.sizes_known:
            return POISON
        result = beyond or self.shape(row, types_, values)
        if isinstance(result, Problem):
            self.misfit(role, result, types_, attributes, span, goes_up=primitive != "conv_transpose")
            return POISON
        if row.fixes_size is not None and any(x.level is not None or x.stride for x in types_[row.fixes_size :][:1]):
            for axis in ("height", "width"):
                self.context.static_axes.setdefault(axis, self.loc(span))
        level = result.level if result.level is not None or not result.stride else level_after(result, 1)
        if level is not None and level > self.context.deepest:
            self.context.deepest = level
        channels = channels_of_result(primitive, operands, attributes, result)
        return Op(primitive, role, inputs, attributes, path, shared, result, channels, self.loc(span))

    def shape(self, row: Primitive, types_: list[Type], values: dict[str, Value]) -> Type | Problem:
        """What comes out of a primitive, or why nothing can."""
        if row.name == "add" and len(types_) != 2:
            result: Type | Problem = types_[0]
            for other in types_[1:]:
                if isinstance(result, Type):
                    result = row.shape([result, other], values)
            return result
        result = row.shape(types_, values)
        return of_one_size(result) if self.context.one_size else result

    def fits_sizes(
        self, role: str, primitive: str, x: Type, attributes: dict[str, Attr], values: dict[str, Value], span: Span
    ) -> bool:
        """A window fits every size that the network takes: false with the reason reported."""
        stride = values["stride"]
        if self.context.one_size:
            return True
        if self.context.any_size and self.context.sizes_known and stride != 1 and oblong(values):
            if isinstance(stride, tuple):
                problem = Problem(f"in a network of any size, a stride of {by(stride)}", fix="take one for both sides")
            else:
                problem = Problem(
                    "in a network of any size, a kernel that is no square with a stride",
                    fix="let the kernel be a square, or follow it by a pool of that stride",
                )
            self.report(misfit(role, problem, [x], attributes, span))
            return False
        if primitive == "conv_transpose":
            return True
        if not self.context.any_size:
            uneven = uneven_stride(values)
            if uneven is not None:
                self.misfit(role, uneven, [x], attributes, span)
            return uneven is None
        sizes = () if x.is_pooled else enumerate(x.extra)
        example = next(filter(None, (size_not_kept(values, extra, axis) for axis, extra in sizes)), None)
        if example is None:
            return True
        if not self.context.sizes_known:
            return False
        if self.divides_this_size(x, values):
            for axis in ("height", "width"):
                self.context.static_axes.setdefault(axis, self.loc(span))
            return True
        before, after, expected = (f"{size}x{size}" for size in example)
        (lines, columns), more = x.strides, cast(int, stride)
        level, between = stands_at(lines * more, columns * more)
        where = replace(x, level=level, stride=between).where
        found = say.SIZE_NOT_KEPT.at(
            span, operation=role, before=before, after=after, level=where, expected=expected
        ).with_notes(f"network `{self.context.network.name}` takes any size, and rounds it up level by level")
        self.report(found.with_fix("let it fit every size: `padding = same`"))
        return False

    def divides_this_size(self, x: Type, values: Mapping[str, Value]) -> bool:
        """Windows side by side that the map is cut into without a rest, in a definition that has read its size.

        `average_pool(x, kernel = k, stride = k, padding = 0)` with `k = x.height / 3`: three cells a side. Neither side
        can be another from then on.
        """
        kernel, stride = values["kernel"], values["stride"]
        if not self.context.static_axes or kernel != stride or values.get("padding") != 0 or x.extra != (0, 0):
            return False
        return isinstance(stride, int) and x.height % stride == 0 and x.width % stride == 0

    def misfit(
        self,
        role: str,
        problem: Problem,
        types_: list[Type],
        attributes: dict[str, Attr],
        span: Span,
        *,
        goes_up: bool = True,
    ) -> None:
        """Say why a shape rule refused. A stride that goes up the levels may not divide the size."""
        stride = attributes["stride"].value if goes_up and "stride" in attributes else 1
        level = level_after(types_[0], stride) if types_ and problem.culprit is None else None
        if level is not None and not self.context.any_size and not divides(types_[0], stride):
            # The size of the input is to blame, which a check tells from the deepest level.
            self.context.deepest = max(self.context.deepest, level)
            return
        self.report(misfit(role, problem, types_, attributes, span))


def word_of(attribute: Attribute | None, expr: tree.Expr) -> str | None:
    """A choice of an attribute that means itself where the attribute is given, whatever else has its name."""
    if attribute is None or not attribute.yields or not isinstance(expr, tree.Ident):
        return None
    return expr.name if expr.name in attribute.choices else None


def rest(items: Many) -> Many:
    """A list without its first item."""
    return Many(items.name, items.items[1:], items.start + 1)


def _in_turn(primitive: Primitive) -> Iterator[Attribute]:
    """The attributes that arguments without a name are for."""
    for attribute in primitive.attributes:
        yield from repeat(attribute) if attribute.many else (attribute,)


def _one_more(before: Attr | None, last: Attr) -> Attr:
    """A tuple of values, and of what they were written as, with one more. What `defaults` say is not written here."""
    if before is None or not isinstance(before.value, tuple) or not isinstance(before.expr, Operation):
        return Attr((last.value,), Operation("()", (last.expr,)))
    return Attr((*before.value, last.value), Operation("()", (*before.expr.operands, last.expr)))


def _is_empty(value: Operand | Block) -> bool:
    return isinstance(value, Many) and not value.items


def unknown_attribute(callee: str, name: tree.Name, primitive: str, known: list[str]) -> Diagnostic:
    """An attribute that the primitive, which is only known now, does not have."""
    found = say.UNKNOWN_ARGUMENT.at(
        name.span, callee=callee, name=name.text, known=one_of(known, conjunction="and") if known else "nothing by name"
    )
    if callee != primitive:
        found = found.with_notes(f"`{callee}` is `{primitive}` here")
    near = nearest(name.text, known)
    return found.with_rename(name.span, near) if near else found.with_fix("take it away")


def channels_of_result(primitive: str, operands: list[FeatureMap], attributes: dict[str, Attr], result: Type) -> Expr:
    """The result's channels as an expression of this definition."""
    width = attributes.get("channels") or attributes.get("features")
    if width is not None:
        return width.expr
    if len(operands) > 1 and primitive == "reshape":
        sizes = attributes["sizes"].expr
        return sizes.operands[0] if isinstance(sizes, Operation) else OPAQUE
    if len(operands) > 1 and primitive == "concat":
        return Operation("+", tuple([operand.channels for operand in operands]))
    for operand in operands:
        if operand.type.channels == result.channels:
            return operand.channels
    return OPAQUE
