"""A second reading of the language: the syntax tree is run as it stands, eagerly, on arrays.

In: the text of a file with one network, its tensors in running order, and a batch of images. Out: the value of every
row. Of the compiler it uses the parser, the table of primitives (names, defaults, shapes of parameters) and the
interpreter's kernels; of names, scopes, loops, choices, calls, sharing and rows it has its own understanding, the one
of the language reference. So a fault in `ir`, `lower` or `flatten`, which the interpreter and ONNX share, shows as a
difference.

Tensors are handed out in the order in which they are first needed, so parameters' names do not matter, and which
calls have weights in common does.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops.interpret import RULES
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, Kind, Parameter
from spinedsl.ops.types import Type
from spinedsl.prelude import text_of
from spinedsl.record import Record, replace
from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.syntax.parse import parse

Array: TypeAlias = NDArray[Any]
Where: TypeAlias = tuple[object, ...]  # the calls and iterations that led to a place


class Map(Record, eq=False):
    """A feature map with its level, if it has one; or a vector, which is `flat`."""

    array: Array
    level: int | None
    flat: bool = False

    @property
    def channels(self) -> int:
        """However they are laid out."""
        return math.prod(self.array.shape[1 : None if self.flat else -2])

    @property
    def height(self) -> int:
        return int(self.array.shape[-2])

    @property
    def width(self) -> int:
        return int(self.array.shape[-1])


class Block(Record):
    """What a resample type may ask of a block."""

    level: int
    channels: int | None
    in_channels: int
    out_channels: int
    height: int
    width: int


class Scope(Record, eq=False):
    """Names of one file: its own definitions and the imported ones, each with the scope in which it was written."""

    definitions: dict[str, tuple[tree.Definition, Scope]]
    file: tree.File


class Given(Record):
    """A definition by its name, with the scope in which it was written."""

    definition: tree.Definition
    scope: Scope


@cache
def prelude(module: str) -> Scope:
    return scope_of(text_of(module))


def scope_of(text: str) -> Scope:
    """The names of a file that imports nothing but the prelude."""
    file = parse(Source.from_text(text)).value
    assert file is not None
    scope = Scope({}, file)
    for import_ in file.imports:
        assert isinstance(import_.path, tuple)
        found = prelude(import_.path[1])
        scope.definitions.update({n: (d, home) for n, (d, home) in found.definitions.items() if home is found})
    scope.definitions.update({definition.name.text: (definition, scope) for definition in file.definitions})
    return scope


class Tensors:
    """Tensors in running order: whoever asks first gets the next ones, and whoever shares its place gets them again."""

    def __init__(self, tensors: Sequence[Array]) -> None:
        self.left = list(tensors)
        self.given: dict[Where, dict[str, Array]] = {}

    def at(self, where: Where, parameters: Sequence[Parameter]) -> dict[str, Array]:
        if parameters and where not in self.given:
            taken, self.left = self.left[: len(parameters)], self.left[len(parameters) :]
            self.given[where] = dict(zip([p.name for p in parameters], taken, strict=True))
        given = self.given.get(where, {})
        assert [value.shape for value in given.values()] == [p.shape for p in parameters], where
        return {name: value.astype(np.float64) for name, value in given.items()}


class Setting(Record, eq=False):
    """What holds for the whole network."""

    roles: dict[str, tuple[str, dict[str, Any]]]
    attributes: dict[str, dict[str, Any]]
    tensors: Tensors
    any_size: bool
    image: tuple[int, int]
    multiple: int = 1

    def width(self, value: Any) -> int:
        """The channels of a map between rows: `rules { channels multiple(8) }`."""
        multiple = self.multiple
        if multiple == 1:
            return int(value // 1)
        near = round_to(value, multiple) or multiple
        return int(near + multiple if near * 10 < value * 9 else near)

    def cut(self, array: Array, level: int) -> Array:
        """Where sizes are rounded up, what went down the levels ends at its level's size."""
        height, width = (-(-size >> level) for size in self.image)
        return array[:, :, :height, :width] if self.any_size else array


ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
JOINS = ("concat", "sum")  # operations that a join may be
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def round_to(x: Any, to: Any = 1) -> Any:
    """To the nearest multiple; a half goes up."""
    return math.floor(Fraction(x) / to + Fraction(1, 2)) * to


NUMBERS: Mapping[str, Callable[..., Any]] = {
    "floor": math.floor, "ceil": math.ceil, "round": round_to, "max": max, "min": min,
    "power": lambda base, exponent: Fraction(base) ** exponent,
}  # fmt: skip
LISTS: Mapping[str, Callable[[Any], Any]] = {
    "first": lambda maps: maps[0], "last": lambda maps: maps[-1], "rest": lambda maps: maps[1:], "len": len,
}  # fmt: skip


def plain(value: Any) -> Any:
    """A fraction that is whole as a whole number, since flags compare types."""
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value


class Reader:
    """One definition at work. `base` is where it was called from, `loops` the iterations around the present place."""

    def __init__(self, setting: Setting, scope: Scope, base: Where, env: dict[str, Any]) -> None:
        self.setting, self.scope, self.base, self.env = setting, scope, base, env
        self.loops: list[tuple[str, int, int]] = []
        self.yielded: list[Map] = []

    # ---- statements ----

    def run(self, body: tree.Body) -> Any:
        """The value returned, None if nothing is."""
        for statement in body:
            if isinstance(statement, tree.Binding):
                self.env[statement.name.text] = self.value(statement.value)
            elif isinstance(statement, tree.Return):
                return self.value(statement.value)
            elif isinstance(statement, tree.Yield):
                self.yielded.append(self.value(statement.value))
            elif isinstance(statement, tree.If):
                result = self.run(statement.then if self.value(statement.condition) else statement.other)
                if result is not None:
                    return result
            elif isinstance(statement, tree.Repeat):
                name = statement.index.text if statement.index is not None else None
                self.loop("repeat", statement, name, range(self.value(statement.count)))
            elif isinstance(statement, tree.Each):
                self.loop("each", statement, statement.item.text, self.value(statement.items))
        return None

    def loop(self, kind: str, statement: tree.Repeat | tree.Each, name: str | None, items: Sequence[Any]) -> None:
        """What is bound in an iteration is gone after it; what was there before keeps what it was set to."""
        outside = set(self.env)
        for number, item in enumerate(items):
            if name is not None:
                self.env[name] = item
            self.loops.append((kind, id(statement), number))
            self.run(statement.body)
            self.loops.pop()
            self.env = {key: value for key, value in self.env.items() if key in outside}

    # ---- expressions ----

    def value(self, expr: tree.Expr) -> Any:
        if isinstance(expr, tree.Number | tree.Flag):
            return expr.value
        if isinstance(expr, tree.Ident):
            if expr.name not in self.env and expr.name in self.scope.definitions:
                return Given(*self.scope.definitions[expr.name])
            return self.env[expr.name] if expr.name in self.env else ALIASES.get(expr.name, expr.name)
        if isinstance(expr, tree.Property):
            return getattr(self.value(expr.base), expr.name.text)
        if isinstance(expr, tree.Conditional):
            return self.value(expr.value if self.value(expr.condition) else expr.other)
        if isinstance(expr, tree.ListOf):
            return tuple(self.value(item) for item in expr.items)
        if isinstance(expr, tree.ListOfEach):
            return tuple(self.each(expr))
        if isinstance(expr, tree.Item):
            return self.value(expr.base)[int(self.value(expr.index))]
        if isinstance(expr, tree.Unary):
            operand = self.value(expr.operand)
            return (not operand) if expr.operator == "not" else binary("*", operand, -1)
        if isinstance(expr, tree.Binary):
            return self.binary(expr)
        assert isinstance(expr, tree.Call)
        return self.call(expr)

    def each(self, expr: tree.ListOfEach) -> Iterator[Any]:
        """The items of a list that one expression makes."""
        items = self.value(expr.items)
        for item in range(int(items)) if expr.keyword == "repeat" else items:
            inner = Reader(self.setting, self.scope, self.base, {**self.env, expr.name.text: item})
            yield inner.value(expr.value)

    def binary(self, expr: tree.Binary) -> Any:
        left = self.value(expr.left)
        if expr.operator in ("and", "or"):
            return left if left == (expr.operator == "or") else self.value(expr.right)
        return binary(expr.operator, left, self.value(expr.right))

    def call(self, call: tree.Call) -> Any:
        name = call.callee.text
        if isinstance(held := self.env.get(name), Given):
            return self.definition(call, held)
        if name not in self.env and name in self.scope.definitions:
            return self.definition(call, Given(*self.scope.definitions[name]))
        positional = [self.value(argument.value) for argument in call.arguments if argument.name is None]
        named = {a.name.text: self.value(a.value) for a in call.arguments if a.name is not None}
        if name in OF_MAPS and name not in self.env and any(isinstance(value, Map) for value in positional):
            return of_maps(name, positional)
        if name in NUMBERS and name not in self.env:
            return plain(NUMBERS[name](*positional, *(named[key] for key in ("a", "b", "x", "to") if key in named)))
        if name in LISTS and name not in self.env:
            return LISTS[name](*positional)
        if name == "sum" and name not in self.env:
            total, *others = positional[0] or (0,)
            for other in others:
                total = binary("+", total, other)
            return total
        return self.primitive(self.env.get(name, name), positional, named, self.place(call))

    def place(self, call: tree.Call) -> Where:
        """Where the weights of a call belong.

        Each iteration has its own. A `shared` call has them in common over the innermost `each` around it, and apart
        in every other loop; where there is no `each`, over all loops.
        """
        loops = self.loops
        if call.shared:
            each = max((at for at, (kind, _, _) in enumerate(loops) if kind == "each"), default=None)
            loops = [] if each is None else loops[:each] + loops[each + 1 :]
        return (*self.base, *loops, id(call))

    def definition(self, call: tree.Call, held: Given) -> Any:
        names = iter(parameter.name.text for parameter in held.definition.parameters)
        given = {a.name.text if a.name is not None else next(names): self.value(a.value) for a in call.arguments}
        return use(self.setting, held.scope, held.definition, given, self.place(call))[0]

    def primitive(self, name: str, positional: list[Any], named: dict[str, Any], where: Where) -> Map:
        """A primitive or a role: inputs first, then attributes in the order of the table."""
        name, preset = self.setting.roles.get(name, (ALIASES.get(name, name), None))
        row = PRIMITIVES[name]
        attributes: dict[str, Any] = {a.name: a.default for a in row.attributes if not a.required}
        attributes |= self.setting.attributes.get(name, {}) if preset is None else preset
        inputs: list[Any] = []
        rest = iter(row.attributes)
        for value in positional:
            if isinstance(value, tuple):
                inputs += list(value)
            elif isinstance(value, Map | Block):
                inputs.append(value)
            elif "values" in attributes or name in ("constant", "reshape"):
                key = row.attributes[0].name
                attributes[key] = (*attributes.get(key, ()), value)
            else:
                attributes[next(rest).name] = value
        inputs += [named.pop(key) for key in row.inputs if key in named]
        attributes |= named
        return self.apply(name, inputs, attributes, where)

    def apply(self, name: str, inputs: list[Any], attributes: dict[str, Any], where: Where) -> Map:
        row = PRIMITIVES[name]
        for attribute in row.attributes:
            if attribute.kind is Kind.CHANNELS:
                value = attributes[attribute.name]
                attributes[attribute.name] = tuple(map(math.floor, value)) if attribute.many else math.floor(value)
        types = [type_of(one) for one in inputs]
        flat = name in ("flatten", "linear") or (bool(inputs) and not isinstance(inputs[-1], Block) and inputs[-1].flat)
        sizes = attributes.get("sizes", ())
        gives = Type(math.prod(sizes), 1, 1, None, 2 if flat else 4, axes=sizes if len(sizes) > 1 else ())
        arrays = [one.array if isinstance(one, Map) else np.zeros((1, 1, one.height, one.width)) for one in inputs]
        parameters = self.setting.tensors.at(where, row.parameters(types, attributes))
        array = RULES[name](arrays, attributes, parameters, gives)
        level = level_after(name, inputs, attributes)
        if name in ("upsample", "conv_transpose"):
            assert level is not None
            array = self.setting.cut(array, level)
        return Map(array, level, flat)


def binary(sign: str, left: Any, right: Any) -> Any:
    """Of numbers exactly; of maps number by number, where one of 1x1 spreads."""
    if sign in COMPARISONS:
        return COMPARISONS[sign](left, right)
    if isinstance(left, tuple):
        return left + right
    if sign == "%":
        return plain(left - math.floor(Fraction(left) / right) * right)
    maps = [side for side in (left, right) if isinstance(side, Map)]
    if not maps:
        return plain(Fraction(left) / Fraction(right) if sign == "/" else ARITHMETIC[sign](left, right))
    one, other = (np.asarray(side.array if isinstance(side, Map) else float(side)) for side in (left, right))
    level = next((side.level for side in maps if side.level is not None), None)
    array: Array = one / other if sign == "/" else ARITHMETIC[sign](one, other)
    return Map(array, level, maps[0].flat)


OF_MAPS: Mapping[str, Callable[..., Any]] = {
    "max": np.maximum, "min": np.minimum, "power": np.power, "sqrt": np.sqrt,
}  # fmt: skip


def of_maps(name: str, values: Sequence[Any]) -> Map:
    """A function of numbers on maps and numbers, from left to right."""
    maps = [value for value in values if isinstance(value, Map)]
    first, *others = (value.array if isinstance(value, Map) else float(value) for value in values)
    array = np.asarray(first if others else OF_MAPS[name](first))
    for other in others:
        array = OF_MAPS[name](array, other)
    level = next((one.level for one in maps if one.level is not None), None)
    return Map(array, level, maps[0].flat)


def type_of(one: Map | Block) -> Type:
    """As much of a type as shapes of parameters need."""
    if isinstance(one, Block) or one.flat:
        return Type(one.channels or 0, 1, 1, one.level)
    return Type(one.channels, one.height, one.width, one.level)


def level_after(name: str, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> int | None:
    """The level of what comes out."""
    if name in ("global_average_pool", "global_max_pool", "flatten", "linear", "constant") or not inputs:
        return None
    others = inputs[1:] if name in ("resize", "reshape") and len(inputs) > 1 else inputs
    level: int | None = next((one.level for one in others if one.level is not None), None)
    if level is None:
        return None
    if name == "upsample":
        return level - int(attributes["levels"])
    stride = int(attributes.get("stride", 1)).bit_length() - 1
    return level - stride if name == "conv_transpose" else level + stride


def use(
    setting: Setting, scope: Scope, definition: tree.Definition, given: Mapping[str, Any], where: Where
) -> tuple[Any, list[Map]]:
    """What a definition returns and yields for arguments by name; a default may read the parameters before it."""
    reader = Reader(setting, scope, where, {})
    for parameter in definition.parameters:
        name = parameter.name.text
        if name in given:
            reader.env[name] = given[name]
        elif parameter.default is not None:
            reader.env[name] = reader.value(parameter.default)
    return reader.run(definition.body), reader.yielded


# ---- networks ----


class Row(Record, eq=False):
    """A row with its value and the channels that it declared."""

    map: Map
    channels: int | None


class Network:
    """A network at work: its settings, then its rows one after the other."""

    def __init__(self, scope: Scope, network: tree.Network, tensors: Sequence[Array], image: Array) -> None:
        self.scope = scope
        self.setting = Setting({}, {}, Tensors(tensors), False, image.shape[2:])
        self.reader = Reader(self.setting, scope, (), {})
        self.widths: dict[int, int] = {}
        self.uses: dict[str, tree.Use] = {}
        self.rows: dict[str, Row] = {}
        self.values: dict[str, list[Map]] = {}
        self.weights = ""  # what the names of parameters begin with
        self.inside = False  # it is a part
        self.filled = False  # what `act` and `norm` stand for is known
        self.gives: dict[str, list[str]] = {}  # what a part gives, and under "" what this network does
        self.run(network, {}, Row(Map(image.astype(np.float64), 0), None), [])

    def run(self, network: tree.Network, given: Mapping[str, Any], image: Row | None, maps: Sequence[Row]) -> None:
        """All of it, one item after the other."""
        waiting = list(maps)
        for parameter in network.parameters:
            name = parameter.name.text
            if name in given:
                self.reader.env[name] = given[name]
            else:
                assert parameter.default is not None
                self.reader.env[name] = self.reader.value(parameter.default)
        self.gives[""] = []
        for item in sorted(network.items, key=lambda item: not isinstance(item, tree.Rules)):  # widths are read by them
            if isinstance(item, tree.Input):
                assert image is not None
                self.rows[""] = self.rows[item.name.text] = image
            elif isinstance(item, tree.Row):
                self.row(item)
                self.gives[""] += [item.name.text] if item.kind == "output" else []
            elif isinstance(item, tree.Maps):
                self.rows |= {name.text: waiting.pop(0) for name in item.names}
            elif isinstance(item, tree.Outputs):
                self.outputs(item)
            elif isinstance(item, tree.Part):
                self.part(item)
            elif not (self.inside and isinstance(item, tree.Rules)):
                self.set(item)
        assert not waiting

    def outputs(self, item: tree.Outputs) -> None:
        """Rows that are outputs themselves, or outputs that are rows."""
        names = [name.text for name in item.names]
        self.gives[""] += names
        sources = [row for name in item.sources or () for row in self.gives.get(name.text, [name.text])]
        for name, source in zip(names, sources, strict=True) if item.sources is not None else ():
            self.rows[name] = self.rows[source]
            self.values[name] = [self.rows[source].map]

    def part(self, item: tree.Part) -> None:
        """A network run inside this one, as often as it stands there."""
        clauses = {clause.keyword.text: clause.value for clause in item.clauses}
        declared = next(one for one in _written(self.scope.file) if one.name.text == item.use.name.text)
        maps = [
            self.rows[row] for name in self.names(clauses, "from") for row in self.gives.get(name.text, [name.text])
        ]
        given = dict(
            zip([p.name.text for p in declared.parameters], map(self.positional, item.use.arguments), strict=False)
        )
        given = {name: value for name, value in given.items() if value is not None} | self.arguments(item.use)
        times = self.number(clauses["repeat"]) if "repeat" in clauses else 1  # type: ignore[arg-type]
        for turn in range(times):
            prefix = f"{item.name.text}.rep{turn}." if "repeat" in clauses else f"{item.name.text}."
            inner = copy(self)
            inner.weights = self.weights + (prefix if item.shared is None else f"{item.name.text}.")
            inner.setting = replace(
                self.setting, roles=dict(self.setting.roles), attributes=dict(self.setting.attributes)
            )
            inner.filled = not any(isinstance(one, tree.Defaults) for one in declared.items)
            inner.reader = Reader(inner.setting, self.scope, (), {})
            inner.widths, inner.uses, inner.rows, inner.values, inner.gives = {**self.widths}, {**self.uses}, {}, {}, {}
            inner.inside = True
            inner.run(declared, given, None, maps)
            self.values |= {prefix + name: value for name, value in inner.values.items()}
            made = {name: inner.rows[name] for name in inner.gives[""]}
            maps = [*made.values()]
            self.rows |= {f"{item.name.text}.{name}": row for name, row in made.items()}
        self.gives[item.name.text] = [f"{item.name.text}.{name}" for name in made]

    def positional(self, argument: tree.Argument) -> Any:
        return self.number(argument.value) if argument.name is None else None

    def number(self, expr: tree.Expr) -> Any:
        return self.reader.value(expr)

    def arguments(self, use: tree.Use) -> dict[str, Any]:
        return {a.name.text: self.number(a.value) for a in use.arguments if a.name is not None}

    def set(self, item: tree.NetworkItem) -> None:
        if isinstance(item, tree.Setting):
            self.uses[item.keyword] = item.use
        elif isinstance(item, tree.Widths):
            for width in item.items:
                low, high = self.number(width.low), self.number(width.high or width.low)
                self.widths |= dict.fromkeys(range(low, high + 1), self.setting.width(self.number(width.value)))
        elif isinstance(item, tree.Rules):
            sizes = any(rule.name.text == "sizes" and self.number(rule.low) == "any" for rule in item.items)
            multiple = self.setting.multiple
            for rule in (one for one in item.items if one.name.text == "channels"):
                call = rule.low
                multiple = self.number(call.arguments[0].value) if isinstance(call, tree.Call) else 1
            self.setting = Setting({}, {}, self.setting.tensors, sizes, self.setting.image, multiple)
        elif isinstance(item, tree.Defaults):
            self.defaults = item
        elif isinstance(item, tree.Binding):
            self.reader.env[item.name.text] = self.number(item.value)

    def fill(self) -> None:
        """`defaults`: what `act` and `norm` stand for, and what primitives begin with."""
        for item in self.defaults.items:
            given, name = self.arguments(item.use), item.use.name.text
            if item.role is None:
                self.setting.attributes[name] = given
            else:
                self.setting.roles[item.role.text] = (self.reader.value(tree.Ident(name, item.span)), given)

    def row(self, row: tree.Row) -> None:
        if not self.filled:
            self.fill()
            self.filled = True
        clauses = {clause.keyword.text: clause.value for clause in row.clauses}
        name, direct = row.name.text, "after" in clauses or row.kind != "block"
        named = self.names(clauses, "from") + self.names(clauses, "after")
        sources = [row for part in named for row in self.gives.get(part.text, [part.text])] or [""]
        inputs = [self.rows[source].map for source in sources]
        if row.use.name.text not in self.scope.definitions:  # a plain output: what stands there is a block
            source = row.use.name.text
            self.rows[name] = self.rows[self.gives.get(source, [source])[0]]
            self.values[name] = [self.rows[name].map]
            return
        definition, home = self.scope.definitions[row.use.name.text]
        given = self.arguments(row.use)
        takes = {parameter.name.text for parameter in definition.parameters}
        level = self.number(clauses["level"]) if "level" in clauses else None  # type: ignore[arg-type]
        channels = None
        if "channels" in clauses:
            said = self.number(clauses["channels"])  # type: ignore[arg-type]
            channels = self.setting.width(said) if row.kind in ("stem", "block") else math.floor(said)
        elif "channels" in takes - given.keys():
            channels = self.widths.get(level) if level is not None else None
        if channels is not None and "channels" in takes:
            given.setdefault("channels", channels)
        if row.kind == "head":
            first = definition.parameters[0].name.text
            returned, yielded = use(
                self.setting, home, definition, {first: tuple(inputs), **given}, (self.weights + name,)
            )
            self.values[name] = yielded or [returned]
            return
        places = self.places(definition, given)
        several = row.kind == "block" and len(places) > 1
        if direct:
            levels = [one.level for one in inputs if one.level is not None]
            if "stride" in takes - given.keys() and level is not None and levels:
                given["stride"] = 1 << (level - max(levels))
        else:
            assert level is not None
            target = self.target(definition, home, given, level, channels)
            own = self.own(row) or [None] * len(sources)
            inputs = self.resampled(name, clauses, own, sources, target)
            if not several:
                inputs = [self.joined(name, clauses, inputs)]
            if any(one.name.text == "stride" and one.default is None for one in definition.parameters):
                given.setdefault("stride", 1)  # what was joined has the row's level
        times = self.number(clauses["repeat"]) if "repeat" in clauses else 1  # type: ignore[arg-type]
        first, value = definition.parameters[0].name.text, inputs[0]
        given |= dict(zip(places[1:], inputs[1:], strict=True)) if several else {}
        for turn in range(times):
            again = {"stride": 1} if turn and "stride" in given else {}
            value, _ = use(
                self.setting, home, definition, {**given, **again, first: value}, (self.weights + name, turn)
            )
        self.rows[name] = Row(value, channels)
        self.values[name] = [value]

    @staticmethod
    def names(clauses: Mapping[str, Any], keyword: str) -> tuple[tree.Name, ...]:
        found: tuple[tree.Name, ...] = clauses.get(keyword, ())
        return found

    def target(
        self, definition: tree.Definition, home: Scope, given: Mapping[str, Any], level: int, channels: int | None
    ) -> Block:
        """A row as resampling sees it: it asks for `in_channels` of its type, else for what that promises."""
        known = Reader(self.setting, home, (), {"stride": 1, **given})
        asks = False
        for parameter in definition.parameters[1:]:
            if parameter.name.text == "in_channels":
                asks = not isinstance(parameter.default, tree.Number | tree.Flag | None)
            if parameter.name.text not in known.env and parameter.default is not None:
                known.env[parameter.name.text] = known.value(parameter.default)
        assert definition.signature is not None
        promised = math.floor(known.value(definition.signature))
        height, width = (-(-size >> level) for size in self.setting.image)
        wanted = math.floor(known.env["in_channels"]) if asks else promised
        return Block(level, channels, wanted, promised, height, width)

    @staticmethod
    def places(definition: tree.Definition, given: Mapping[str, Any]) -> list[str]:
        """The parameters that take maps: the first ones without a default that the row does not give."""
        found: list[str] = []
        for parameter in definition.parameters:
            if parameter.name.text in ("channels", "stride") or parameter.default is not None:
                break
            if parameter.name.text not in given:
                found.append(parameter.name.text)
        return found

    def own(self, row: tree.Row) -> list[tree.Use | None]:
        """What each input alone goes through; of a part, each map that it gives."""
        fed = next(clause for clause in row.clauses if clause.keyword.text == "from")
        assert isinstance(fed.value, tuple)
        return [
            alone
            for part, alone in zip(fed.value, fed.own, strict=False)
            for _ in self.gives.get(part.text, [part.text])
        ]

    def resampled(
        self,
        name: str,
        clauses: Mapping[str, Any],
        own: Sequence[tree.Use | None],
        sources: Sequence[str],
        target: Block,
    ) -> list[Any]:
        """Every input, through its own resampling, or that of the row."""
        arrived = []
        for number, (source, alone) in enumerate(zip(sources, own, strict=True)):
            row = self.rows[source]
            assert row.map.level is not None
            height, width = (-(-size >> row.map.level) for size in self.setting.image)
            block = Block(row.map.level, row.channels, row.map.channels, row.map.channels, height, width)
            how = alone or clauses.get("resample") or self.uses["resample"]
            if how.name.text == "identity" and "identity" not in self.scope.definitions:
                arrived.append(row.map)
                continue
            definition, home = self.scope.definitions[how.name.text]
            places = [parameter.name.text for parameter in definition.parameters[:3]]
            given = dict(zip(places, (row.map, block, target), strict=True)) | self.arguments(how)
            arrived.append(use(self.setting, home, definition, given, (self.weights + name, "from", number))[0])
        return arrived

    def joined(self, name: str, clauses: Mapping[str, Any], inputs: Sequence[Any]) -> Any:
        """What was resampled, then what is absorbed as it is, all through the join."""
        arrived = [*inputs]
        arrived += [self.rows[part.text].map for part in self.names(clauses, "absorb")]
        how = clauses.get("join", self.uses["join"])
        if how.name.text in JOINS:
            call = tree.Call(
                how.name, (tree.Argument(None, tree.Ident("inputs", how.span), how.span),), False, how.span
            )
            return Reader(self.setting, self.scope, (self.weights + name, "join"), {"inputs": tuple(arrived)}).call(
                call
            )
        definition, home = self.scope.definitions[how.name.text]
        first = definition.parameters[0].name.text
        return use(
            self.setting,
            home,
            definition,
            {first: tuple(arrived), **self.arguments(how)},
            (self.weights + name, "join"),
        )[0]


def read(text: str, tensors: Sequence[Array], image: Array, network: str = "") -> dict[str, list[Map]]:
    """The values of every row of a network: one, or those that a head yields.

    Every tensor has to be used: one that is left over, or that has another shape, is a difference too.
    """
    scope = scope_of(text)
    found = [one for one in _written(scope.file) if network in ("", one.name.text)]
    made = Network(scope, found[0], tensors, image)
    assert not made.setting.tensors.left, f"{len(made.setting.tensors.left)} tensors are left over"
    return made.values


def _written(file: tree.File) -> Iterator[tree.Network]:
    return (network for network in file.networks if isinstance(network, tree.Network))
