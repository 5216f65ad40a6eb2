"""The verifier: whether a program keeps every promise that the later stages rely on.

In: a `Program` or its `Graph`. Out: nothing, or `Invalid`, which names the place. The compiler made the program, so a
failure here is an internal compiler error, never a mistake in somebody's file: tests run this between the passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from spinedsl.ops.graph import Graph, Node, flatten
from spinedsl.ops.primitives import PRIMITIVES, UNCUT, Problem
from spinedsl.ops.program import (
    Bind,
    BindScalar,
    Body,
    Call,
    Each,
    If,
    Many,
    Op,
    Operand,
    Program,
    Ref,
    Repeat,
    Return,
    Row,
    Statement,
    Yield,
    look_up,
)
from spinedsl.ops.tasks import TASKS
from spinedsl.ops.types import Loc, Type

Maps: TypeAlias = "Type | tuple[Type, ...]"


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
    heads = {row.name: tuple(row.values) for row in program.heads}
    for task in program.tasks:
        place = str(task.loc)
        _require(task.kind in TASKS, place, f"task `{task.name}` is of no kind that there is")
        kind = TASKS[task.kind]
        _require(set(task.heads) == set(kind.clauses), place, f"task `{task.name}` has other clauses than its kind")
        expected = {attribute.name for attribute in kind.attributes}
        _require(set(task.arguments) == expected, place, f"task `{task.name}` has other arguments than its kind")
        given = {clause: heads.get(name) for clause, name in task.heads.items()}
        _require(given == task.outputs, place, f"task `{task.name}` is of outputs that its heads do not give")


# ---- the structure ----


class _Walk:
    """Goes through the program with the type of every name, in the order in which `flatten` does."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.parametric: list[tuple[Op, bool]] = []  # operations with parameters, and whether `shared` covers them
        self.yielded: list[Type] = []  # by the head at hand

    def rows(self) -> None:
        program = self.program
        known: dict[str, Type] = {program.input_name: program.input_type}
        for row in program.rows:
            for name in {row.name, *row.values}:
                _require(name not in known, row.loc, f"row `{name}` takes a name that is in use")
            if row.kind == "head":
                self.head(row, known)
            else:
                result = self.row(row, known)
                _require(result == row.type, row.loc, f"row `{row.name}` gives {result}, recorded {row.type}")
            known |= row.values

    def head(self, row: Row, known: dict[str, Type]) -> None:
        """A head's one call, on the list of all that it reads."""
        for connection in row.inputs:
            _require(connection.source in known, row.loc, f"row `{row.name}` reads a row before it is there")
        _require(len(row.calls) == 1, row.loc, f"head `{row.name}` is to have one call")
        (call,) = row.calls
        self.yielded = []
        features = tuple(known[connection.source] for connection in row.inputs)
        returned = self.module_body(call, dict.fromkeys(call.maps, features), call.shared)
        given = self.yielded if returned is None else [returned]
        recorded = [yielded.type for yielded in call.module.yields] or [call.module.type]
        _require(given == recorded, row.loc, f"head `{row.name}` gives other values than its module records")
        _require(given == [*row.values.values()], row.loc, f"head `{row.name}` gives other values than recorded")

    def row(self, row: Row, known: dict[str, Type]) -> Type:
        for name in (*(connection.source for connection in row.inputs), *row.absorbed):
            _require(name in known, row.loc, f"row `{row.name}` reads `{name}` before it is there")
        arrived: list[Type] = []
        for connection in row.inputs:
            x = known[connection.source]
            arrived.append(x if connection.resample is None else self.applied(connection.resample, x))
        arrived += [known[name] for name in row.absorbed]
        if row.join is not None:
            result = self.applied(row.join, tuple(arrived))
        else:
            _require(len(arrived) == 1, row.loc, f"row `{row.name}` has {len(arrived)} maps and no join")
            result = arrived[0]
        for call in row.calls:
            result = self.applied(call, result)
        return result

    def applied(self, call: Call, maps: Maps) -> Type:
        """A call by a row, whose arguments are not in the call."""
        _require(len(call.maps) == 1, call.loc, f"`{call.module.definition}` is to take one map from the row")
        return self.module(call, dict.fromkeys(call.maps, maps), call.shared)

    def module(self, call: Call, maps: dict[str, Maps], shared: bool) -> Type:
        module = call.module
        result = self.module_body(call, maps, shared)
        _require(result is not None, module.loc, f"`{module.definition}` does not return")
        assert result is not None
        for recorded in (module.type, call.type):
            _require(result == recorded, call.loc, f"`{module.definition}` gives {result}, recorded {recorded}")
        return result

    def module_body(self, call: Call, maps: dict[str, Maps], shared: bool) -> Type | None:
        """Run a module's statements: what it returns, if it does."""
        module = call.module
        _require(maps == module.maps, call.loc, f"`{module.definition}` is given other maps than it was expanded for")
        return self.body(module.body, dict(maps), shared)

    def body(self, body: Body, known: dict[str, Maps], shared: bool) -> Type | None:
        for statement in body:
            result = self.statement(statement, known, shared)
            if result is not None:
                return result
        return None

    def statement(self, statement: Statement, known: dict[str, Maps], shared: bool) -> Type | None:
        match statement:
            case Return():
                return self.one(statement.value, known, shared, statement.loc)
            case Yield():
                self.yielded.append(self.one(statement.value, known, shared, statement.loc))
            case Bind():
                known[statement.name] = self.operand(statement.value, known, shared, statement.loc)
            case If():
                return self.body(statement.then if statement.taken else statement.other, known, shared)
            case Repeat():
                for iteration in statement.iterations:
                    self.body(iteration, known, shared)
            case Each():
                items = self.operand(statement.items, known, shared, statement.loc)
                _require(isinstance(items, tuple), statement.loc, f"`{statement.item}` goes through no list")
                assert isinstance(items, tuple)
                _require(len(items) == len(statement.iterations), statement.loc, "one body is needed for each map")
                for iteration, item in zip(statement.iterations, items, strict=True):
                    known[statement.item] = item
                    self.body(iteration, known, shared)
            case BindScalar():
                pass
        return None

    @staticmethod
    def named(name: str, known: dict[str, Maps], place: Loc) -> Maps:
        """The type of what a name stands for."""
        try:
            return look_up(name, known)
        except KeyError:
            raise Invalid(str(place), f"`{name}` is used before it is there") from None

    def one(self, operand: Operand, known: dict[str, Maps], shared: bool, place: Loc) -> Type:
        result = self.operand(operand, known, shared, place)
        _require(isinstance(result, Type), place, "a list of maps stands where one is needed")
        assert isinstance(result, Type)
        return result

    def operand(self, operand: Operand, known: dict[str, Maps], shared: bool, place: Loc) -> Maps:
        match operand:
            case Ref():
                got = self.named(operand.name, known, place)
                _require(got == operand.type, place, f"`{operand.name}` is {got}, recorded {operand.type}")
                return got
            case Many():
                if not operand.name:
                    return tuple(self.one(item, known, shared, place) for item in operand.items)
                return self.named(operand.name, known, place)
            case Call():
                maps = {name: self.operand(part, known, shared, operand.loc) for name, part in operand.maps.items()}
                return self.module(operand, maps, shared or operand.shared)
        inputs: list[Type] = []
        for part in operand.inputs:
            given = self.operand(part, known, shared, operand.loc)
            inputs += given if isinstance(given, tuple) else (given,)
        _require(operand.any_size == self.program.any_size, operand.loc, "of another network, by its sizes")
        _require(operand.primitive in PRIMITIVES, operand.loc, f"there is no primitive `{operand.primitive}`")
        attributes = {name: attribute.value for name, attribute in operand.attributes.items()}
        if PRIMITIVES[operand.primitive].parameters(inputs, attributes):
            self.parametric.append((operand, shared or operand.shared))
        return operand.type


# ---- the operations ----


def _place(node: Node) -> str:
    return f"{node.loc}: `{node.name}` ({node.primitive}, row `{node.row}`)"


def _check_values(graph: Graph) -> None:
    """Every value is made once and before it is used, and every type is what the table says."""
    made = {0}
    for node in graph.nodes:
        place = _place(node)
        _require(node.primitive in PRIMITIVES, place, "there is no such primitive")
        for value in node.inputs:
            _require(value in made, place, f"reads value {value} before it is made")
        _require(node.result not in made, place, f"makes value {node.result} again")
        made.add(node.result)
        _check_node(node, [graph.types[value] for value in node.inputs], graph.types[node.result])


def _check_node(node: Node, types: Sequence[Type], recorded: Type) -> None:
    place, primitive = _place(node), PRIMITIVES[node.primitive]
    enough = len(types) >= primitive.least and (primitive.most is None or len(types) <= primitive.most)
    _require(enough, place, f"takes {primitive.least} to {primitive.most} maps, got {len(types)}")
    known = {attribute.name for attribute in primitive.attributes}
    _require(set(node.attributes) == known, place, f"has attributes {sorted(node.attributes)}, not {sorted(known)}")
    result = primitive.shape(types, node.attributes)
    _require(not isinstance(result, Problem), place, f"cannot take these: {getattr(result, 'text', '')}")
    _require(result == recorded, place, f"gives {result}, recorded {recorded}")
    due = {parameter.name for parameter in primitive.parameters(types, node.attributes)}
    _require(set(node.parameters) == due, place, f"has parameters {sorted(node.parameters)}, not {sorted(due)}")


# ---- parameters and outputs ----


def _check_parameters(graph: Graph, parametric: Sequence[tuple[Op, bool]]) -> None:
    """Two operations have a parameter in common only where `shared` says so, and then of one shape."""
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
                both = shared and other_shared and other.loc == node.loc
                _require(both, place, f"`{name}` belongs to the operation of {other.loc} as well, without `shared`")
            first.setdefault(name, (node, shared))
    _require(set(first) == set(graph.parameters), graph.program.name, "a parameter is recorded that no operation has")


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
        stride = got.stride or 1 << (got.level or 0)
        expected = -(-whole.height // stride), -(-whole.width // stride)
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
