"""The parts of a network while networks are made: what each names, and how often it stands there.

In: a network as it is parsed, and the maker of networks, which has made what its parts name. Out: the network written
out. How often a part repeats may be a parameter; a network is then written out anew for each value that it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, Protocol

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.expand import Context, Functions, Work
from spinedsl.ir.library import Defined, Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.parts import write_out
from spinedsl.ir.resolve.expressions import Expressions, Scope
from spinedsl.ir.scalars import POISON, Poison, describe, is_number
from spinedsl.ir.trace import Trace
from spinedsl.record import replace
from spinedsl.syntax import tree

MAX_REPEAT = 1_000
Key = tuple[Unit, str]
Values = Mapping[str, Any]  # of parameters


class Maker(Protocol):
    """Makes the networks of a file."""

    made: dict[Key, Network | None]
    unsound: set[Key]

    def anew(self, key: Key, values: Values, given: Label) -> Network | None:
        """A network for other values of its parameters, given there."""

    def missing(self, unit: Unit, name: tree.Name, own: str) -> None:
        """Report that `name` is no network."""


class Parts:
    """The parts of one network."""

    def __init__(
        self, maker: Maker, unit: Unit, declared: tree.Network, values: Values | None, trace: Trace | None = None
    ) -> None:
        self.maker, self.unit, self.declared, self.trace = maker, unit, declared, trace
        self.values = values
        self.varies = False
        self.evaluated = 0  # of the `let`s that stand for what parts are given
        self._numbers: Functions | None = None

    def written(self) -> tuple[tree.Network, list[Diagnostic]]:
        """The network with rows for its parts."""
        declared, reported = write_out(self.declared, self.made, self.wrong, self.times, self.trace)
        return replace(declared, whole=self.declared), [
            *reported,
            *(self._numbers.context.diagnostics if self._numbers is not None else ()),
        ]

    def made(self, part: tree.Part, lets: Sequence[tree.Binding]) -> Network | None:
        """The network that a part names; None where that is wrong, or the network is."""
        name, maker = part.use.name, self.maker
        home = self.unit.home(name.span)
        homes = home.with_network(name.text)
        if len(homes) != 1:
            maker.missing(home, name, self.declared.name.text)
            return None
        key = homes[0], name.text
        network = maker.made[key]
        if network is None or key in maker.unsound or not network.sound_text:
            return None
        if not network.varies:
            return network
        self.varies = True
        numbers = self.numbers(lets)
        names = iter(parameter.name.text for parameter in network.declared.parameters)
        values: dict[str, object] = {}
        before = len(numbers.context.diagnostics)
        for argument in part.use.arguments:
            named = argument.name.text if argument.name is not None else next(names, "")
            self.named(argument.value, numbers.context.diagnostics, held=True)
            if len(numbers.context.diagnostics) == before:
                values[named] = numbers.held(argument.value)
        if len(numbers.context.diagnostics) > before:
            return None
        return maker.anew(key, values, Label(part.span, "in this part"))

    def wrong(self, use: tree.Use, network: Network) -> list[Diagnostic]:
        """What is wrong with the arguments of a part."""
        declared, found = network.declared, list[Diagnostic]()
        parameters = [parameter.name.text for parameter in declared.parameters]
        known = network.arguments
        required = [p.name.text for p in declared.parameters if p.default is None and p.name.text not in known]
        expressions = Expressions(self.unit.home(use.span), found, in_network=True)
        expressions.arguments(use.name, use.arguments, use.span, parameters, required, declared.name.span)
        return found

    def times(self, expr: tree.Expr, lets: Sequence[tree.Binding]) -> int | None:
        """How often a part stands there; once where that is for whoever uses the network to say."""
        self.varies = self.varies or not isinstance(expr, tree.Number)
        numbers = self.numbers(lets)
        before = len(numbers.context.diagnostics)
        self.named(expr, numbers.context.diagnostics)
        if len(numbers.context.diagnostics) > before:
            return None  # it names what is not there
        value = numbers.evaluate(expr)
        if isinstance(value, Poison):
            return 1 if len(numbers.context.diagnostics) == before else None
        if is_number(value) and value == floor(value) and 1 <= value <= MAX_REPEAT:
            return int(value)
        expected = f"a whole number from 1 to {MAX_REPEAT:,}"
        if not is_number(value):
            found = say.EXPECTED_VALUE.at(expr.span, what="`repeat`", expected="a whole number", got=describe(value))
            numbers.context.report(found.with_fix("say how often, as in `repeat 3`"))
            return None
        found = say.OUT_OF_RANGE.at(expr.span, what="`repeat`", expected=expected, got=describe(value))
        numbers.context.report(found.with_value(expr.span, str(min(max(floor(value), 1), MAX_REPEAT))))
        return None

    def named(self, expr: tree.Expr, diagnostics: list[Diagnostic], *, held: bool = False) -> None:
        """Report names in an expression of the network that stand for nothing; what is `held` may be a definition."""
        lets = (item for item in self.declared.items if isinstance(item, tree.Binding))
        names = {parameter.name.text: ("parameter", parameter.name.span) for parameter in self.declared.parameters}
        names |= {let.name.text: ("let", let.name.span) for let in lets}
        expressions = Expressions(self.unit.home(expr.span), diagnostics, in_network=True)
        (expressions.held if held else expressions.check)(expr, Scope(names))

    def numbers(self, lets: Sequence[tree.Binding]) -> Functions:
        """What evaluates numbers of this network, with what its parts so far are given."""
        if self._numbers is None:
            self._numbers = opened(self.declared, self.unit, self.values)
        for let in lets[self.evaluated :]:
            self._numbers.env[let.name.text] = self._numbers.held(let.value)
        self.evaluated = len(lets)
        return self._numbers


def given_to(base: Network, instance: tree.Instance, unit: Unit, values: Values | None) -> Values:
    """The values of the parameters of what an instance is made of, its own having `values`."""
    own = tree.Network(instance.name, instance.parameters, (), instance.span, instance.span)
    numbers = opened(own, unit, values)
    names = iter(parameter.name.text for parameter in base.declared.parameters)
    found: dict[str, Any] = dict(numbers.env) | dict(values or {})
    for argument in instance.given:
        name = argument.name.text if argument.name is not None else next(names, "")
        if name not in (values or {}):  # what is made of the instance has the last word
            found[name] = numbers.held(argument.value)
    return found


def opened(declared: tree.Network, unit: Unit, values: Values | None) -> Functions:
    """The values of a network's parameters and `let`s, before anything else of it is known."""
    network = Network(
        name=declared.name.text, declared=replace(declared, items=()), unit=unit, input=None, defaults=None,
        widths=None, rules=None, lets=(), allowed=(), rows=(), mentioned=frozenset(), arguments={},
    )  # fmt: skip
    shell = Defined(tree.Definition("def", declared.name, (), None, (), declared.span), unit)
    numbers = Functions(Context(network, Work()), shell)
    for parameter in declared.parameters:
        name = parameter.name.text
        if name in (values or {}) and not isinstance((values or {})[name], Poison):
            numbers.env[name] = (values or {})[name]
        elif parameter.default is not None:
            numbers.env[name] = numbers.held(parameter.default)
        else:
            numbers.env[name] = POISON
    for let in (item for item in declared.items if isinstance(item, tree.Binding)):
        numbers.env[let.name.text] = numbers.held(let.value)
    numbers.context.diagnostics.clear()  # of these it is reported where all values are found
    return numbers
