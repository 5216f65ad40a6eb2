"""Write a network for inference: one class with a line for each operation, of the graph after all exact passes.

In: a program. Out: the lines of a class. Batch norms are parts of convolutions, operations stand in the order that
holds the least memory, and write over what nothing else reads where autograd allows it; the others are dropped after
their last reader. `fold` makes its tensors of those of the network as it is trained, and loading does that by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from spinedsl.backends.torch.body import OpAt, RefAt, Scalar, Use
from spinedsl.backends.torch.layout import Bracket, Doc, call, flat, lines
from spinedsl.backends.torch.names import attribute, member, place, python_name
from spinedsl.backends.torch.network import facts_of, legal_sizes
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.backends.torch.place import Code, Place
from spinedsl.backends.torch.scope import Scope
from spinedsl.ops.graph import Node, flatten
from spinedsl.ops.memory import written_over
from spinedsl.ops.naming import names_for, value_names
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Program
from spinedsl.ops.reserved import MODULE_ATTRIBUTES
from spinedsl.ops.types import Value
from spinedsl.passes import Form, optimised
from spinedsl.passes.recipes import Recipe, sources
from spinedsl.passes.schedule import schedule

WHOLE = Use(0)
# What writes memory of its own, and keeps nothing of it for a gradient: it may be written over.
FRESH = ("conv", "conv_transpose", "linear", "batch_norm", "add")
OWN = ("fold", "forward", "unread", "out_channels", "size_divisor", "feature_info")  # attributes of the class
OVER = ("relu", "relu6", "swish", "hard_swish")  # their functions take `inplace`


def write_inference(program: Program, name: str) -> list[str]:
    """The lines of the network's class."""
    form = schedule(optimised(flatten(program), 1))
    writer = _Inference(form)
    return [
        f"class {name}(Folded):",
        f'    """{program.name} for inference, without batch norms ({place(program.loc)})."""',
        "",
        *writer.unread(),
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *facts_of(program),
        *writer.init(),
        "        self.register_load_state_dict_pre_hook(fold_first)",
        "        self.requires_grad_(False).eval()",
        "        self.to(memory_format=torch.channels_last)",
        "",
        *writer.fold(),
        "",
        *writer.forward(),
    ]


class _Inference:
    def __init__(self, form: Form) -> None:
        self.form, self.graph = form, form.graph
        graph = form.graph
        self.reads = Counter(value for node in graph.nodes for value in node.inputs)
        self.reads.update(graph.outputs.values())
        self.over = written_over(graph)
        self.makers = {node.result: node for node in graph.nodes}
        self.members = self._members()
        taken: set[str] = set()
        names = value_names(graph, names_for(graph))
        self.locals: list[str] = []
        for name in names:
            found = python_name(name.replace(".", "_"), taken) if name else ""
            taken.add(found)
            self.locals.append(found)
        self.sizes = python_name("sizes", taken)
        self.scope = Scope((), set(), {}, self._unsettled(), {})

    def _members(self) -> dict[tuple[str, ...], str]:
        """The attribute of each group of tensors that belong together."""
        found: dict[tuple[str, ...], str] = {}
        taken: set[str] = {*MODULE_ATTRIBUTES, *OWN}
        for node in self.graph.nodes:
            key = _key(node)
            if OPERATORS[node.primitive].owns and key not in found:
                found[key] = python_name(node.name.replace(".", "_") or "root", taken)
                taken.add(found[key])
        return found

    def _unsettled(self) -> frozenset[tuple[str, ...]]:
        """Paths of shared convolutions that move their kernel in several ways."""
        ways: dict[str, set[object]] = {}
        for node in self.graph.nodes:
            if node.primitive == "conv":
                moves = tuple(node.attributes[name] for name in ("stride", "padding", "dilation"))
                ways.setdefault(self.members[_key(node)], set()).add(moves)
        return frozenset((member,) for member, found in ways.items() if len(found) > 1)

    def place(self, node: Node, *, forward: bool) -> Place:
        """An operation as the table of operators takes it: used once, all of it known."""
        graph = self.graph
        inputs = node.inputs[:-1] if PRIMITIVES[node.primitive].sized else node.inputs
        member = self.members.get(_key(node), "") if OPERATORS[node.primitive].owns else ""
        at = OpAt(
            primitive=node.primitive,
            role="",
            inputs=tuple(RefAt("", None, _known(graph.types[value].channels)) for value in inputs),
            attributes={name: _known(value) for name, value in node.attributes.items()},
            path=(member or node.primitive,),
            shared=False,
            channels=_known(graph.types[node.result].channels),
            types={WHOLE: tuple(graph.types[value] for value in inputs)},
            open_size=graph.program.open_size,
        )
        return Place(at, self.scope, forward, self.sizes, f"self.{member}" if member else "")

    # ---- __init__ and fold ----

    def unread(self) -> Iterator[str]:
        """The names of tensors of the network that are not read, or beginnings of them."""
        program, form = self.graph.program, self.form
        read = {source for name in form.graph.parameters for source in sources(form.recipe(name))}
        names = [f"{member(row)}." for row in program.dropped]
        names += [name for name in flatten(program).parameters if name not in read]
        if names:
            quoted = tuple(f'"{name}"' for name in names)
            yield from lines(4, "unread = ", Bracket("(", quoted, ",)" if len(names) == 1 else ")"))
            yield ""

    def init(self) -> Iterator[str]:
        """A line for each module."""
        done: set[str] = set()
        for node in self.graph.nodes:
            row = OPERATORS[node.primitive]
            if row.owns and (member := self.members[_key(node)]) not in done:
                done.add(member)
                assert row.module is not None
                _, made = row.module(self.place(node, forward=False))
                yield from lines(8, f"self.{member} = ", made)

    def fold(self) -> Iterator[str]:
        """The method that makes the tensors."""
        made: dict[str, Doc] = {}
        for node in self.graph.nodes:
            for last, name in node.parameters.items():
                made[f"{self.members[_key(node)]}.{last}"] = _recipe(self.form.recipe(name))
            if node.primitive == "batch_norm":
                made[f"{self.members[_key(node)]}.num_batches_tracked"] = "torch.zeros(())"
        yield "    def fold(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:"
        yield '        """The tensors of this module, made of those of the network as it is trained, by name."""'
        if not made:
            yield "        return {}"
            return
        yield "        return {"
        for name, doc in made.items():
            yield from lines(12, f'"{name}": ', doc, ",")
        yield "        }"

    # ---- forward ----

    def forward(self) -> Iterator[str]:
        """A line for each operation; names are dropped where nothing reads them any more."""
        graph, program = self.graph, self.graph.program
        yield f"    def forward(self, {self.locals[0]}: Tensor) -> dict[str, Tensor]:"
        yield from legal_sizes(program, self.locals[0])
        if any(PRIMITIVES[node.primitive].sized for node in graph.nodes):
            highest = max(type_.level or 0 for type_ in graph.types)
            yield f"        {self.sizes} = level_sizes({self.locals[0]}, {highest})"
        last = {value: at for at, node in enumerate(graph.nodes) for value in (*self.read(node), node.result)}
        kept = set(graph.outputs.values())
        waiting: tuple[int, Code] | None = None  # a value whose line is not written, since the next one holds it
        for at, node in enumerate(graph.nodes):
            code = {value: Code(self.locals[value]) for value in self.read(node)}
            if waiting is not None:
                code[waiting[0]] = waiting[1]
            inputs = [code[value] for value in self.read(node)]
            made = OPERATORS[node.primitive].function(self.place(node, forward=True), inputs)
            waiting = None
            over = self.over.get(node.result)
            if over is not None and not self._fresh(over):
                over = None
            if node.primitive in OVER and over is not None and isinstance(made.doc, Bracket):
                made = Code(Bracket(made.doc.opening, (*made.doc.items, "inplace=True"), made.doc.closing))
            elif node.primitive != "add":
                over = None
            if self._held_by_next(at):
                waiting = node.result, made
                continue
            if over is not None:
                held = self.locals[over]
                if node.primitive == "add":
                    other = next(value for value in node.inputs if value != over)
                    yield from lines(8, f"{held} += ", self.locals[other])
                elif flat(code[over].doc) == held:
                    yield from lines(8, f"{held} = ", made.doc)
                else:
                    held = self.locals[node.result]
                    yield from lines(8, f"{held} = ", made.doc)
                self.locals[node.result] = held
            else:
                yield from lines(8, f"{self.locals[node.result]} = ", made.doc)
            yield from self._dropped(at, last, kept)
        outputs = {attribute(name): self.locals[value] for name, value in graph.outputs.items()}
        pairs = tuple(Bracket("(", (f'"{name}"', value)) for name, value in outputs.items())
        yield from lines(8, "return ", call("OrderedDict", Bracket("[", pairs, "]")))

    def read(self, node: Node) -> Sequence[int]:
        """What stands in an operation's line."""
        return node.inputs[:-1] if PRIMITIVES[node.primitive].sized else node.inputs

    def _fresh(self, value: int) -> bool:
        maker = self.makers.get(value)
        return maker is not None and maker.primitive in FRESH

    def _held_by_next(self, at: int) -> bool:
        """The next operation writes over the result, and can hold the expression itself."""
        node, following = self.graph.nodes[at], self.graph.nodes[at + 1 : at + 2]
        if not following or node.primitive not in ("conv", "conv_transpose", "linear"):
            return False
        return following[0].primitive in OVER and self.over.get(following[0].result) == node.result

    def _dropped(self, at: int, last: Mapping[int, int], kept: set[int]) -> Iterator[str]:
        """The names that go after an operation, and after the one whose expression it holds."""
        nodes = [self.graph.nodes[at]]
        if at and self._held_by_next(at - 1):
            nodes.append(self.graph.nodes[at - 1])
        values = dict.fromkeys(value for node in nodes for value in (*self.read(node), node.result))
        alive = {self.locals[nodes[0].result]} if last[nodes[0].result] > at or nodes[0].result in kept else set()
        inner = self._inner(at)
        ended = (value for value in values if last[value] <= at and value not in kept and value != inner)
        gone = dict.fromkeys(self.locals[value] for value in ended)
        names = [name for name in gone if name not in alive]
        if names:
            yield f"        del {', '.join(names)}"

    def _inner(self, at: int) -> int | None:
        """The value that has no name, since the operation holds its expression."""
        return self.graph.nodes[at - 1].result if at and self._held_by_next(at - 1) else None


def _known(value: Value) -> Scalar:
    return Scalar({WHOLE: value})


def _key(node: Node) -> tuple[str, ...]:
    """What tells the module of an operation from others: its tensors, or itself."""
    return tuple(node.parameters.values()) or (node.name, str(node.result))


def _recipe(recipe: Recipe) -> Doc:
    """A recipe as Python."""
    if isinstance(recipe, str):
        return call("taken", "tensors", f'"{recipe}"')
    if recipe is None:
        return "None"
    operation, *rest = recipe
    if operation == "joined":
        return call("torch.cat", Bracket("[", tuple(_recipe(part) for part in rest), "]"), "1")
    if operation == "summed":
        first, second = (flat(_recipe(part)) for part in rest)
        return f"{first} + {second}"
    if operation == "standardised":
        return call(operation, _recipe(rest[0]), repr(rest[1]))
    if operation == "gained":
        return call(operation, *map(_recipe, rest[:2]), repr(rest[2]))
    count = 2 if operation == "shifted_inputs" else 1
    norm, epsilon, *more = cast("list[object]", rest[count:])
    kernels = [_recipe(part) for part in rest[:count]]
    return call(operation, *kernels, call("line", "tensors", f'"{norm}"', repr(epsilon)), *map(str, more))
