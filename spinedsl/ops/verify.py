"""The verifier: whether a program keeps every promise that the later stages rely on.

In: a `Program` or its `Graph`. Out: nothing, or `Invalid`, which names the place. The compiler made the program, so a
failure here is an internal compiler error, never a mistake in somebody's file: tests run this between the passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from spinedsl.ops.graph import Graph, Node, flatten
from spinedsl.ops.naming import within
from spinedsl.ops.primitives import PRIMITIVES, UNCUT, Problem
from spinedsl.ops.program import (
    Body,
    Call,
    Each,
    Event,
    Form,
    If,
    Iteration,
    Let,
    Listed,
    Made,
    Module,
    Named,
    Path,
    Program,
    Repeat,
    Return,
    Row,
    Statement,
    Values,
    Yield,
    numbers_of,
)
from spinedsl.ops.rules import of_one_size
from spinedsl.ops.tasks import TASKS
from spinedsl.ops.types import Loc, Type


class Invalid(Exception):
    """A promise that a program breaks, and where."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def verify(subject: Program | Graph) -> None:
    """Raise `Invalid` for the first broken promise: of the structure, of the operations, of the parameters' names."""
    program = subject.program if isinstance(subject, Graph) else subject
    walk = _Walk(program)
    walk.rows()
    _check_tasks(program)
    graph = subject if isinstance(subject, Graph) else flatten(program)
    _check_values(graph)
    _check_parameters(graph, walk.parametric)
    _check_outputs(graph)


def _require(holds: bool, place: Loc | str, problem: str) -> None:
    if not holds:
        raise Invalid(str(place), problem)


def _check_tasks(program: Program) -> None:
    """Each names heads that are there, and the outputs that they give."""
    heads = {row.name: row for row in program.heads}
    for task in program.tasks:
        place = str(task.loc)
        _require(task.kind in TASKS, place, f"task `{task.name}` is of no kind that there is")
        kind = TASKS[task.kind]
        known = set(kind.clauses) <= set(task.heads) <= set(kind.words)
        _require(known, place, f"task `{task.name}` has other clauses than its kind")
        expected = {attribute.name for attribute in kind.attributes}
        _require(set(task.arguments) == expected, place, f"task `{task.name}` has other arguments than its kind")
        given = {clause: _named_by(heads.get(name), task.part(clause)) for clause, name in task.heads.items()}
        _require(given == task.outputs, place, f"task `{task.name}` is of outputs that its heads do not give")


def _named_by(row: Row | None, part: tuple[str, ...]) -> tuple[str, ...] | None:
    """The outputs of a head, or those of one name that it yields."""
    if row is None:
        return None
    names = tuple(row.values)
    return tuple(names[number] for number in numbers_of(row.calls[0].module.yields, *part)) if part else names


# ---- the structure ----


class _Walk:
    """Goes through the program with the type of every row, in the order in which `flatten` does."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.parametric: list[tuple[Event, bool]] = []  # operations with parameters, and whether `shared` covers them
        self.replayed: set[int] = set()  # modules, by identity

    def rows(self) -> None:
        program = self.program
        known: dict[str, Type] = {program.input_name: program.input_type}
        for row in program.rows:
            for name in {row.name, *row.values}:
                _require(name not in known, row.loc, f"row `{name}` takes a name that is in use")
            given = self.head(row, known) if row.kind == "head" else [self.row(row, known)]
            recorded = [*row.values.values()]
            listed = ", ".join(map(str, given)), ", ".join(map(str, recorded))
            _require(given == recorded, row.loc, f"row `{row.name}` gives {listed[0]}, recorded {listed[1]}")
            known |= row.values

    def head(self, row: Row, known: dict[str, Type]) -> list[Type]:
        """A head's one call, on the list of all that it reads."""
        for connection in row.inputs:
            _require(connection.source in known, row.loc, f"row `{row.name}` reads a row before it is there")
        _require(len(row.calls) == 1, row.loc, f"head `{row.name}` is to have one call")
        return self.called(row.calls[0], tuple(known[connection.source] for connection in row.inputs))

    def row(self, row: Row, known: dict[str, Type]) -> Type:
        for name in row.sources:
            _require(name in known, row.loc, f"row `{row.name}` reads `{name}` before it is there")
        arrived: list[Type] = []
        for connection in row.inputs:
            x = known[connection.source]
            arrived += [x] if connection.resample is None else self.called(connection.resample, x)
        arrived += [known[name] for name in row.absorbed]
        if row.join is not None:
            arrived = self.called(row.join, tuple(arrived))
        taken = len(row.calls[0].maps) if row.calls else 1
        _require(len(arrived) == taken, row.loc, f"row `{row.name}` gives its type {len(arrived)} maps, not {taken}")
        for call in row.calls:
            arrived = self.called(call, *arrived)
        return arrived[0]

    def called(self, call: Call, *given: Type | tuple[Type, ...]) -> list[Type]:
        """A call by a row, whose arguments are not in the call."""
        _require(len(call.maps) == len(given), call.loc, f"`{call.module.definition}` takes {len(call.maps)} maps")
        found = self.module(call.module, given, call.shared, call.loc)
        _require(found[0] == call.type, call.loc, f"`{call.module.definition}` gives {found[0]}, recorded {call.type}")
        return found

    def module(self, module: Module, given: tuple[Type | tuple[Type, ...], ...], shared: bool, loc: Loc) -> list[Type]:
        """What a module gives that is given maps."""
        as_expanded = given == tuple(module.maps.values())
        _require(as_expanded, loc, f"`{module.definition}` is given other maps than it was expanded for")
        _require(module.open_size == self.program.open_size, module.loc, "of another network, by its sizes")
        if id(module) not in self.replayed:
            self.replayed.add(id(module))
            _Replay(module).whole()
        for event, type_ in zip(module.events, module.types[module.given :], strict=True):
            self.event(event, module, type_, shared)
        return [module.types[value] for value in module.results]

    def event(self, event: Event, module: Module, recorded: Type, shared: bool) -> None:
        shared, place = shared or event.at.shared, event.at.loc
        if event.module is not None:
            given = tuple(_of(value, module.types) for value in event.inputs)
            (found,) = self.module(event.module, given, shared, place)
            _require(found == recorded, place, f"`{event.at.called}` gives {found}, recorded {recorded}")
            return
        _require(event.at.called in PRIMITIVES, place, f"there is no primitive `{event.at.called}`")
        attributes = {name: attribute.value for name, attribute in event.attributes.items()}
        if PRIMITIVES[event.at.called].parameters([module.types[value] for value in event.opened], attributes):
            self.parametric.append((event, shared))


def _of(value: Values, types: Sequence[Type]) -> Type | tuple[Type, ...]:
    return tuple(types[number] for number in value) if isinstance(value, tuple) else types[value]


class _Replay:
    """Runs the text of a module's definition over what its statements were: that has to give the events, in order."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.known: dict[str, Values] = {}
        self.last = 0  # values so far
        for name, type_ in module.maps.items():
            numbers = tuple(range(self.last, self.last + len(type_))) if isinstance(type_, tuple) else self.last
            self.known[name] = numbers
            self.last += len(numbers) if isinstance(numbers, tuple) else 1
        self.results: list[Values] = []
        self.ran = 0

    def whole(self) -> None:
        """All statements. Nothing may be recorded beside them."""
        module = self.module
        types = [type_ for part in module.maps.values() for type_ in (part if isinstance(part, tuple) else (part,))]
        _require(list(module.types[: module.given]) == types, module.loc, f"`{module.definition}` records other maps")
        self.body(module.written.body, (), (), ())
        _require(bool(self.results), module.loc, f"`{module.definition}` does not return")
        sound = (*self.results,) == module.results and self.last == len(module.types) and self.ran == len(module.ran)
        _require(sound, module.loc, f"`{module.definition}` records other operations than its text gives")

    def body(self, body: Body, iteration: Iteration, path: Path, outer: Path) -> bool:
        """Some statements: whether one of them returns."""
        return any(self.statement(statement, iteration, path, outer) for statement in body)

    def statement(self, statement: Statement, iteration: Iteration, path: Path, outer: Path) -> bool:
        recorded = self.module.ran.get((statement.site, iteration))
        self.ran += recorded is not None
        if isinstance(recorded, Made):
            value = self.made(recorded, path, outer, statement.loc)
            if isinstance(statement, Let):
                self.known[statement.name] = value
            elif isinstance(statement, Return | Yield):
                self.results.append(value)
                return isinstance(statement, Return)
            elif isinstance(statement, Each):
                for number, item in enumerate(value if isinstance(value, tuple) else ()):
                    self.known[statement.item] = item
                    inside = (*path, f"{statement.path}{number}")
                    self.body(statement.body, (*iteration, number), inside, path)
        elif isinstance(statement, If):
            _require(recorded is not None, statement.loc, "it is not recorded which arm a choice takes")
            return self.body(statement.then if recorded and recorded.value else statement.other, iteration, path, outer)
        elif isinstance(statement, Each):
            _require(recorded is not None, statement.loc, "it is not recorded how often an `each` runs")
            for number in range(int(cast(int, recorded.value)) if recorded else 0):
                self.body(statement.body, (*iteration, number), (*path, f"{statement.path}{number}"), path)
        elif isinstance(statement, Repeat):
            _require(recorded is not None, statement.loc, "it is not recorded how often a `repeat` runs")
            for number in range(int(cast(int, recorded.value)) if recorded else 0):
                apart = (*outer, f"{statement.shared_path}{number}") if statement.shared_path else outer
                self.body(statement.body, (*iteration, number), (*path, f"{statement.path}{number}"), apart)
        else:
            _require(isinstance(statement, Let), statement.loc, f"`{self.module.definition}` gives nothing here")
        return False

    def made(self, made: Made, path: Path, outer: Path, place: Loc) -> Values:
        """What a statement's expression gives, run now."""
        value = self.form(made.form, path, outer, place)
        _require(value == made.value, place, f"gives value {value}, recorded {made.value}")
        return value

    def form(self, form: Form, path: Path, outer: Path, place: Loc) -> Values:
        if isinstance(form, Named):
            _require(form.name in self.known, place, f"`{form.name}` is used before it is there")
            found = self.known[form.name]
            if form.index is None:
                return found
            there = isinstance(found, tuple) and form.index < len(found) + form.rest
            _require(there, place, f"`{form.name}` has no item {form.index}")
            assert isinstance(found, tuple)
            return found[form.index :] if form.rest else found[form.index]
        if isinstance(form, Listed):
            values = [self.form(item, path, outer, place) for item in form.items]
            opened = [cast("tuple[int, ...]", values.pop(0))] if form.opens else []
            return (*(value for first in opened for value in first), *(cast(int, value) for value in values))
        inputs = tuple(self.form(part, path, outer, place) for part in form.inputs)
        event = self.module.events[self.last - self.module.given : self.last - self.module.given + 1]
        _require(bool(event), place, f"`{form.called}` is not recorded")
        expected = form, inputs, (outer if form.shared else path) + form.path
        recorded = event[0].at, event[0].inputs, event[0].path
        _require(recorded == expected, place, f"`{form.called}` of {inputs} is recorded as {event[0]}")
        self.last += 1
        return self.last - 1


# ---- the operations ----


def _place(node: Node) -> str:
    return f"{node.loc}: `{node.name}` ({node.primitive}, row `{node.row}`)"


def _check_values(graph: Graph) -> None:
    """Every value is made once and before it is used, and every type is what the table says."""
    made, one_size = {0}, graph.program.one_size
    for node in graph.nodes:
        place = _place(node)
        _require(node.primitive in PRIMITIVES, place, "there is no such primitive")
        for value in node.inputs:
            _require(value in made, place, f"reads value {value} before it is made")
        _require(node.result not in made, place, f"makes value {node.result} again")
        made.add(node.result)
        _check_node(node, [graph.types[value] for value in node.inputs], graph.types[node.result], one_size=one_size)


def _check_node(node: Node, types: Sequence[Type], recorded: Type, *, one_size: bool) -> None:
    place, primitive = _place(node), PRIMITIVES[node.primitive]
    enough = len(types) >= primitive.least and (primitive.most is None or len(types) <= primitive.most)
    _require(enough, place, f"takes {primitive.least} to {primitive.most} maps, got {len(types)}")
    known = {attribute.name for attribute in primitive.attributes}
    _require(set(node.attributes) == known, place, f"has attributes {sorted(node.attributes)}, not {sorted(known)}")
    result = primitive.shape(types, node.attributes)
    if one_size:
        result = of_one_size(result)
    _require(not isinstance(result, Problem), place, f"cannot take these: {getattr(result, 'text', '')}")
    _require(result == recorded, place, f"gives {result}, recorded {recorded}")
    due = {parameter.name for parameter in primitive.parameters(types, node.attributes)}
    _require(set(node.parameters) == due, place, f"has parameters {sorted(node.parameters)}, not {sorted(due)}")


# ---- parameters and outputs ----


def _check_parameters(graph: Graph, parametric: Sequence[tuple[Event, bool]]) -> None:
    """Two operations have a parameter in common only where `shared` says so, and then of one shape.

    It says so in a definition, or of a part: then they are the same operation of rows that have the same weights.
    """
    nodes = [node for node in graph.nodes if node.parameters]
    _require(len(nodes) == len(parametric), graph.program.name, "the graph is not this program's")
    first: dict[str, tuple[Node, bool]] = {}
    for node, (_, shared) in zip(nodes, parametric, strict=True):
        place, types = _place(node), [graph.types[value] for value in node.inputs]
        for parameter in PRIMITIVES[node.primitive].parameters(types, node.attributes):
            name = node.parameters[parameter.name]
            _require(graph.parameters.get(name) == parameter, place, f"`{name}` is recorded with another shape")
            if name in first:
                other, other_shared = first[name]
                both = (shared and other_shared) or _of_copies(graph.program, node, other)
                _require(
                    both and other.loc == node.loc,
                    place,
                    f"`{name}` belongs to the operation of {other.loc} as well, without `shared`",
                )
            first.setdefault(name, (node, shared))
    _require(set(first) == set(graph.parameters), graph.program.name, "a parameter is recorded that no operation has")


def _of_copies(program: Program, one: Node, other: Node) -> bool:
    """The same operation of rows that have the same weights, in copies of a part."""
    lent = one.row != other.row and program.weights_of(one.row) == program.weights_of(other.row)
    return lent and within(one) == within(other)


def _check_sizes(graph: Graph) -> None:
    """Every map has the size of the input by its stride, rounded up, as soon as what made it was cut to its level.

    What `pad` and `crop` put around or cut off is known apart.
    """
    whole = graph.types[0]
    uncut = {node.result for node in graph.nodes if node.primitive in UNCUT}
    for node in graph.nodes:
        got = graph.types[node.result]
        if node.result in uncut or got.is_vector or got.is_pooled:
            continue
        lines, columns = got.strides
        expected = (
            1 if got.over == "height" else -(-whole.height // lines),
            1 if got.over == "width" else -(-whole.width // columns),
        )
        size = got.height - got.extra[0], got.width - got.extra[1]
        _require(size == expected, _place(node), f"gives {got} of an input of {whole.size}")
        cut = node.primitive == "crop_to_level"
        _require(cut or not uncut.intersection(node.inputs), _place(node), "reads a map that is not cut to its level")


def _check_outputs(graph: Graph) -> None:
    program = graph.program
    _require(bool(program.outputs), program.loc, f"network `{program.name}` has no output")
    _require(tuple(graph.outputs) == program.outputs, program.loc, "the outputs are not those of the program")
    for name, value in graph.outputs.items():
        _require(name in graph.rows, program.loc, f"output `{name}` is no row")
        _require(graph.rows[name] == value, program.loc, f"output `{name}` is another value than the row gives")
    rows = {name: (row, type_) for row in program.rows for name, type_ in row.values.items()}
    for name, value in graph.rows.items():
        got, (row, recorded) = graph.types[value], rows[name]
        _require(got == recorded, row.loc, f"row `{name}` gives {got}, recorded {recorded}")
    if program.any_size:
        _require(program.divisor == 1, program.loc, "a network of any size has a divisor")
        _check_sizes(graph)
    for axis in ("height", "width"):
        size: int = getattr(program.input_type, axis)
        divides = size % program.divisor == 0
        _require(divides, program.loc, f"the divisor {program.divisor} does not divide the input's {axis} {size}")
