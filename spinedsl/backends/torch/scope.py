"""The compile-time side of a class: its constructor's arguments, and every number of its body in terms of them.

In: the uses of a definition and its body over all of them. On demand, for a `Scalar` of that body: Python that gives
its value, written as in the file where whole numbers can say it, and held against the value of every use. What cannot
be written becomes a number where all uses agree, else an argument of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from spinedsl.backends.torch.body import Scalar, ScalarAt, Use
from spinedsl.backends.torch.expressions import Leaf, evaluate, leaves, same, simplify, write
from spinedsl.backends.torch.names import python_name
from spinedsl.ops.program import Module
from spinedsl.ops.reserved import MODULE_ATTRIBUTES
from spinedsl.ops.types import Expr, Literal, Name, Operation, Property, Value
from spinedsl.record import Record, field

# Where an argument stands in the signature.
MAPS, FORMALS, PROPERTIES, LIFTED = range(4)
COUNTED = ("channels", "in_channels", "out_channels")  # properties that make readable arguments


class Argument(Record, frozen=False, eq=False):
    """A constructor argument. `values` are by module; None where the module never reads it."""

    key: str
    name: str
    values: tuple[Value | None, ...]
    default: Value | None
    place: tuple[int, int]
    stored: bool = False  # as an attribute, for `forward`

    @property
    def positional(self) -> bool:
        """Calls give it without its name."""
        return self.default is None and self.place[0] in (MAPS, FORMALS)

    @property
    def annotation(self) -> str:
        """Its type."""
        return _annotation([value for value in (*self.values, self.default) if value is not None])


def _annotation(values: Sequence[Value]) -> str:
    numbers = [value for value in values if not isinstance(value, tuple)]
    if 0 < len(numbers) < len(values):
        return f"{_annotation(numbers)} | {_annotation([value for value in values if isinstance(value, tuple)])}"
    if all(isinstance(value, tuple) for value in values):
        inner = _annotation([item for value in values if isinstance(value, tuple) for item in value])
        return f"tuple[{inner}, ...]"
    if all(isinstance(value, bool) for value in values):
        return "bool"
    if all(isinstance(value, str) for value in values):
        return "str"
    return "float" if any(isinstance(value, Fraction) for value in values) else "int"


class Local(Record, frozen=False, eq=False):
    """A compile-time `let`, written as a local variable of `__init__` if something there reads it."""

    name: str
    expr: Expr
    used: bool = False


ByModule: TypeAlias = "tuple[Value | None, ...]"


class Scope(Record, frozen=False, eq=False):
    """Names and numbers of one class. `taken` holds the names of its submodules from the start.

    A `let` and a loop are known by their number in the text: names may be bound again elsewhere.
    """

    modules: Sequence[Module]
    taken: set[str]
    lets: Mapping[int, ScalarAt]
    unsettled: frozenset[tuple[str, ...]]  # paths of shared convolutions that one module cannot do
    order: Mapping[str, int]  # of the `let`s: arguments made for them stand in it
    arguments: dict[str, Argument] = field(default_factory=dict)
    loops: dict[int, str] = field(default_factory=dict)  # the name of each index
    indexed: set[int] = field(default_factory=set)  # the loops whose index was read
    locals: dict[int, Local] = field(default_factory=dict)
    local_names: dict[str, str] = field(default_factory=dict)
    resolved: dict[Scalar, Expr] = field(default_factory=dict)
    lifted: dict[tuple[Expr, ...], list[str]] = field(default_factory=dict)  # keys of arguments by what they stand for

    def fresh(self, name: str) -> str:
        """A name of this class that is not taken yet, and now is."""
        name = python_name(name, self.taken | MODULE_ATTRIBUTES)
        self.taken.add(name)
        return name

    # ---- writing ----

    def in_init(self, scalar: Scalar, hint: str, least: int = 0) -> str:
        """The value as `__init__` says it. `hint` names an argument, should it have to be one."""
        return write(self.resolve(scalar, hint), self._leaf_in_init, least)

    def in_forward(self, scalar: Scalar, hint: str, least: int = 0) -> str:
        """The value as `forward` says it, from attributes that `__init__` then sets."""
        return self.forward_text(self.expanded(self.resolve(scalar, hint)), least)

    def init_text(self, expr: Expr, least: int = 0) -> str:
        """A resolved expression in `__init__`."""
        return write(expr, self._leaf_in_init, least)

    def forward_text(self, expr: Expr, least: int = 0) -> str:
        """A resolved and expanded expression in `forward`."""
        return write(expr, self._leaf_in_forward, least)

    def expanded(self, expr: Expr) -> Expr:
        """A resolved expression without local variables."""
        if isinstance(expr, Name) and expr.binder in self.lets:
            return self.expanded(self._local(expr.binder).expr)
        if isinstance(expr, Operation):
            return Operation(expr.operator, tuple(self.expanded(part) for part in expr.operands))
        return expr

    def _leaf_in_init(self, leaf: Leaf) -> str:
        if isinstance(leaf, Name) and leaf.binder in self.lets:
            local = self._local(leaf.binder)
            if not local.used:
                local.used = True
                self.init_text(local.expr)  # what it reads is needed as well
            return local.name
        return self._index(leaf) or self.argument(_key(leaf)).name

    def _leaf_in_forward(self, leaf: Leaf) -> str:
        if index := self._index(leaf):
            return index
        argument = self.argument(_key(leaf))
        argument.stored = True
        return f"self.{argument.name}"

    def _index(self, leaf: Leaf) -> str:
        """The name of the index that the leaf is; empty if it is none."""
        if not isinstance(leaf, Name) or leaf.binder not in self.loops:
            return ""
        self.indexed.add(leaf.binder)
        return self.loops[leaf.binder]

    # ---- what a leaf is ----

    def _local(self, binder: int) -> Local:
        """The variable of `__init__` for a `let`. Those of one name never stand in each other, so they share it."""
        if binder not in self.locals:
            let = self.lets[binder]
            expr = self.resolve(let.value, let.name)
            bare = _bare(expr)
            if not bare and let.name not in self.local_names:
                self.local_names[let.name] = self.fresh(let.name)
            self.locals[binder] = Local("" if bare else self.local_names[let.name], expr)
        return self.locals[binder]

    def _leaf(self, leaf: Leaf) -> Expr | None:
        """What a leaf is replaced by; None where whole numbers cannot say it."""
        if isinstance(leaf, Name) and leaf.binder in self.lets:
            if not self.lets[leaf.binder].fixed:
                return None
            local = self._local(leaf.binder)
            return local.expr if _bare(local.expr) else leaf
        if isinstance(leaf, Name) and leaf.binder in self.loops:
            return leaf
        return self._leaf_of_definition(leaf)

    def _leaf_of_definition(self, leaf: Leaf) -> Expr | None:
        """A parameter, or a property of one. One that a default gives in every use is a number."""
        found = self._given(_key(leaf))
        if found is None or None in found:
            return None
        agreed = found[0] if all(same(value, found[0]) for value in found) else None
        is_map = isinstance(leaf, Property) and leaf.base in self.modules[0].maps
        if isinstance(leaf, Property) and leaf.name not in COUNTED:
            return Literal(agreed) if agreed is not None else None
        formal = next((f for f in self.modules[0].formals if isinstance(leaf, Name) and f.name == leaf.name), None)
        if (
            agreed is not None
            and not is_map
            and (formal is None or formal.default is not None or isinstance(agreed, str))
        ):
            return Literal(agreed)
        return None if isinstance(found[0], str) else leaf

    def _given(self, key: str) -> ByModule | None:
        """What comes in under a key: a parameter's value, or a property's, by module."""
        if key in self.arguments:
            return self.arguments[key].values
        base, _, property_ = key.partition(".")
        if property_ and base in self.modules[0].maps:
            types = [module.maps[base] for module in self.modules]
            return tuple(None if isinstance(type_, tuple) else getattr(type_, property_, None) for type_ in types)
        attrs = [module.scalars.get(key) for module in self.modules]
        return None if None in attrs else tuple(attr.value for attr in attrs if attr is not None)

    def _value(self, leaf: Leaf, use: Use) -> Value | None:
        """The value of a leaf in one use."""
        if isinstance(leaf, Name) and leaf.binder in self.lets:
            values = self.lets[leaf.binder].value.values
            outer = (use.iterations[:length] for length in range(len(use.iterations), -1, -1))
            return next((values[at] for around in outer if (at := Use(use.module, around)) in values), None)
        if isinstance(leaf, Name) and leaf.binder in self.loops:
            return use.at(leaf.binder)
        given = self._given(_key(leaf))
        return None if given is None else given[use.module]

    # ---- resolving ----

    def resolve(self, scalar: Scalar, hint: str) -> Expr:
        """An expression in arguments, locals and loop indices that has the scalar's value in every use."""
        if scalar not in self.resolved:
            self.resolved[scalar] = self.written(scalar) or self._by_iteration(scalar, hint)
        return self.resolved[scalar]

    def written(self, scalar: Scalar) -> Expr | None:
        """The value without an argument of its own: as the file says it, or a number; None if neither will do."""
        for candidate in self._candidates(scalar):
            if self._holds(candidate, scalar.values):
                return candidate
        return self._number(scalar) or self._first_and_others(scalar)

    def _candidates(self, scalar: Scalar) -> Iterator[Expr]:
        for expr in scalar.exprs:
            simple = simplify(expr, self._leaf)
            if simple is not None and (_bare(simple) or not self._fractional(simple, scalar.values)):
                yield simple

    def _fractional(self, expr: Expr, uses: Mapping[Use, Value]) -> bool:
        return any(isinstance(self._value(leaf, use), Fraction) for leaf in leaves(expr) for use in uses)

    def _holds(self, expr: Expr, values: Mapping[Use, Value]) -> bool:
        return all(same(evaluate(expr, lambda leaf: self._value(leaf, use)), value) for use, value in values.items())  # noqa: B023

    def _first_and_others(self, scalar: Scalar) -> Expr | None:
        """`first if i == 0 else others`: what a loop's first iteration finds is often unlike the rest."""
        around = next(iter(scalar.values)).iterations
        if not around:
            return None
        loop, _ = around[-1]
        first = {use: value for use, value in scalar.values.items() if use.at(loop) == 0}
        others = {use: value for use, value in scalar.values.items() if use not in first}
        if not first or not others:
            return None
        candidates = list(self._candidates(scalar))
        at_first = next((c for c in candidates if self._holds(c, first)), None)
        at_others = next((c for c in candidates if self._holds(c, others)), None)
        if at_first is None or at_others is None:
            return None
        start = Operation("==", (Name("", loop), Literal(0)))
        return Operation("if", (start, at_first, at_others))

    @staticmethod
    def _number(scalar: Scalar) -> Expr | None:
        constant = scalar.constant
        return Literal(constant) if constant is not None else None

    def _by_iteration(self, scalar: Scalar, hint: str) -> Expr:
        """An argument of its own; a tuple with a value for each iteration where they differ."""
        loops = [loop for loop, _ in next(iter(scalar.values)).iterations]
        for chosen in [(), *((loop,) for loop in loops), tuple(loops)]:
            nested = [_nested(scalar.values, number, chosen) for number in range(len(self.modules))]
            if all(value is not _UNCLEAR for value in nested):
                values = tuple(None if isinstance(value, _Unclear) else value for value in nested)
                expr: Expr = Name(self._lift(hint, values, scalar.exprs))
                for loop in chosen:
                    expr = Operation("[]", (expr, Name("", loop)))
                return expr
        raise AssertionError(f"{hint}: {scalar.values}")

    # ---- arguments ----

    def argument(self, key: str) -> Argument:
        """The argument for a key, made when first needed."""
        if key not in self.arguments:
            values = self._given(key)
            assert values is not None, key
            self.arguments[key] = self._new_argument(key, values)
        return self.arguments[key]

    def _new_argument(self, key: str, values: ByModule) -> Argument:
        formals = {formal.name: position for position, formal in enumerate(self.modules[0].formals)}
        base, _, property_ = key.partition(".")
        if not property_:
            return Argument(key, self.fresh(key), values, self._default(formals[key]), (FORMALS, formals[key]))
        if base in self.modules[0].maps:
            is_first = base == next(iter(self.modules[0].maps))
            name = self.fresh(f"in_{property_}" if is_first else f"{base}_{property_}")
            return Argument(key, name, values, None, (MAPS, formals[base]))
        return Argument(key, self.fresh(f"{base}_{property_}"), values, None, (PROPERTIES, len(self.arguments)))

    def _default(self, position: int) -> Value | None:
        """What a parameter's default is worth, if that is one number for all uses."""
        defaults = [module.formals[position].default for module in self.modules]
        found = [default.value for default in defaults if default is not None]
        agreed = bool(found) and all(same(value, found[0]) for value in found)
        return found[0] if agreed and isinstance(found[0], int | Fraction) else None

    def _lift(self, hint: str, values: ByModule, exprs: tuple[Expr, ...]) -> str:
        """The key of an argument that carries computed values. Modules that never read it fall back on a default."""
        for key in self.lifted.get(
            exprs, ()
        ):  # the same again: the channels that a convolution gives, and the next takes
            if self.arguments[key].values == values:
                return key
        key = f"@{hint}"
        while key in self.arguments and self.arguments[key].values != values:
            key += "'"
        if key not in self.arguments:
            known = [value for value in values if value is not None]
            default = None if len(known) == len(values) else _blank(known[0])
            place = (LIFTED, self.order.get(hint, len(self.order) + len(self.arguments)))
            self.arguments[key] = Argument(key, self.fresh(hint), values, default, place)
        if exprs:
            self.lifted.setdefault(exprs, []).append(key)
        return key

    def signature(self) -> list[Argument]:
        """The arguments in the order of the constructor: what has a default stands last."""
        return sorted(self.arguments.values(), key=lambda argument: (argument.default is not None, argument.place))


def _key(leaf: Leaf) -> str:
    return leaf.name if isinstance(leaf, Name) else f"{leaf.base}.{leaf.name}"


def _bare(expr: Expr) -> bool:
    return isinstance(expr, Literal | Name | Property)


class _Unclear:
    """One place of a tuple would need two values."""


_UNCLEAR = _Unclear()


def _blank(value: Value) -> Value:
    """A value of the same kind, for nobody to read; of a tuple, one with something in it, as TorchScript wants it."""
    if isinstance(value, tuple):
        return tuple(_blank(item) for item in value[:1])
    return type(value)() if isinstance(value, bool | Fraction) else 0


def _nested(values: Mapping[Use, Value], number: int, loops: tuple[int, ...]) -> Value | _Unclear | None:
    """The values of one module by the iterations of some loops; None if it has no value at all."""
    own = {use: value for use, value in values.items() if use.module == number}
    if not own:
        return None
    if not loops:
        first, *others = own.values()
        return first if all(same(value, first) for value in others) else _UNCLEAR
    loop, *inner = loops
    by_iteration: dict[int, dict[Use, Value]] = {}
    for use, value in own.items():
        iteration = use.at(loop)
        assert iteration is not None
        by_iteration.setdefault(iteration, {})[use] = value
    made: list[Value] = []
    for iteration in range(1 + max(by_iteration)):
        item = _nested(by_iteration.get(iteration, {}), number, tuple(inner))
        if isinstance(item, _Unclear):
            return item
        made.append(_blank(next(iter(own.values()))) if item is None else item)
    return tuple(made)
