"""Draw a definition of each kind: its parameters, a first map, a body of loops and choices, and what it gives.

In: numbers, and the helpers that it may call. Out: its text. A block type takes any stride and channels, a resample
type leads to every level, a join takes lists of one map or more, all of one width, a head any features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from spinedsl.testing.nested.maps import WIDEST
from spinedsl.testing.nested.scope import ITEMS, NAMES, Draw, Flag, Helper, Known, Map, Maps, Number, Scope, Symbol
from spinedsl.testing.nested.statements import Statements

Numbers: TypeAlias = Sequence[int]
CHANNELS = (4, 12)  # what rows declare
STATEMENTS = 5

# Parameters that a definition may have beside its maps: what is known of them, and their defaults.
OPTIONS: Mapping[str, tuple[Known, tuple[str, ...]]] = {
    "times": (Number("times", Fraction(0), Fraction(2), fixed=True), ("1", "2", "0")),
    "ratio": (Number("ratio", Fraction(0), Fraction(2), whole=False, fixed=True), ("0.5", "2", "1 / 3")),
    "deep": (Flag("deep"), ("true", "false")),
    "inner": (Symbol("inner"), ("relu", "swish", "gelu", "gated", "blended")),
}

# What a head does with a vector `{v}` of three times `outputs`.
OF_VECTORS = (
    "act(norm({v}))",
    "batch_norm({v}, epsilon = 0.01)",
    "layer_norm({v}) + {v}",
    "group_norm({v}, groups = outputs)",
    "norm(linear({v}, outputs * 3, bias = false))",
)


class Writer(Statements):
    """One definition at work."""

    def __init__(self, draw: Draw, helpers: Sequence[Helper] = ()) -> None:
        super().__init__(draw, helpers)
        self.scope = Scope()
        self.options: list[tuple[Known, bool]] = []

    def header(self, parameters: Sequence[str]) -> list[str]:
        """The parameters as text, with up to two of `OPTIONS`: most have a default, and may be left out."""
        written = list(parameters)
        for name in dict.fromkeys(self.draw.pick(tuple(OPTIONS)) for _ in range(self.draw.below(3))):
            known, defaults = OPTIONS[name]
            needed = self.draw.below(4) == 3
            written.append(name if needed else f"{name} = {self.draw.pick(defaults)}")
            self.options.append((known, not needed))
            self.scope.bind(name, known)
        return written

    def text(self, head: str) -> str:
        """The whole definition."""
        return "\n".join([f"{head} {{", *self.lines, "}\n"])

    def knows(self, text: str, low: int, high: int, *, whole: bool = True) -> None:
        """A number that the definition can read, by a name or as a property."""
        self.scope.bind(text, Number(text, Fraction(low), Fraction(high), whole, fixed=True))

    def holds(self, name: str, low: int, high: int, place: str, width: str = "", *, var: bool = False) -> Map:
        """A map that stands in scope."""
        known = Map(name, low, high, place, width, var)
        self.scope.bind(name, known)
        return known

    def begin(self, place: str, value: str, low: int, high: int, width: str) -> Map:
        """`var y = …`, which the statements change: of a sure width, or of any."""
        name = self.scope.fresh(NAMES[Map], self.draw)
        self.say(f"var {name} = {value}")
        sure = self.draw.below(2) == 0
        return self.holds(name, low if sure else 1, high if sure else WIDEST, place, width if sure else "", var=True)

    def work(self, place: str) -> None:
        """The statements."""
        self.statements(self.scope, place, STATEMENTS)

    def add(self, scope: Scope, item: Map, y: Map) -> None:
        """`y` and something made of an item."""
        self.say(f"{y.text} = {y.text} + {self.like(scope, self.pointwise(scope, item), y)}")

    def yields(self, scope: Scope, label: str, y: Map) -> None:
        """Something made of `y` under a label, often by weights that all features share."""
        value = self.shared(scope, y.place, 1) if self.draw.below(2) else self.map(scope, y.place)
        self.say(f"let {label} = {self.conv(scope, value, 'outputs').text}")
        self.say(f"yield {label}")


def helper(name: str, numbers: Numbers, helpers: Sequence[Helper]) -> tuple[str, Helper]:
    """A `def` of one to three maps, or of a list, and what is to be known to call it."""
    writer = Writer(Draw(numbers), helpers)
    draw, scope = writer.draw, writer.scope
    maps = 1 + draw.below(3)
    takes_list = draw.once_in(3)
    first = "a"
    parameters = ["a", "b", "c"][:maps]
    if takes_list:
        parameters[0] = "maps"
        scope.bind("maps", Maps("maps", 1, 4, Map("", 1, WIDEST, "first(maps)")))
        first = "first(maps)"
    for other in parameters[takes_list:]:
        writer.holds(other, 1, WIDEST, first)
    width = Number("width", Fraction(1), Fraction(16), fixed=True)
    optional = draw.below(2) == 1
    parameters.append("width = " + draw.pick((f"min({first}.channels, 16)", "6", "9")) if optional else "width")
    scope.bind("width", width)
    written = writer.header(parameters)
    derived = draw.once_in(3)  # a default that is made of the parameters before it
    if derived:
        twice = Number("twice", Fraction(1), Fraction(12), fixed=True)
        written.append(f"twice = {writer.number(scope, 1, 12, fixed=True).text}")
        writer.options.append((twice, True))
        scope.bind("twice", twice)
    start = "sum([conv(first(maps), width, kernel = 1)])" if takes_list else "conv(a, width, kernel = 1)"
    y = writer.begin(first, start, 1, 16, "width")
    writer.work(first)
    for other in parameters[1:maps]:
        writer.say(f"{y.text} = {y.text} + conv({other}, {y.width or y.text + '.channels'}, kernel = 1)")
    writer.leave(scope, y, "width")
    signature = draw.pick((" -> width", ""))
    text = writer.text(f"def {name}({', '.join(written)}){signature}")
    known = Helper(name, maps, takes_list, ((width, optional), *writer.options), 1, 16, "width", writer.cost + 1 + maps)
    return text, known


def block_type(name: str, numbers: Numbers, helpers: Sequence[Helper]) -> str:
    """A block type, or with `stride` a stem's: one convolution of the stride, then the body at that place."""
    writer = Writer(Draw(numbers), helpers)
    written = writer.header(["x", "channels", "stride" if writer.draw.below(3) == 2 else "stride = 1"])
    writer.knows("channels", *CHANNELS)
    writer.knows("x.channels", 1, WIDEST)
    writer.knows("x.level", 0, 4)
    writer.knows("stride", 1, 8)
    writer.say(f"let enter = conv(x, channels, kernel = {writer.draw.pick(('3', '1', '5'))}, stride = stride)")
    writer.holds("enter", *CHANNELS, "enter", "channels")
    writer.scope.bind("x", Map("x", 1, WIDEST, "x"))
    y = writer.begin("enter", "act(enter)", *CHANNELS, "channels")
    writer.work("enter")
    if writer.draw.below(2):
        y = Map(f"({y.text} + enter)", *CHANNELS, "enter", "channels") if y.width else y
    writer.leave(writer.scope, y, "channels")
    return writer.text(f"block_type {name}({', '.join(written)}) -> channels")


def stem_type(name: str, numbers: Numbers, helpers: Sequence[Helper]) -> str:
    """A stem that ends at level 1."""
    writer = Writer(Draw(numbers), helpers)
    written = writer.header(["image", "channels" if writer.draw.below(3) == 2 else "channels = 8"])
    writer.knows("channels", *CHANNELS)
    writer.say("let enter = conv(image, channels, kernel = 3, stride = 2)")
    writer.holds("enter", *CHANNELS, "enter", "channels")
    y = writer.begin("enter", "act(norm(enter))", *CHANNELS, "channels")
    writer.statements(writer.scope, "enter", 2)
    writer.leave(writer.scope, y, "channels")
    return writer.text(f"stem_type {name}({', '.join(written)}) -> channels")


def output_type(name: str, numbers: Numbers, helpers: Sequence[Helper]) -> str:
    """An output type: it keeps level and size."""
    writer = Writer(Draw(numbers), helpers)
    written = writer.header(["x", "channels"])
    writer.knows("channels", *CHANNELS)
    writer.holds("x", 1, WIDEST, "x")
    y = writer.begin("x", "conv(x, channels, kernel = 1)", *CHANNELS, "channels")
    writer.statements(writer.scope, "x", 3)
    writer.leave(writer.scope, y, "channels")
    return writer.text(f"output_type {name}({', '.join(written)}) -> channels")


def resample_type(name: str, numbers: Numbers, helpers: Sequence[Helper]) -> str:
    """A resample type: something at the source, loops that change the level, something at the target."""
    writer = Writer(Draw(numbers), helpers)
    draw, scope = writer.draw, writer.scope
    written = writer.header(["x", "source", "target"])
    for known in ("source.channels", "source.out_channels", "target.channels", "target.in_channels"):
        writer.knows(known, *CHANNELS)
    for known in ("x.level", "target.level"):
        writer.knows(known, 0, 4)
    writer.holds("x", *CHANNELS, "x")
    narrow = writer.number(scope, 1, 12)
    y = writer.begin("x", f"conv(x, {narrow.text}, kernel = 1)", 1, 12, "")
    writer.statements(scope, "x", 2)
    up(writer, y.text)
    down(writer, y.text)
    arrived = scope.fresh(("there", "moved"), draw)
    writer.say(f"let {arrived} = {y.text}")
    writer.holds(arrived, 1, WIDEST, arrived)
    scope.bind(y.text, Map(y.text, 1, WIDEST, arrived, var=True))
    writer.statements(scope, arrived, 2)
    writer.add_return(scope, scope.names[y.text], "target.in_channels")  # type: ignore[arg-type]
    return writer.text(f"resample_type {name}({', '.join(written)}) -> target.in_channels")


def up(writer: Writer, y: str) -> None:
    """To a coarser level, step by step or in one."""
    draw, scope = writer.draw, writer.scope.arm()
    with writer.block("if target.level > x.level"):
        kind = draw.below(3)
        if kind == 0:
            stride = scope.fresh(NAMES[Number], draw)
            scope.bind(stride, Number(stride, Fraction(1), Fraction(8), var=True))
            writer.say(f"var {stride} = 1")
            writer.say(f"repeat target.level - x.level {{ {stride} = {stride} * 2 }}")
            writer.say(f"{y} = conv({y}, source.channels, kernel = 3, stride = {stride})")
            return
        index = scope.fresh(("i", "j"), draw)
        with writer.block(f"repeat {index} in target.level - x.level"):
            inner = scope.loop("repeat", 3)
            inner.bind(index, Number(index, Fraction(0), Fraction(2), index=True))
            width = writer.width(inner)
            name = inner.fresh(NAMES[Number], draw)
            writer.say(f"let {name} = {width.text}")
            step = f"conv({y}, {name}, kernel = 1 + 2 * {index}, stride = 2)"
            pool = f"max_pool({y}, kernel = 3, stride = 2)"
            writer.say(f"{y} = {step}" if kind == 1 else f"{y} = {step} if {writer.flag(inner)} else {pool}")


def down(writer: Writer, y: str) -> None:
    """To a finer level, step by step or in one."""
    draw, scope = writer.draw, writer.scope.arm()
    with writer.block("if target.level < x.level"):
        kind = draw.below(3)
        if kind == 0:
            writer.say(f"{y} = upsample({y}, levels = x.level - target.level)")
        elif kind == 1:
            writer.say(f"{y} = resize({y}, like = target)")
        else:
            index = scope.fresh(("i", "j"), draw)
            with writer.block(f"repeat {index} in x.level - target.level"):
                inner = scope.loop("repeat", 3)
                inner.bind(index, Number(index, Fraction(0), Fraction(2), index=True))
                name = inner.fresh(NAMES[Number], draw)
                writer.say(f"let {name} = {writer.width(inner).text}")
                writer.say(f"{y} = upsample(conv({y}, {name}, kernel = 1 + {index}, padding = same), levels = 1)")


def join_type(name: str, numbers: Numbers, helpers: Sequence[Helper]) -> str:
    """A join: loops over the list, which it adds up in the end, so that every input counts."""
    writer = Writer(Draw(numbers), helpers)
    scope, place = writer.scope, "first(inputs)"
    written = writer.header(["inputs"])
    width = "first(inputs).channels"
    scope.bind("inputs", Maps("inputs", 1, 3, Map("", *CHANNELS, place, width)))
    writer.knows("len(inputs)", 1, 3)
    writer.knows(width, *CHANNELS)
    y = writer.begin(place, writer.draw.pick(("sum(inputs)", "first(inputs)", "act(last(inputs))")), *CHANNELS, width)
    writer.statements(scope, place, 3)
    item = scope.fresh(ITEMS, writer.draw)
    with writer.block(f"each {item} in inputs"):
        writer.add(scope.loop("each", 3), Map(item, *CHANNELS, place, width), y)
    writer.add_return(scope, y, width)
    return writer.text(f"join_type {name}({', '.join(written)})")


def head_type(name: str, numbers: Numbers, helpers: Sequence[Helper]) -> str:
    """A head: loops over the features that yield maps, or one that adds them up and returns numbers."""
    writer = Writer(Draw(numbers), helpers)
    draw, scope = writer.draw, writer.scope
    written = writer.header(["features", "channels", "outputs = 3"])
    writer.knows("channels", *CHANNELS)
    writer.knows("outputs", 1, 8)
    scope.bind("features", Maps("features", 1, 3, Map("", 1, WIDEST, "no place")))
    if draw.below(3) == 0:
        total = scope.fresh(NAMES[Map], draw)
        writer.say(f"var {total} = conv(first(features), channels, kernel = 1)")
        writer.holds(total, *CHANNELS, "first(features)", "channels", var=True)
        item = scope.fresh(ITEMS, draw)
        with writer.block(f"each {item} in rest(features)"):
            inner = scope.loop("each", 2)
            inner.bind(item, Map(item, 1, WIDEST, item))
            writer.statements(inner, item, 2)
            writer.say(f"{total} = {total} + conv(resize({item}, like = first(features)), channels, kernel = 1)")
        vector = scope.fresh(NAMES[Map], draw)
        writer.say(f"var {vector} = linear(flatten(global_average_pool({total})), outputs * 3)")
        for _ in range(draw.below(4)):
            writer.say(f"{vector} = {draw.pick(OF_VECTORS).format(v=vector)}")
        writer.say(f"return linear({vector}, outputs)")
        return writer.text(f"head_type {name}({', '.join(written)})")
    labels = ["scores", "boxes", "masks"][: 1 + draw.below(3)]
    for label in labels:
        item = scope.fresh(ITEMS, draw)
        with writer.block(f"each {item} in features"):
            inner = scope.loop("each", 3)
            inner.bind(item, Map(item, 1, WIDEST, item))
            y = inner.fresh(NAMES[Map], draw)
            writer.say(f"var {y} = {item}")
            inner.bind(y, Map(y, 1, WIDEST, item, var=True))
            writer.statements(inner, item, 3)
            if draw.once_in(3):
                index = inner.fresh(("i", "j"), draw)
                with writer.block(f"repeat {index} in {1 + draw.below(2)}"):
                    again = inner.loop("repeat", 2)
                    again.bind(index, Number(index, Fraction(0), Fraction(1), index=True))
                    writer.yields(again, label, Map(y, 1, WIDEST, item))
            else:
                writer.yields(inner, label, Map(y, 1, WIDEST, item))
    return writer.text(f"head_type {name}({', '.join(written)})")


WRITERS: Mapping[str, Callable[[str, Numbers, Sequence[Helper]], str]] = {
    "block": block_type,
    "stem": stem_type,
    "output": output_type,
    "resample": resample_type,
    "join": join_type,
    "head": head_type,
}
