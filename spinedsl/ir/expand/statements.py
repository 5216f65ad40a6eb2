"""Run the statements of a definition: one `Expansion` is one definition at work for given arguments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from math import floor

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.diagnostics import Edit, Fix, Label
from spinedsl.ir.expand.calls import Caller
from spinedsl.ir.expand.clashes import Turn, clash
from spinedsl.ir.expand.context import Context, Expanded
from spinedsl.ir.expand.given import enter, held_in, leave
from spinedsl.ir.expand.notation import OPAQUE
from spinedsl.ir.expand.values import (
    BLOCK_PROPERTIES,
    MAPS,
    Block,
    Environment,
    Held,
    Result,
    memo_key,
    written,
)
from spinedsl.ir.expand.yields import feature, label, labelled, shown
from spinedsl.ir.library import Defined
from spinedsl.ir.scalars import POISON, Poison, describe, is_number
from spinedsl.ops.program import Formal, Many, Module, Path, Ref, Yielded
from spinedsl.ops.trace import Trace
from spinedsl.ops.types import Attr, Expr, Name, Property, Type
from spinedsl.source import Span
from spinedsl.syntax import tree

STEPS = 3  # of expanding a definition, beside those of its statements

# Expansions of one definition say the same of their parameters.
_name, _property, _formal = lru_cache(4096)(Name), lru_cache(4096)(Property), lru_cache(4096)(Formal)


def expand(context: Context, defined: Defined, arguments: Environment) -> Module | Poison:
    """The definition with its parameters bound to `arguments`, which are complete and in their order."""
    kinds = {*map(type, arguments.values())}
    if not defined.sound or Poison in kinds:
        return POISON
    key = tuple([memo_key(value) for value in arguments.values()])
    held = held_in(arguments) if Held in kinds else []
    at_fault = (key, *[one.span for one in held]) if held else key
    found = context.recall(defined, key, at_fault)
    if found is not None:
        return found.module
    if not context.spend(defined.definition.name.span, STEPS):
        return POISON
    outer = context.deepest, context.static_axes
    context.deepest, context.static_axes = 0, {}
    reports = context.listen()
    module: Module | Poison = POISON
    if context.has_room(defined) and enter(context, defined, held):
        context.stack += defined.frames
        module = Expansion(context, defined, arguments).run()
        context.stack -= defined.frames
        leave(context)
    context.heard()
    expanded = Expanded(module, context.deepest, context.static_axes, tuple(reports.values()))
    context.deepest = max(outer[0], context.deepest)
    context.static_axes = {**context.static_axes, **outer[1]}
    context.remember(defined, at_fault if isinstance(module, Poison) else key, expanded)
    return module


def promised_channels(context: Context, defined: Defined, arguments: Environment) -> int | None:
    """The channels that a signature promises, from compile-time arguments alone; None if those do not tell."""
    signature = defined.definition.signature
    if signature is None or not defined.sound:
        return None
    caller = Expansion(context.in_silence, defined, {})
    known = caller.known(arguments)
    caller.env = known
    value = caller.evaluate(signature)
    return floor(value) if is_number(value) else None


def told_by(context: Context, defined: Defined, arguments: Environment, name: str) -> Result | None:
    """The value of a parameter, from compile-time arguments alone; None if those do not tell."""
    value = Expansion(context.in_silence, defined, {}).known(arguments).get(name, POISON)
    return None if isinstance(value, Poison) else value


class Expansion(Caller):
    """A definition at work: the statements made so far, and what its parameters are bound to."""

    def __init__(self, context: Context, defined: Defined, arguments: Environment) -> None:
        super().__init__(context, defined)
        self.trace = Trace(self.plan.written)
        self.formals: list[Formal] = []
        self.scalars: dict[str, Attr] = {}
        self.maps: dict[str, Type | tuple[Type, ...]] = {}
        self.returned: Span | None = None
        self.yields: list[Yielded] = []
        self.named: set[tuple[str | int, ...]] = set()  # the names of those
        self.broken = False  # what is yielded is not known, or a loop does not run
        self.turns: list[Turn] = []  # every iteration of an `each` that ran
        self.around: list[str | int] = []  # for each loop around: its iteration, or the feature that it is at
        for parameter in defined.definition.parameters:
            name = parameter.name.text
            if name in arguments:
                self.bind_parameter(parameter, arguments[name])

    def expand(self, defined: Defined, arguments: Environment) -> Module | Poison:
        """A definition that this one calls."""
        return expand(self.context, defined, arguments)

    def known(self, arguments: Mapping[str, Result]) -> Environment:
        """The arguments with the defaults that they determine; what they do not determine is left out."""
        found: Environment = {}
        self.env = found
        for parameter in self.defined.definition.parameters:
            name = parameter.name.text
            if name in arguments:
                found[name] = arguments[name]
            elif parameter.default is not None:
                found[name] = self.held(parameter.default)
        return found

    # ---- parameters ----

    def formal_scalar(self, parameter: tree.Parameter) -> Formal:
        """A parameter that is a compile-time value, with its default as generated code may say it."""
        known = self.plan.scalars.get(parameter.name.text)
        if known is not None:
            return known
        default = parameter.default
        assert default is not None
        value = written(self.held(default))
        standard = Attr(value, self.notation(default)) if value is not None else None
        return Formal(parameter.name.text, "scalar", standard)

    def bind_parameter(self, parameter: tree.Parameter, value: Result) -> None:
        """Give a parameter its value, and note what kind it is."""
        name = parameter.name.text
        if isinstance(value, MAPS):
            self.maps[name] = value.type
            self.env[name] = self.incoming(name, value.type, _property(name, "channels"))
            self.formals.append(_formal(name, "map", None))
        elif isinstance(value, Many):
            types = [item.type for item in value.items if isinstance(item, MAPS)]
            same = len({type_.channels for type_ in types}) == 1
            channels: Expr = _property(name, "channels") if same else OPAQUE
            self.maps[name] = tuple(types)
            items = tuple(self.incoming(name, type_, channels, index) for index, type_ in enumerate(types))
            self.env[name] = Many(name, items)
            self.formals.append(_formal(name, "maps", None))
        elif isinstance(value, Block):
            self.env[name] = value
            self.formals.append(_formal(name, "block", None))
            for property_ in BLOCK_PROPERTIES:
                known = getattr(value, property_)
                if known is not None:
                    self.scalars[f"{name}.{property_}"] = Attr(known, _property(name, property_))
        else:
            self.formals.append(self.formal_scalar(parameter))
            self.env[name] = value
            if (known := written(value)) is not None:
                self.scalars[name] = Attr(known, _name(name))

    def incoming(self, name: str, type_: Type, channels: Expr, index: int | None = None) -> Ref:
        """A feature map that comes in."""
        return Ref(name, type_, channels, index, self.trace.value(type_, channels))

    # ---- the whole ----

    def run(self) -> Module | Poison:
        """The module that the definition becomes."""
        definition = self.defined.definition
        result = self.body(definition.body)
        if isinstance(result, Poison) or self.broken:
            return POISON
        if result is None and not self.yields:
            if definition.kind == "head_type":
                when = " for these arguments"
                found = say.NO_YIELD.at(definition.name.span, name=self.defined.name, when=when)
                self.report(found.with_fix("let every branch give something"))
            return POISON
        if result is not None and not isinstance(result, MAPS):
            place = self.returned or definition.name.span
            found = say.NOT_A_MAP.at(place, name=self.defined.name, got=describe_result(result))
            hint = (
                "add them up with `sum`, or `concat` them"
                if isinstance(result, Many)
                else "return what an operation gives"
            )
            self.report(found.with_fix(hint))
            return POISON
        types = [yielded.type for yielded in self.yields] if result is None else [result.type]
        if not all(self.keeps_signature(type_) for type_ in types):
            return POISON
        if twice := clash(self.turns, self.trace.events, self.trace.types, self.plan, definition.body):
            self.report(twice)
            return POISON
        formals, yields = tuple(self.formals), tuple(self.yields)
        open_size = self.context.any_size and not self.context.one_size
        return self.trace.module(formals, self.maps, self.scalars, open_size=open_size, yields=yields)

    def keeps_signature(self, result: Type) -> bool:
        """What comes out has the channels that the signature promises."""
        signature = self.defined.definition.signature
        if signature is None:
            return True
        promised = self.evaluate(signature)
        if isinstance(promised, Poison):
            return False
        if not is_number(promised):
            self.wrong("`->`", "a number of channels", signature, promised)
            return False
        if floor(promised) == result.channels:
            return True
        place = self.returned or signature.span
        found = say.SIGNATURE.at(
            place, name=self.defined.name, expected=describe(floor(promised)), got=result.channels
        ).with_others(Label(signature.span, f"promises {describe(floor(promised))} here"))
        bring = Fix(f"bring what it returns to {counted(floor(promised), 'channel')}, as by a convolution at the end")
        if written := self.in_terms_of_parameters(result.channels):
            words = f"let `->` say what comes out, `-> {written}`, or bring it to those channels"
            self.report(found.with_fix(words, Edit(signature.span, written), instead=bring))
        else:
            self.report(found.with_fix(bring.text))
        return False

    def in_terms_of_parameters(self, channels: int) -> str | None:
        """A number of channels as a signature may say it, by `channels` or those of the first map."""
        given = self.env.get("channels")
        first = next(((name, type_) for name, type_ in self.maps.items() if isinstance(type_, Type)), None)
        known = {"channels": floor(given)} if is_number(given) else {}
        if first is not None:
            known[f"{first[0]}.channels"] = first[1].channels
        for word, number in known.items():
            if number == channels:
                return word
            if number > 0 and channels % number == 0:
                return f"{word} * {channels // number}"
        return None

    # ---- statements ----

    def body(self, statements: tree.Body) -> Result | None:
        """Run statements; the value returned, None if they fall through."""
        weights = self.plan.weights
        for statement in statements:
            if not self.context.spend(statement.span, weights.get(id(statement), 1)):
                return POISON
            if isinstance(statement, tree.Binding):
                self.binding(statement)
            elif isinstance(statement, tree.Return):
                return self.leave(statement)
            elif isinstance(statement, tree.Yield):
                self.give(statement)
            elif isinstance(statement, tree.If):
                result = self.choose(statement)
                if result is not None:
                    return result
            elif isinstance(statement, tree.Repeat):
                self.repeat(statement)
            elif isinstance(statement, tree.Each):
                self.each(statement)
        return None

    def leave(self, statement: tree.Return) -> Result:
        """`return`."""
        self.returned = statement.value.span
        value = self.evaluate(statement.value)
        if isinstance(value, MAPS):
            self.trace.gives(self.sites[id(statement)], value)
        return value

    def give(self, statement: tree.Yield) -> None:
        """`yield`: one more value, named by what is yielded, if the head yields several things, and by the loops."""
        value = self.evaluate(statement.value)
        if isinstance(value, Poison):
            self.broken = True
            return
        if not isinstance(value, MAPS):
            self.broken = True
            found = say.NOT_A_MAP.at(statement.value.span, name=self.defined.name, got=describe_result(value))
            self.report(found.with_fix("yield what an operation gives"))
            return
        name = (*label(statement, self.labelled), *self.around)
        if name in self.named:
            self.broken = True
            found = say.YIELD_TWICE.at(statement.span, name=self.defined.name, value=shown(name))
            self.report(found.with_fix("name each: `let scores = …`, then `yield scores`"))
            return
        self.named.add(name)
        self.yields.append(Yielded(name, value.type))
        self.trace.gives(self.sites[id(statement)], value)

    @cached_property
    def labelled(self) -> bool:
        """The head yields several things."""
        return labelled(self.defined.definition)

    def binding(self, binding: tree.Binding) -> None:
        """`let`, `var`, or an assignment."""
        name, site = binding.name.text, self.sites[id(binding)]
        value = self.held(binding.value)
        if isinstance(value, MAPS):
            self.env[name] = self.bound(name, self.trace.makes(site, value)[0])
        elif isinstance(value, Many):
            self.context.spend(binding.span, len(value.items))
            values = self.trace.makes(site, value)
            self.env[name] = Many(name, tuple(self.bound(name, number, index) for index, number in enumerate(values)))
        else:
            self.env[name] = value
            if (known := written(value)) is not None:
                self.trace.notes(site, Attr(known, self.notation(binding.value)))

    def bound(self, name: str, value: int, index: int | None = None) -> Ref:
        """A value, or an item of a list, by the name that it was given."""
        return Ref(name, self.trace.types[value], self.trace.channels[value], index, value)

    def choose(self, statement: tree.If) -> Result | None:
        """Run the arm that the condition takes. After a mistake in the condition nothing is known."""
        condition = self.condition(statement.condition, "`if`")
        if condition is None or not self.context.spend(statement.span):
            return POISON
        self.trace.notes(self.sites[id(statement)], Attr(condition, self.notation(statement.condition)))
        return self.body(statement.then if condition else statement.other)

    # ---- loops ----

    def repeat(self, statement: tree.Repeat) -> None:
        """Run a body as often as the count says; nothing is allocated for a count that is too large."""
        times = self.times(statement.count)
        if times is None:
            self.forget(statement.body)
            return
        index = statement.index.text if statement.index is not None else ""
        self.trace.notes(self.sites[id(statement)], Attr(times, self.notation(statement.count)))
        path, *shared = self.plan.paths.get(id(statement), ("rep",))
        home, outer = self.home, self.trace.outer
        for iteration in range(times):
            if not self.context.spend(statement.span):
                break
            if index:
                self.env[index] = iteration
            self.home = (*home, iteration) if shared else home
            apart = (*outer, f"{shared[0]}{iteration}") if shared else outer
            self.iteration(statement, str(iteration), iteration, path, apart)
        if index:
            self.env.pop(index, None)
        self.home = home

    def each(self, statement: tree.Each) -> None:
        """Run a body for every feature map, or number, of a list."""
        items = self.evaluate(statement.items)
        name, site = statement.item.text, self.sites[id(statement)]
        turns: list[tuple[Result, str | int]]
        if isinstance(items, Many):
            values = self.trace.makes(site, items)
            pairs = zip(items.items, values, strict=True)
            turns = [(self.bound(name, value), feature(item, n, self.formals)) for n, (item, value) in enumerate(pairs)]
        elif isinstance(items, tuple):
            self.trace.notes(site, Attr(len(items), OPAQUE))
            turns = [(item, str(n)) for n, item in enumerate(items)]
        else:
            if not isinstance(items, Poison):
                self.not_a_list(statement.items, items)
            self.forget(statement.body)
            return
        (path,) = self.plan.paths.get(id(statement), (name,))
        home, self.home = self.home, tuple(self.around)
        for number, (item, called) in enumerate(turns):
            if not self.context.spend(statement.span):
                break
            self.env[name] = item
            self.iteration(statement, called, number, path, self.trace.prefix)
        self.env.pop(name, None)
        self.home = home

    def not_a_list(self, expr: tree.Expr, value: Result) -> None:
        """`each` goes through lists."""
        self.wrong("`each`", "a list", expr, value)

    def iteration(self, loop: tree.Repeat | tree.Each, label: str | int, number: int, path: str, outer: Path) -> None:
        """One run of a loop's body. Its `let`s end with it; the `var`s of outside keep what they were set to."""
        before, first = set(self.env), len(self.trace.events)
        self.around.append(label)
        with self.trace.inside(number, f"{path}{number}", outer):
            self.body(loop.body)
            if isinstance(loop, tree.Each):
                self.turns.append(Turn(self.trace.prefix, number, loop.item, first, len(self.trace.events)))
        self.around.pop()
        for name in set(self.env) - before:
            del self.env[name]

    def forget(self, body: tree.Body) -> None:
        """What a loop would have set, and what it would have yielded, is unknown, since how often it runs is."""
        self.broken = True
        for statement in body:
            if isinstance(statement, tree.Binding) and statement.keyword == "set":
                self.env[statement.name.text] = POISON
            elif isinstance(statement, tree.If):
                self.forget(statement.then)
                self.forget(statement.other)
            elif isinstance(statement, tree.Repeat | tree.Each):
                self.forget(statement.body)


def describe_result(value: Result) -> str:
    """What a definition returned instead of a feature map."""
    return "a list of feature maps" if isinstance(value, Many) else describe(value)


def always_returns(body: tree.Body) -> bool:
    """Every path through the statements returns."""
    return any(
        isinstance(statement, tree.Return)
        or (isinstance(statement, tree.If) and always_returns(statement.then) and always_returns(statement.other))
        for statement in body
    )
