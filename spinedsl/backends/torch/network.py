"""Write the network: a class that takes no argument, whose `__init__` and `forward` read like the table of rows.

In: a program and the classes of its definitions. Out: the lines of the class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from spinedsl.backends.torch.expressions import Leaf, evaluate, literal, same, simplify, write
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.layout import WIDTH, Bracket, Doc, call, entry, flat, lines, unpacked
from spinedsl.backends.torch.names import attribute, member, place, python_name
from spinedsl.backends.torch.plan import Class
from spinedsl.backends.torch.scope import Argument
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Call, Module, Program, Row, calls_of
from spinedsl.ops.types import Expr, Name, Value

FEW = 3  # from this many equal modules on, a row says how many there are


def write_network(
    program: Program, name: str, classes: Sequence[Class], rules: Rules, *, method: str = ""
) -> list[str]:
    """The lines of the network's class. `method`: what `forward` calls, for those who override that."""
    writer = _Network(program, classes)
    return [
        f"class {name}(nn.Module):",
        f'    """{_described(program)}"""',
        "",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *writer.init(),
        *_forgiving(program),
        "        self.reset()",
        "",
        *_reset(rules),
        "",
        *writer.forward(method),
    ]


def _forgiving(program: Program) -> list[str]:
    """State dicts of the whole network load into a part of it."""
    if not program.dropped:
        return []
    names = tuple(f'"{member(name)}"' for name in program.dropped)
    rows = Bracket("(", names, ",)" if len(names) == 1 else ")")
    hook = call("functools.partial", "leave_out", rows)
    return lines(8, "", call("self.register_load_state_dict_pre_hook", hook))


def _described(program: Program) -> str:
    given: list[str] = []
    if program.pyramid:
        first, last = program.pyramid[0], program.pyramid[-1]
        levels = f"level {first.level}" if first is last else f"levels {first.level} to {last.level}"
        given.append(f"feature maps of {levels}")
    if program.heads:
        heads = " and ".join(row.name for row in program.heads)
        given.append(f"what the head{'s' * (len(program.heads) > 1)} {heads} give{'s' * (len(program.heads) == 1)}")
    return f"Gives {', and '.join(given)} ({place(program.loc)})."


def _reset(rules: Rules) -> list[str]:
    """The method that initialises every tensor."""
    branches = rules.branches()
    if not branches:
        nothing = '        """Do nothing: there is no tensor to initialise."""'
        return ["    def reset(self, seed: int = 0) -> None:", nothing]
    drawn = any("{name}" in line for _, body in branches for line in body)
    made = [
        "    @torch.no_grad()",
        "    def reset(self, seed: int = 0) -> None:",
        '        """Initialise every tensor. Its values depend on the seed and its own name alone."""',
        f"        for {'name, module in self.named_modules' if drawn else 'module in self.modules'}():",
    ]
    for number, (kinds, body) in enumerate(branches):
        made.append(f"            {'elif' if number else 'if'} isinstance(module, {kinds}):")
        made += [f"                {line}" for line in body]
    return made


class _Network:
    def __init__(self, program: Program, classes: Sequence[Class]) -> None:
        self.program = program
        self.classes = {id(module): found for found in classes for module in found.modules}
        self.taken = taken = {found.name for found in classes}
        self.constants: dict[str, tuple[str, str]] = {}  # by the file's name: the variable, and what it is
        self.locals: dict[str, str] = {}
        for name in (program.input_name, *(name for row in program.rows for name in row.values)):
            wanted = name.lower() if name in program.outputs else name.replace(".", "_")
            self.locals[name] = python_name(wanted, {*taken, *self.locals.values()})
        needed = any(found.sizes for found in classes)
        self.sizes = python_name("sizes", {*taken, *self.locals.values()}) if needed else ""

    def class_of(self, module: Module) -> Class:
        return self.classes[id(module)]

    # ---- numbers with a name ----

    def number(self, value: Value, expr: Expr) -> str:
        """A number as the file says it, if that is in whole numbers that the file gives a name; else its value."""
        simple = simplify(expr, self._constant)
        if simple is None or not same(evaluate(simple, self._known), value):
            return literal(value)
        return write(simple, self._name)

    def _constant(self, leaf: Leaf) -> Expr | None:
        return leaf if isinstance(leaf, Name) and leaf.name in self.program.constants else None

    def _known(self, leaf: Leaf) -> Value | None:
        return self.program.constants[leaf.name].value

    def _name(self, leaf: Leaf) -> str:
        """The variable of a constant; those that it is made of are named before it."""
        if leaf.name not in self.constants:
            attr = self.program.constants[leaf.name]
            text = self.number(attr.value, attr.expr)
            taken = {*self.taken, *(name for name, _ in self.constants.values())}
            self.constants[leaf.name] = python_name(leaf.name, taken), text
        return self.constants[leaf.name][0]

    def init(self) -> list[str]:
        """The lines of `__init__` before the tensors are initialised."""
        facts, rows = self.facts(), list(self.submodules())
        return [*(f"        {name} = {text}" for name, text in self.constants.values()), *facts, *rows]

    def facts(self) -> list[str]:
        """What a host asks of a backbone."""
        program = self.program
        outputs = program.pyramid
        channels = [self.channels(row) for row in outputs]
        agreed = len(set(channels)) == 1
        features = tuple(
            Bracket(
                "{",
                (
                    entry("num_chs", self.channels(row)),
                    entry("reduction", str(2 ** (row.level or 0))),
                    entry("module", f'"{member(row.name)}"'),
                    entry("index", str(index)),
                ),
                "}",
            )
            for index, row in enumerate(outputs)
        )
        return [
            *lines(8, "self.out_channels = ", channels[0] if agreed else f"[{', '.join(channels)}]"),
            f"        self.size_divisor = {program.divisor}",
            *lines(8, "self.feature_info = ", Bracket("[", features, "]")),
        ]

    def channels(self, row: Row) -> str:
        """The channels of what a row gives."""
        if not row.calls:
            return str(row.type.channels)
        return self.number(row.type.channels, row.calls[-1].channels)

    # ---- __init__ ----

    def submodules(self) -> Iterator[str]:
        """Each row's own module, with what resamples and joins its inputs attached to it."""
        held: set[str] = set()
        for row in self.program.rows:
            yield from self._holders(row, held)
            parts = [part for part in calls_of(row) if not self.class_of(part.module).is_function]
            own = [part for part in parts if any(part is call for call in row.calls)]
            attached = [part for part in parts if not any(part is call for call in row.calls)]
            own_place = f"self.{member(row.name)}"
            if row.repeated and own:
                repeated = "RepeatedAtSizes" if self.class_of(own[0].module).sizes else "Repeated"
                yield from self._commented(row, lines(8, f"{own_place} = ", call(repeated, *self._repeated(own))))
            elif own:
                yield from self._commented(row, lines(8, f"{own_place} = ", self.construct(own[0])))
            elif attached:
                yield from self._commented(row, [f"        {own_place} = nn.Module()"])
            for part in attached:
                yield from lines(8, f"{own_place}.{attribute(part.path[-1])} = ", self.construct(part))

    def _holders(self, row: Row, held: set[str]) -> Iterator[str]:
        """The submodules of the parts that a row is in, once each."""
        names = row.name.split(".")
        for end in range(1, len(names)):
            name = ".".join(names[:end])
            if name not in held:
                held.add(name)
                yield f"        self.{member(name)} = nn.Module()"

    def _commented(self, row: Row, made: list[str]) -> list[str]:
        """The lines that construct a row, with its level."""
        if row.level is None:
            return made
        comment = f"# level {row.level}"
        together = f"{made[0]}  {comment}"
        return [together] if len(made) == 1 and len(together) <= WIDTH else [f"        {comment}", *made]

    def construct(self, part: Call) -> Bracket:
        """An instance of the class that a call uses."""
        found = self.class_of(part.module)
        number = found.number(part.module)

        def write(argument: Argument) -> str | None:
            value = argument.values[number]
            if value is None or value == argument.default:
                return None
            known = part.scalars.get(argument.key)
            return literal(value) if known is None else self.number(value, known.expr)

        return found.construct(write)

    def _repeated(self, calls: Sequence[Call]) -> Iterator[Doc]:
        for _, found in groupby(map(self.construct, calls), key=flat):
            equal = list(found)
            if len(equal) < FEW:
                yield from equal
            else:
                yield f"*({flat(equal[0])} for _ in range({len(equal)}))"

    # ---- forward ----

    def forward(self, method: str) -> Iterator[str]:
        """One line for each row, outputs in the return."""
        program, image = self.program, self.locals[self.program.input_name]
        read = {connection.source for row in program.heads for connection in row.inputs}
        yield f"    def forward(self, {image}: Tensor) -> dict[str, Tensor]:"
        if method:
            yield f"        return self.{method}({image})"
            yield ""
            yield f"    def {method}(self, {image}: Tensor) -> dict[str, Tensor]:"
        yield from legal_sizes(program, image)
        if self.sizes:
            highest = max(type_.level or 0 for type_ in flatten(program).types)
            yield f"        {self.sizes} = level_sizes({image}, {highest})"
        for row in program.rows:
            if row.kind == "head":
                yield from unpacked(8, [self.locals[name] for name in row.values], self._head(row), len(row.parts) == 1)
            elif row.kind != "output" or row.name in read:
                yield from lines(8, f"{self.locals[row.name]} = ", self._row(row))
        at_the_end = {row.name: row for row in program.pyramid if row.name not in read}
        outputs = {
            attribute(name): self._row(at_the_end[name]) if name in at_the_end else self.locals[name]
            for name in program.outputs
        }
        yield from lines(8, "return ", call("OrderedDict", _dictionary(outputs)))

    def _head(self, row: Row) -> Doc:
        """A head on the list of all that it reads."""
        features = Bracket("[", tuple(self.locals[connection.source] for connection in row.inputs), "]")
        return self._apply(row.calls[0], features)

    def _row(self, row: Row) -> Doc:
        values: list[Doc] = [self._input(name, part) for name, part in _connections(row)]
        values += [self.locals[name] for name in row.absorbed]
        if row.join is not None:
            values = [self._apply(row.join, Bracket("[", tuple(values), "]"))]
        if row.repeated and not self.class_of(row.calls[0].module).is_function:
            sized = bool(self.class_of(row.calls[0].module).sizes)
            return call(f"self.{member(row.name)}", *values, *([self.sizes] if sized else []))
        for part in row.calls:
            values = [self._apply(part, *values)]
        return values[0]

    def _input(self, name: str, part: Call | None) -> Doc:
        value = self.locals[name]
        return value if part is None else self._apply(part, value)

    def _apply(self, part: Call, *values: Doc) -> Doc:
        found = self.class_of(part.module)
        callee = found.name if found.is_function else ".".join(["self", *map(member, part.path)])
        taken = [value for name, value in zip(part.module.maps, values, strict=True) if name in found.inputs]
        return found.apply(callee, taken, self.sizes)


def legal_sizes(program: Program, image: str) -> Iterator[str]:
    """What the divisor does not divide would fail far below, or pass and give maps of other sizes.

    What a definition reads of the size decided what stands here: at another size it would be another network.
    """
    sizes = {"height": program.input_type.height, "width": program.input_type.width}
    if program.divisor > 1 and len(program.static_axes) < len(sizes):
        yield from lines(8, "", call("check_size", image, str(program.divisor)))
    for dimension, (axis, size) in enumerate(sizes.items(), start=2):
        if axis in program.static_axes:
            yield from lines(8, "", call("check_fixed", f"{image}.shape[{dimension}]", str(size), f'"{axis}"'))


def facts_of(program: Program) -> list[str]:
    """Lines of `__init__`: what a host asks of a backbone."""
    writer = _Network(program, ())
    facts = writer.facts()
    return [*(f"        {name} = {text}" for name, text in writer.constants.values()), *facts]


def _dictionary(items: Mapping[str, Doc]) -> Bracket:
    """`{"name": value}`; of names that would fill a line, a list of pairs."""
    if max(map(len, items)) > WIDTH // 3:
        return Bracket("[", tuple(Bracket("(", (f'"{name}"', value)) for name, value in items.items()), "]")
    return Bracket("{", tuple(entry(name, value) for name, value in items.items()), "}")


def _connections(row: Row) -> Iterator[tuple[str, Call | None]]:
    for connection in row.inputs:
        yield connection.source, connection.resample
