"""Evaluate every call that a definition may make: of definitions, which are expanded in turn, and of operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spinedsl import checks as say
from spinedsl.diagnostics import Edit, Label
from spinedsl.ir.expand.context import Context
from spinedsl.ir.expand.expressions import not_callable
from spinedsl.ir.expand.given import unfit
from spinedsl.ir.expand.notation import OPAQUE, notation, outside
from spinedsl.ir.expand.operations import Operations, unknown_attribute
from spinedsl.ir.expand.shared import Difference, Running, difference, operations_of
from spinedsl.ir.expand.values import MAPS, Block, Environment, Held, Result, is_scalar
from spinedsl.ir.library import LIST_FUNCTIONS, SCALAR_FUNCTIONS, Defined
from spinedsl.ir.scalars import POISON, Poison
from spinedsl.ops.primitives import ALIASES, PRIMITIVES
from spinedsl.ops.program import Call, If, Many, Module, Op, Operand, Return
from spinedsl.ops.types import Attr, Expr, Literal, Value
from spinedsl.source import Span
from spinedsl.syntax import tree


class Caller(Operations):
    """An evaluator that knows every call a definition may make."""

    def __init__(self, context: Context, defined: Defined) -> None:
        super().__init__(context, defined)
        self.home: tuple[str | int, ...] = ()  # the iterations that what is shared does differ between
        # Of `shared` calls, from the first time that each ran.
        self.shared: dict[tuple[object, int], tuple[Running, ...]] = {}

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
        if name in self.context.defined:
            return self.call_role(expr, *self.context.defined[name])
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
        return self.call_definition(expr, defined, preset, role)

    def call_definition(
        self, expr: tree.Call, defined: Defined, preset: Mapping[str, Value | Held] | None = None, role: str = ""
    ) -> Result:
        """Expand a definition for the arguments of a call, over what is `preset`; it may fill a `role`."""
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
        if role:  # which neither its body nor a default may call, while the arguments of the call may
            self.context.filling.add(role)
        arguments = complete(self.context, defined, given)
        self.context.uses.append((expr.span, defined.name, None))
        module = POISON if arguments is None else self.expand(defined, arguments)
        self.context.uses.pop()
        self.context.filling.discard(role)
        if arguments is None or isinstance(module, Poison):
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


def uncut(result: Op | Call) -> Op | Call:
    """A call as it is written, without what cuts its result to the size of a level."""
    if isinstance(result, Op) and result.primitive == "crop_to_level":
        (inner,) = result.inputs
        assert isinstance(inner, Op)
        return inner
    return result


def arguments_by_name(call: tree.Call, defined: Defined) -> Iterator[tuple[str, tree.Expr]]:
    """Each argument of a call of a definition, with the name of its parameter."""
    positional = iter(defined.definition.parameters)
    for argument in call.arguments:
        name = next(positional).name.text if argument.name is None else argument.name.text
        yield name, argument.value


def channels_of(module: Module, defined: Defined) -> Expr:
    """A module's channels in its own names: what its signature says, else what it returns."""
    if defined.definition.signature is not None:
        return notation(defined.definition.signature, (), {})
    *before, last = module.written.body
    only = isinstance(last, Return) and not any(isinstance(choice, If) and choice.returns for choice in before)
    return module.channels[module.results[0]] if only else OPAQUE
