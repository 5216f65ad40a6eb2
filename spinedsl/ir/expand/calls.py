"""Evaluate calls: of definitions, which are expanded in turn, and of primitives, whose shape rule has the last word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import repeat
from typing import cast

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, nearest, one_of
from spinedsl.ir.arguments import argument_twice, taken_away
from spinedsl.ir.expand.attributes import check_value
from spinedsl.ir.expand.body import Sites
from spinedsl.ir.expand.context import Context
from spinedsl.ir.expand.expressions import not_callable
from spinedsl.ir.expand.functions import Functions
from spinedsl.ir.expand.given import unfit
from spinedsl.ir.expand.misfits import divides, level_after, misfit
from spinedsl.ir.expand.notation import OPAQUE, notation, outside
from spinedsl.ir.expand.plan import Plan, plan_of
from spinedsl.ir.expand.shared import Difference, Running, difference, operations_of
from spinedsl.ir.expand.values import MAPS, Block, Environment, FeatureMap, Held, Result, is_scalar
from spinedsl.ir.library import LIST_FUNCTIONS, SCALAR_FUNCTIONS, Defined
from spinedsl.ir.scalars import POISON, Poison
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, ROLES, UNCUT, Attribute, Primitive, Problem
from spinedsl.ops.program import Call, If, Many, Module, Op, Operand, Return, flat
from spinedsl.ops.rules import oblong, of_one_size, size_not_kept, stands_at, uneven_stride
from spinedsl.ops.types import Attr, Expr, Literal, Operation, Type, Value, by
from spinedsl.record import replace
from spinedsl.source import Span
from spinedsl.syntax import tree

UNDO = "undo what was put around it by `crop`, or what was cut off by `pad`"
DEFAULT_FOR = {"act": "act relu", "norm": "norm batch_norm(momentum = 0.99, epsilon = 1e-3)"}
_ATTRIBUTES = {name: {a.name: a for a in primitive.attributes} for name, primitive in PRIMITIVES.items()}


class Caller(Functions):
    """An evaluator that knows every call a definition may make."""

    empty = Many("", ())

    def __init__(self, context: Context, defined: Defined) -> None:
        super().__init__(context, defined)
        self.home: tuple[str | int, ...] = ()  # the iterations that what is shared does differ between
        self.shared: dict[
            tuple[object, int], tuple[Running, ...]
        ] = {}  # of `shared` calls, from the first time that each ran

    @cached_property
    def plan(self) -> Plan:
        """Where the parameters of each call are."""
        return plan_of(self.defined)

    @property
    def sites(self) -> Sites:
        """Which statement binds what each name means."""
        return self.plan.sites

    def call(self, expr: tree.Call) -> Result:
        """Any call; a `shared` one has the same weights in every iteration that shares it."""
        result = self.call_any(expr)
        if expr.shared and isinstance(result, Op | Call):
            operations = operations_of(uncut(result))
            apart = difference(self.shared.setdefault((self.home, id(expr)), operations), operations)
            if apart is not None:
                self.report_apart(expr, apart)
                return POISON
        return result

    def report_apart(self, expr: tree.Call, apart: Difference) -> None:
        """Two iterations that share a call, but need it different."""
        code = say.SHARED_SHAPES if apart.in_shape else say.SHARED_DIFFERS
        found = code.at(expr.span, name=expr.callee.text, first=apart.first, second=apart.second)
        what = "what goes in have the same channels" if apart.in_shape else "it be the same"
        without = Edit(Span(expr.span.source, expr.span.start, expr.callee.span.start), "")
        self.report(found.with_fix(f"let {what} every time, or take `shared` away", without))

    def call_any(self, expr: tree.Call) -> Result:
        """A definition, a primitive or role, a function, or what a parameter such as `activation` holds."""
        name = expr.callee.text
        if name in self.env:
            return self.call_held(expr, self.env[name])
        defined = self.defined.unit.definitions.get(name)
        if defined is not None:
            return self.function(expr, defined) if defined.kind == "fn" else self.call_definition(expr, defined)
        if name in SCALAR_FUNCTIONS:
            return self.scalar_function(expr)
        if name in LIST_FUNCTIONS:
            return self.list_function(expr)
        return self.call_primitive(expr, name)

    def call_held(self, expr: tree.Call, held: Result) -> Result:
        """A call by the name of a value: a definition and an activation can be called, nothing else."""
        if isinstance(held, Held):
            return self.call_given(expr, held)
        primitive = PRIMITIVES.get(ALIASES.get(held, held)) if isinstance(held, str) else None
        if primitive is not None and primitive.activation:
            return self.call_primitive(expr, primitive.name)
        if not isinstance(held, Poison):
            self.report(not_callable(expr.callee, held, "something to call"))
        return POISON

    def call_given(self, expr: tree.Call, held: Held) -> Result:
        """A call of the definition that a name holds. What does not fit is for whoever named it to mend."""
        found = unfit(expr, held)
        if found is not None:
            self.report(found)
            return POISON
        if held.defined.kind == "fn":
            return self.function(expr, held.defined)
        return self.call_definition(expr, held.defined)

    # ---- definitions ----

    def call_role(self, expr: tree.Call, defined: Defined, preset: Mapping[str, Value | Held]) -> Result:
        """A `def` that `act` or `norm` stands for, with what the network's `defaults` give it."""
        known, role = list(defined.parameters), expr.callee.text
        if not known:  # which was reported about the `defaults`
            return POISON
        if role in self.context.filling:  # so was this, where they name the `def` themselves
            if role in self.context.held_roles:
                found = say.RECURSION.at(expr.callee.span, name=defined.name, way=f", by way of `{role}`")
                found = found.with_others(Label(defined.definition.name.span, f"`{defined.name}` is defined here"))
                self.report(found.with_fix(f"call an operation by its name there, as `relu(x)`, not `{role}`"))
            return POISON
        for argument in expr.arguments:
            if argument.name is not None and argument.name.text not in known:
                self.report(unknown_attribute(role, argument.name, defined.name, known[1:]))
                return POISON
        positional = [argument for argument in expr.arguments if argument.name is None]
        if len(positional) > len(known):
            most = f"{len(known)} arguments" if len(known) > 1 else "1 argument"
            place = positional[len(known)].span
            found = say.TOO_MANY_ARGUMENTS.at(place, callee=role, most=most, got=len(positional))
            self.report(found.with_fix("take it away"))
            return POISON
        self.context.filling.add(role)
        result = self.call_definition(expr, defined, preset)
        self.context.filling.discard(role)
        return result

    def call_definition(
        self, expr: tree.Call, defined: Defined, preset: Mapping[str, Value | Held] | None = None
    ) -> Result:
        """Expand a definition for the arguments of a call, over what is `preset`."""
        given: Environment = dict(preset or {})
        written: dict[str, tree.Expr] = {}
        unknown = False
        for name, value in arguments_by_name(expr, defined):
            written[name] = value
            given[name] = self.held(value)
            unknown = unknown or isinstance(given[name], Poison)
        items = sum(len(value.items) for value in given.values() if isinstance(value, Many))
        if unknown or not self.context.spend(expr.span, items):
            return POISON
        arguments = complete(self.context, defined, given)
        if arguments is None:
            return POISON
        self.context.uses.append((expr.span, defined.name, None))
        module = self.expand(defined, arguments)
        self.context.uses.pop()
        if isinstance(module, Poison):
            return POISON
        maps: dict[str, Operand] = {}
        scalars: dict[str, Attr] = {}
        for name, result in arguments.items():
            if isinstance(result, (*MAPS, Many)):
                maps[name] = result
            elif isinstance(result, Block):
                scalars |= {key: attr for key, attr in module.scalars.items() if key.startswith(f"{name}.")}
            elif name in written and (is_scalar(result) or isinstance(result, Held)):
                scalars[name] = Attr(module.scalars[name].value, self.notation(written[name]))
            elif preset and name in preset:
                known = module.scalars[name].value
                scalars[name] = Attr(known, Literal(known))
        path = self.plan.paths.get(id(expr), (defined.name,))
        if id(expr) in self.plan.alone:  # as if the definition were called by its own name
            path = path[:-1]
        channels = outside(channels_of(module, defined), maps, scalars)
        return Call(module, maps, scalars, path, expr.shared, module.type, channels, self.loc(expr.span))

    def expand(self, defined: Defined, arguments: Environment) -> Module | Poison:
        """The definition with its parameters bound to `arguments`, which are complete."""
        raise NotImplementedError

    # ---- primitives ----

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
        if name in self.context.defined:
            return self.call_role(expr, *self.context.defined[name])
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


def complete(context: Context, defined: Defined, given: Environment) -> Environment | None:
    """`given` with every default filled in, in the order of the parameters; None if one is still missing.

    A default may name the parameters before it.
    """
    arguments: Environment = {}
    for name, parameter in defined.parameters.items():
        if name in given:
            arguments[name] = given[name]
        elif parameter.default is None:
            return None
        else:
            evaluator = Caller(context, defined)
            evaluator.env = arguments
            arguments[name] = evaluator.held(parameter.default)
    return arguments


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


def word_of(attribute: Attribute | None, expr: tree.Expr) -> str | None:
    """A choice of an attribute that means itself where the attribute is given, whatever else has its name."""
    if attribute is None or not attribute.yields or not isinstance(expr, tree.Ident):
        return None
    return expr.name if expr.name in attribute.choices else None


def uncut(result: Op | Call) -> Op | Call:
    """A call as it is written, without what cuts its result to the size of a level."""
    if isinstance(result, Op) and result.primitive == "crop_to_level":
        (inner,) = result.inputs
        assert isinstance(inner, Op)
        return inner
    return result


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


def arguments_by_name(call: tree.Call, defined: Defined) -> Iterator[tuple[str, tree.Expr]]:
    """Each argument of a call of a definition, with the name of its parameter."""
    positional = iter(defined.definition.parameters)
    for argument in call.arguments:
        name = next(positional).name.text if argument.name is None else argument.name.text
        yield name, argument.value


def unknown_attribute(callee: str, name: tree.Name, primitive: str, known: list[str]) -> Diagnostic:
    """An attribute that the primitive, which is only known now, does not have."""
    found = say.UNKNOWN_ARGUMENT.at(
        name.span, callee=callee, name=name.text, known=one_of(known, conjunction="and") if known else "nothing by name"
    )
    if callee != primitive:
        found = found.with_notes(f"`{callee}` is `{primitive}` here")
    near = nearest(name.text, known)
    return found.with_rename(name.span, near) if near else found.with_fix("take it away")


def channels_of(module: Module, defined: Defined) -> Expr:
    """A module's channels in its own names: what its signature says, else what it returns."""
    if defined.definition.signature is not None:
        return notation(defined.definition.signature, (), {})
    *before, last = module.written.body
    only = isinstance(last, Return) and not any(isinstance(choice, If) and choice.returns for choice in before)
    return module.channels[module.results[0]] if only else OPAQUE


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
