"""The values of a network's settings: parameters and `let`s, `defaults`, `widths`, `rules` and the input."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.brief import Table
from spinedsl.diagnostics import Diagnostic, Edit, Label, nearest, one_of
from spinedsl.ir.expand import Context, Functions, Held, check_value, count_of, in_words
from spinedsl.ir.library import Defined
from spinedsl.ir.networks import Network, layers
from spinedsl.ir.resolve.network import NO_ROLE, fills
from spinedsl.ir.scalars import POISON, Poison, describe, is_number
from spinedsl.ops.primitives import ALIASES, FIXED, PRIMITIVES, ROLES, SIZES, Primitive
from spinedsl.ops.types import Attr, Literal, Loc, Type, Value
from spinedsl.record import Record, field
from spinedsl.source import Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ops.tasks import TaskKind

MAX_LEVEL = 16
MAX_SIZE = 65_536
MAX_INPUTS = 1_000
OUTPUTS = ("any",)
ROUNDED = ("stem", "block", "input")  # rows whose channels are rounded as widths are


class Settings(Record, frozen=False):
    """Evaluates the settings of one network; rows ask it for the values of their clauses."""

    network: Network
    context: Context
    widths: dict[int, tuple[int | None, Span]] = field(default_factory=dict)  # None: not known after a mistake
    widths_known: bool = True  # for which levels there are any
    multiple: int | None = 1  # of which widths are; None: not known after a mistake

    def __post_init__(self) -> None:
        declared = self.network.declared
        shell = Defined(tree.Definition("def", declared.name, (), None, (), declared.span), self.network.unit)
        self.values = Functions(self.context, shell)

    def report(self, diagnostic: Diagnostic) -> None:
        """Say it."""
        self.context.report(diagnostic)

    # ---- parameters and lets ----

    def open(self) -> None:
        """Give the network's parameters and `let`s their values."""
        env, arguments = self.values.env, self.network.arguments
        for parameter in self.network.declared.parameters:
            name = parameter.name.text
            if name in arguments:  # which may name parameters of the instance: they stand before the base's
                given = self.values.held(arguments[name])
                env[name] = given if self.same_kind(parameter, given, arguments[name]) else POISON
            elif parameter.default is not None:
                env[name] = self.values.held(parameter.default)
            else:
                env[name] = POISON
        for let in self.network.lets:
            env[let.name.text] = self.values.held(let.value)

    def constants(self) -> dict[str, Attr]:
        """The parameters and `let`s that are whole numbers; what a `let` is made of is kept."""
        written = {let.name.text: let.value for let in self.network.lets}
        found: dict[str, Attr] = {}
        for name, value in self.values.env.items():
            if isinstance(value, int) and not isinstance(value, bool) and "." not in name:
                expr = self.values.notation(written[name]) if name in written else Literal(value)
                found[name] = Attr(value, expr)
        return Table(found)

    def same_kind(self, parameter: tree.Parameter, value: object, argument: tree.Expr) -> bool:
        """An argument is of the kind of the parameter's default."""
        default = self.values.held(parameter.default) if parameter.default is not None else POISON
        if isinstance(value, Poison) or isinstance(default, Poison):
            return True
        if _kind(default) == _kind(value) or (_callable(default) and _callable(value)):
            return True
        expected = _kind(default)
        found = say.EXPECTED_VALUE.at(
            argument.span, what=f"`{parameter.name.text}`", expected=expected, got=describe(value)
        )
        # It stands in the instance itself: nothing about the network that it is made of.
        found = found.with_others(Label(parameter.name.span, f"its default is {describe(default)}"))
        self.context.diagnostics.append(
            found.with_fix(f"give {expected}, as in `{parameter.name.text} = {in_words(default).strip('`')}`")
        )
        return False

    # ---- defaults ----

    def defaults(self) -> None:
        """Tell the context what `defaults` say: entries of primitives first, since roles build on them."""
        attributes: dict[str, dict[str, Value]] = {}
        roles: dict[str, tuple[Primitive, dict[str, Value]]] = {}
        items = self.network.defaults.items if self.network.defaults is not None else ()
        defined: dict[str, tuple[Defined, dict[str, Value | Held]]] = {}
        for item in sorted(items, key=lambda item: item.role is not None):
            if (own := self.defined(item)) is not None:
                assert item.role is not None
                defined.setdefault(item.role.text, (own, self.given(item.use)))
                continue
            primitive = self.chosen(item)
            if primitive is None or (item.role is not None and not fills(item.role.text, primitive)):
                if item.role is None and item.use.name.text in ROLES:
                    roles[item.use.name.text] = (PRIMITIVES["identity"], {})
                elif item.role is not None:
                    roles[item.role.text] = (PRIMITIVES["identity"], {})
                continue
            values = self.attributes(item.use, primitive)
            if item.role is None:
                attributes[primitive.name] = values
            else:
                role = item.role.text if item.role.text in ROLES else nearest(item.role.text, ROLES) or ""
                roles.setdefault(role, (primitive, {**attributes.get(primitive.name, {}), **values}))
        unknown = [item.role.text for item in items if item.role is not None and item.role.text not in ROLES]
        if self.network.is_part or not self.network.sound_text or not all(nearest(name, ROLES) for name in unknown):
            # The entry may stand in what could not be read, or in the network that this is a part of.
            for name in ("act", "norm"):
                roles.setdefault(name, (PRIMITIVES["identity"], {}))
        self.context.set_defaults(roles, attributes, defined)

    def defined(self, item: tree.DefaultItem) -> Defined | None:
        """The `def` that fills a role."""
        name = item.use.name
        if item.role is None or item.role.text not in ROLES:
            return None
        if name.text in self.values.env:
            held = self.values.env[name.text]
            found = held.defined if isinstance(held, Held) else None
            self.context.held_roles |= {item.role.text} if found is not None else set()
        else:
            found = self.network.unit.home(name.span).definitions.get(name.text)
        return found if found is not None and found.kind == "def" else None

    def given(self, use: tree.Use) -> dict[str, Value | Held]:
        """What `defaults` give to a `def`."""
        values: dict[str, Value | Held] = {}
        for argument in use.arguments:
            value = self.values.held(argument.value)
            if argument.name is not None and isinstance(value, int | Fraction | str | Held):
                values[argument.name.text] = value
        return values

    def chosen(self, item: tree.DefaultItem) -> Primitive | None:
        """The primitive that an entry names, or that a parameter or `let` it names holds; None after a mistake."""
        name = item.use.name
        held = self.values.env.get(name.text, POISON) if item.role is not None else POISON
        if item.role is not None and name.text == NO_ROLE and isinstance(held, Poison):
            return PRIMITIVES["identity"]
        if name.text in PRIMITIVES or name.text in ALIASES or isinstance(held, Poison):
            return PRIMITIVES.get(ALIASES.get(name.text, name.text))
        primitive = PRIMITIVES.get(held) if isinstance(held, str) else None
        if primitive is None or not primitive.activation:
            activations = [found.name for found in PRIMITIVES.values() if found.activation]
            found = say.EXPECTED_VALUE.at(name.span, what="`act`", expected="an activation", got=in_words(held))
            self.report(found.with_fix(f"give `{name.text}` one of {one_of(activations)}"))
            return None
        return primitive

    def attributes(self, use: tree.Use, of: Primitive | TaskKind) -> dict[str, Value]:
        """The attributes that an entry sets, or that a task is given."""
        values: dict[str, Value] = {}
        for argument in use.arguments:
            attribute = of.attribute(argument.name.text) if argument.name is not None else None
            written = argument.value
            is_list = isinstance(written, tree.ListOf) and (attribute is None or attribute.many)
            items = written.items if is_list and isinstance(written, tree.ListOf) else (written,)
            found = [self.values.evaluate(item) for item in items]
            if attribute is None or any(isinstance(value, Poison) for value in found):
                continue
            what = f"`{attribute.name}` of `{of.name}`"
            checked = [check_value(attribute, value, i.span, what) for value, i in zip(found, items, strict=True)]
            wrong = [value for value in checked if isinstance(value, Diagnostic)]
            for one in wrong:
                self.report(one)
            if not wrong:
                right = tuple(value for value in checked if not isinstance(value, Diagnostic))
                values[attribute.name] = right if attribute.many else right[0]
        return values

    # ---- numbers ----

    def whole(self, expr: tree.Expr, what: str, least: int, most: int) -> int | None:
        """A whole number in a range, or None with the reason reported."""
        value = self.values.evaluate(expr)
        if isinstance(value, Poison):
            return None
        if not is_number(value):
            self.report(say.EXPECTED_VALUE.at(expr.span, what=what, expected="a whole number", got=in_words(value)))
            return None
        if value != floor(value) or not least <= value <= most:
            expected = f"a whole number from {least:,} to {most:,}"
            found = say.OUT_OF_RANGE.at(expr.span, what=what, expected=expected, got=describe(value))
            self.report(found.with_value(expr.span, str(min(max(floor(value), least), most))))
            return None
        return int(value)

    def count(self, expr: tree.Expr, what: str) -> int | None:
        """A number of channels: floored, at least 1."""
        value = self.values.evaluate(expr)
        if isinstance(value, Poison):
            return None
        checked = count_of(value, expr.span, what)
        if isinstance(checked, Diagnostic):
            self.report(checked)
            return None
        return checked

    def rounds(self, kind: str) -> bool:
        """The `channels` of such rows are not what is written there."""
        return self.multiple != 1 and kind in ROUNDED

    def width(self, expr: tree.Expr, what: str) -> int | None:
        """The channels of maps between rows: rounded as `rules` say."""
        value = self.values.evaluate(expr)
        if isinstance(value, Poison) or self.multiple is None:
            return None
        if self.multiple != 1 and is_number(value):
            from spinedsl.ir.elaborate.rounding import rounded  # noqa: PLC0415  few networks round their widths

            value = rounded(value, self.multiple)
        checked = count_of(value, expr.span, what)
        if isinstance(checked, Diagnostic):
            self.report(checked)
            return None
        return checked

    def level(self, expr: tree.Expr) -> int | None:
        """A level that can be, or None with the reason reported."""
        value = self.values.evaluate(expr)
        if isinstance(value, Poison):
            return None
        if not is_number(value):
            expected = "a whole number"
            found = say.EXPECTED_VALUE.at(expr.span, what="a level", expected=expected, got=in_words(value))
            self.report(found.with_fix("say its number, as in `level 4`: a map of that level is 1/16 of the input"))
            return None
        if value != floor(value) or not 0 <= value <= MAX_LEVEL:
            expected = f"a whole number from 0 to {MAX_LEVEL}"
            found = say.LEVEL_RANGE.at(expr.span, got=describe(value), expected=expected)
            inside = 0 <= value <= MAX_LEVEL
            other = "choose a level at which the network has a width"
            self.report(found.with_value(expr.span, str(floor(value))) if inside else found.with_fix(other))
            return None
        return int(value)

    # ---- widths, rules, input ----

    def read_widths(self, around: Settings | None = None) -> None:
        """The channels of each level, rounded by what a part says of that, else what is `around` it."""
        if self.network.rules is not None or self.network.broken:
            from spinedsl.ir.elaborate.rounding import has_rounding, multiple_of  # noqa: PLC0415  few networks have rules

            self.multiple = multiple_of(self) if around is None or has_rounding(self.network) else around.multiple
        elif around is not None:
            self.multiple = around.multiple
        for layer in layers(self.network.widths):
            self.widths |= self.widths_of(layer)

    def widths_of(self, layer: tree.Widths) -> dict[int, tuple[int | None, Span]]:
        """The channels of each level that one `widths` says; no level has two there."""
        widths: dict[int, tuple[int | None, Span]] = {}
        for item in layer.items:
            low = self.level(item.low)
            high = self.level(item.high) if item.high is not None else low
            width = self.width(item.value, "a width")
            if low is None or high is None:
                self.widths_known = False
                continue
            if high < low:
                self.empty_range(item.low, item.high, low, high)
                low, high = high, low
            levels = range(low, high + 1)
            twice = next((level for level in levels if level in widths), None)
            if twice is not None:
                found = say.WIDTH_TWICE.at(item.span, level=twice)
                found = found.with_others(Label(widths[twice][1], f"level {twice} has its width here"))
                self.report(found.repaired(level=twice))
            widths = dict.fromkeys(levels, (width, item.span)) | widths
        return widths

    def empty_range(self, first: tree.Expr, last: tree.Expr | None, low: int, high: int) -> None:
        """The larger number stands first."""
        assert last is not None
        span = first.span.to(last.span)
        found = say.EMPTY_RANGE.at(span, low=low, high=high)
        self.report(found.repaired(Edit(span, f"{high}..{low}"), low=low, high=high))

    def input_rule(self) -> tuple[int, int]:
        """How many inputs a block has, at least and at most: one or two, unless `rules` say otherwise.

        Of a part by itself any number, if it does not say: the network around it does.
        """
        for item in self.network.rules.items if self.network.rules is not None else ():
            if item.name.text != "inputs":
                continue
            low = self.whole(item.low, "`inputs`", 1, MAX_INPUTS)
            high = self.whole(item.high, "`inputs`", 1, MAX_INPUTS) if item.high is not None else low
            if low is None or high is None:
                return 1, MAX_INPUTS
            if high < low:
                self.empty_range(item.low, item.high, low, high)
                return high, low
            return low, high
        return (1, MAX_INPUTS) if self.network.is_part or self.network.may_mean("inputs") else (1, 2)

    def outputs_any(self) -> bool:
        """Several outputs may have one level: `rules { outputs any }`."""
        for item in self.network.rules.items if self.network.rules is not None else ():
            if item.name.text != "outputs":
                continue
            value = self.values.evaluate(item.low)
            if value in OUTPUTS and item.high is None:
                return bool(value == "any")
            self.misruled(item, value, one_of(OUTPUTS), "let several have one level", "any")
            return True
        return self.network.may_mean("outputs", "any")

    def sizes(self) -> tuple[str | None, Loc | None]:
        """Which sizes the input may have, by `rules { sizes … }`, and where that stands; None where it is unknown."""
        for item in self.network.rules.items if self.network.rules is not None else ():
            if item.name.text != "sizes":
                continue
            value = self.values.evaluate(item.low)
            if value in SIZES and item.high is None:
                return str(value), Loc(item.low.span.source.name, item.low.span.line)
            self.misruled(item, value, one_of(SIZES), "let sizes be rounded up", "any")
            return None, None
        return None if self.network.may_mean("sizes", "any", FIXED) else "divisible", None

    def misruled(self, item: tree.RuleItem, value: object, expected: str, fix: str, instead: str) -> None:
        """A rule with a value that it does not take, where that is written: in the rule, or of the name in it."""
        if isinstance(value, Poison):
            return
        rule, low, is_range = item.name.text, item.low, item.high is not None
        written = low if is_range else self.written(low)
        place = low.span.to(item.high.span) if item.high is not None else written.span
        got = "a range" if is_range else in_words(value)
        found = say.EXPECTED_VALUE.at(place, what=f"`{rule}`", expected=expected, got=got)
        if written is not low:
            found = found.with_others(Label(low.span, f"`{rule}` is what `{low.span.text}` is"))
        name = rule if written is low else f"{low.span.text} ="
        found = found.with_fix(f"{fix}: `{name} {instead}`", Edit(place, instead))
        if written in self.network.arguments.values():  # they stand in the instance itself
            self.context.diagnostics.append(found)
        else:
            self.report(found)

    def written(self, expr: tree.Expr) -> tree.Expr:
        """What gives a parameter or a `let` its value; anything else as it is."""
        if not isinstance(expr, tree.Ident):
            return expr
        defaults = {one.name.text: one.default for one in self.network.declared.parameters if one.default is not None}
        lets = {let.name.text: let.value for let in self.network.lets}
        return {**defaults, **lets, **self.network.arguments}.get(expr.name, expr)

    def input_type(self, given: tuple[int, int] | None) -> Type | None:
        """The input as declared, or of the size `given` from outside."""
        declared = self.network.input
        if declared is None:
            return None
        channels = self.count(declared.sizes[0], "the channel count of the input")
        height, width = (self.whole(expr, "a size of the input", 1, MAX_SIZE) for expr in declared.sizes[1:])
        if given is not None:
            height, width = given
        if channels is None or height is None or width is None:
            return None
        return Type(channels, height, width, 0)

    def highest_level(self) -> int:
        """The highest level that any row says."""
        levels = [0]
        for row in self.network.rows:
            expr = row.value_of("level")
            value = self.values.evaluate(expr) if expr is not None else 0
            if is_number(value) and 0 <= value <= MAX_LEVEL:
                levels.append(int(value))
        return max(levels)


def _callable(value: object) -> bool:
    """A definition, or an activation."""
    return isinstance(value, Held) or (isinstance(value, str) and value in PRIMITIVES)


def _kind(value: object) -> str:
    """What an argument is, in words."""
    if isinstance(value, Held):
        return "a definition"
    if isinstance(value, bool):
        return "`true` or `false`"
    return "a number" if is_number(value) else "a symbol" if isinstance(value, str) else "a list"
