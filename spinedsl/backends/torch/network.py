"""Write the network: a class that takes no argument, whose `__init__` and `forward` read like the table of rows.

In: a program and the classes of its definitions. Out: the lines of the class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spinedsl.backends.torch.expressions import Leaf, evaluate, literal, same, simplify, write
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.layout import WIDTH, Bracket, Doc, call, entry, lines, unpacked
from spinedsl.backends.torch.names import attribute, member, place, python_name
from spinedsl.backends.torch.rows import Around, Rows
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program, Row
from spinedsl.ops.types import Expr, Name, Value


def write_network(around: Around, name: str, rules: Rules, *, method: str = "") -> list[str]:
    """The lines of the network's class. `method`: what `forward` calls, for those who override that."""
    writer, program = _Network(around), around.program
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


class _Network(Rows):
    def __init__(self, around: Around) -> None:
        program = around.program
        super().__init__(around, program.rows)
        self.program = program
        self.taken = {*around.taken}
        self.constants: dict[str, tuple[str, str]] = {}  # by the file's name: the variable, and what it is
        values = (program.input_name, *(name for row in program.rows for name in row.values))
        outputs = {*program.outputs}
        self.name_locals({name: name.lower() if name in outputs else name.replace(".", "_") for name in values})

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
        facts, rows = self.facts(), [line for one in self.submodules() for line in one.lines()]
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
                    entry("module", f'"{self.giver(row)}"'),
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

    def giver(self, row: Row) -> str:
        """The place of the submodule that gives what a row gives: of a row that only names a map, what makes that."""
        makers = {value: one for one in self.program.rows for value in one.values}
        while not row.calls and len(row.sources) == 1 and row.sources[0] in makers:
            row = makers[row.sources[0]]
        return member(self.program.weights_of(row.name))

    def channels(self, row: Row) -> str:
        """The channels of what a row gives."""
        if not row.calls:
            return str(row.type.channels)
        return self.number(row.type.channels, row.calls[-1].channels)

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
        for item in self.items():
            if not isinstance(item, Row):
                yield from self.statement(item)
            elif item.kind == "head":
                names = [self.locals[name] for name in item.values]
                yield from unpacked(8, names, self._head(item), len(item.parts) == 1)
            elif item.kind != "output" or item.name in read:
                yield from self.statement(item)
        at_the_end = {row.name: row for row in program.pyramid if row.name not in read}
        outputs = {
            attribute(name): self.value(at_the_end[name]) if name in at_the_end else self.locals[name]
            for name in program.outputs
        }
        yield from lines(8, "return ", call("OrderedDict", _dictionary(outputs)))

    def _head(self, row: Row) -> Doc:
        """A head on the list of all that it reads."""
        features = Bracket("[", tuple(self.locals[connection.source] for connection in row.inputs), "]")
        return self.apply(row.calls[0], features)


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
    writer = _Network(Around(program, {}, frozenset(), {}, {}, {}))
    facts = writer.facts()
    return [*(f"        {name} = {text}" for name, text in writer.constants.values()), *facts]


def _dictionary(items: Mapping[str, Doc]) -> Bracket:
    """`{"name": value}`; of names that would fill a line, a list of pairs."""
    if max(map(len, items)) > WIDTH // 3:
        return Bracket("[", tuple(Bracket("(", (f'"{name}"', value)) for name, value in items.items()), "]")
    return Bracket("{", tuple(entry(name, value) for name, value in items.items()), "}")
