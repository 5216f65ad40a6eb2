"""The verifier accepts what is sound and names the place of each broken promise."""

from __future__ import annotations

from typing import Any

import pytest

from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.program import (
    Call,
    Definition,
    Formal,
    Let,
    Made,
    Module,
    Op,
    Operand,
    Program,
    Ref,
    Repeat,
    Return,
    Row,
    Statement,
)
from spinedsl.ops.trace import Trace
from spinedsl.ops.types import Loc, Opaque, Type
from spinedsl.ops.verify import Invalid, verify
from spinedsl.record import replace
from tests.building import CASES, HERE, INPUT, Network, call, case, changed, literal, op, single


@pytest.mark.parametrize("name", CASES)
def test_sound_programs_pass(name: str) -> None:
    program, graph = case(name)
    verify(program)
    verify(graph)
    assert graph.nodes


def conv_block(x: Ref) -> Operand:
    return op("relu", op("conv", x, channels=4, kernel=3))


def with_node(position: int, **fields: Any) -> Graph:
    """The graph of `conv_block` with one node changed."""
    graph = flatten(single(conv_block))
    nodes = list(graph.nodes)
    nodes[position] = replace(nodes[position], **fields)
    return replace(graph, nodes=tuple(nodes))


def with_row(**fields: Any) -> Program:
    program = single(conv_block)
    return changed(program, rows=(replace(program.rows[0], **fields), *program.rows[1:]))


def with_attribute(name: str, value: int) -> Graph:
    attributes = flatten(single(conv_block)).nodes[0].attributes
    return with_node(0, attributes={**attributes, name: value})


def at_any_size(last: str = "relu", divisor: int = 1, height: int = 32) -> Program:
    """A program of any size: the map brought to another level, then the operation `last` and one more."""

    def definition(x: Ref) -> Operand:
        lower = op("max_pool", x, kernel=2, stride=2)
        return op("relu", op("upsample", lower, levels=1) if last == "upsample" else op(last, lower))

    made = single(definition, Type(3, height, 48, 0))
    calls = [replace(call, module=replace(call.module, open_size=True)) for call in made.rows[0].calls]
    rows = (replace(made.rows[0], calls=tuple(calls)), *made.rows[1:])
    return changed(made, rows=rows, any_size=True, divisor=divisor)


WRONG = Type(9, 32, 48, 0)
BROKEN: dict[str, tuple[Program | Graph, str]] = {
    "unknown primitive": (with_node(1, primitive="warp"), "there is no such primitive"),
    "used before made": (with_node(0, inputs=(2,)), "reads value 2 before it is made"),
    "made twice": (with_node(1, result=1), "makes value 1 again"),
    "number of inputs": (with_node(1, inputs=(1, 1)), "takes 1 to 1 maps, got 2"),
    "attribute missing": (with_node(0, attributes={"kernel": 3}), "has attributes ['kernel']"),
    "another type": (with_attribute("channels", 5), "gives 5x32x48 (level 0), recorded 4x32x48 (level 0)"),
    "shapes that do not fit": (with_attribute("groups", 2), "2 groups do not divide 3 input channels"),
    "parameters": (with_node(0, parameters={}), "has parameters [], not ['weight']"),
    "row type": (with_row(type=WRONG), "row `b` gives 4x32x48 (level 0), recorded 9x32x48 (level 0)"),
    "row source": (with_row(absorbed=("c",)), "row `b` reads `c` before it is there"),
    "no join": (with_row(absorbed=("image",)), "row `b` gives its type 2 maps, not 1"),
    "row name": (with_row(name="image"), "row `image` takes a name that is in use"),
    "no output": (changed(single(conv_block), outputs=()), "network `Net` has no output"),
    "any size with a divisor": (at_any_size(divisor=16), "a network of any size has a divisor"),
    "module of another mode": (changed(single(conv_block), any_size=True, divisor=1), "of another network, by its"),
    "size that is not its level's": (
        at_any_size("upsample", height=33),
        "gives 3x34x48 (level 0) of an input of 33x48",
    ),
    "not cut to its level": (at_any_size("upsample"), "reads a map that is not cut to its level"),
    "divisor": (changed(single(conv_block), divisor=20), "the divisor 20 does not divide the input's height 32"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_programs_are_named(name: str) -> None:
    subject, problem = BROKEN[name]
    with pytest.raises(Invalid) as raised:
        verify(subject)
    assert problem in str(raised.value)
    assert raised.value.place


def test_the_place_is_that_of_the_node() -> None:
    with pytest.raises(Invalid) as raised:
        verify(with_node(1, loc=Loc("blocks.spine", 7), inputs=(1, 1)))
    assert raised.value.place == "blocks.spine:7: `b.relu` (relu, row `b`)"


def same_name(shared: bool, channels: int = 4, loc: Loc = HERE) -> Program:
    """Two convolutions of one name."""

    def definition(x: Ref) -> Operand:
        first = op("conv", x, channels=4, kernel=1, shared=shared)
        second = op("conv", first, channels=channels, kernel=1, shared=shared)
        return replace(second, loc=loc)

    return single(definition, Type(4, 32, 48, 0))


def test_shared_parameters_are_allowed_where_the_program_says_so() -> None:
    verify(same_name(shared=True))
    with pytest.raises(Invalid, match=r"`b\.conv\.weight` belongs to the operation of net\.spine:1 as well"):
        verify(same_name(shared=False))
    with pytest.raises(Invalid, match=r"without `shared`"):
        verify(same_name(shared=True, loc=Loc("net.spine", 2)))
    with pytest.raises(Invalid, match=r"`b\.conv\.weight` is recorded with another shape"):
        verify(same_name(shared=True, channels=5))


def test_shared_in_a_repeat() -> None:
    """Each iteration has a normalisation of its own and the one convolution of all."""
    x = Type(4, 16, 16, 0)

    def program(shared: bool, path: str) -> Program:
        repeat = Repeat(2, "", path, (Let(3, "set", "y", 1, HERE),), HERE)
        trace = Trace(Definition("block", "block_type", (Let(1, "var", "y", 1, HERE), repeat, Return(4, HERE)), HERE))
        (y,) = trace.makes(1, Ref("x", x, Opaque(), value=trace.value(x, Opaque())))
        trace.notes(2, literal(2))
        for number in range(2):
            with trace.inside(number, f"{path}{number}", ()):
                convolution = op("conv", Ref("y", x, Opaque(), value=y), channels=4, kernel=3, shared=shared)
                (y,) = trace.makes(3, op("batch_norm", convolution))
        trace.gives(4, Ref("y", x, Opaque(), value=y))
        return one_call(trace.module((Formal("x", "map", None),), {"x": x}, {}))

    graph = flatten(program(True, "rep"))
    verify(graph)
    assert [name for name in graph.parameters if name.endswith("conv.weight")] == ["b.conv.weight"]
    assert "b.rep1.batch_norm.bias" in graph.parameters
    verify(program(False, "rep"))


def one_call(module: Module) -> Program:
    """A network of one block that runs the module."""
    (x,) = module.maps.values()
    assert isinstance(x, Type)
    used = Call(module, {"x": Ref("x", x, Opaque())}, {}, ("b",), False, module.type, Opaque(), HERE)
    row: Row = Network.row("output", "b", "image", (used,), module.type)
    return Program("Net", "image", x, (row,), ("b",), 16, {}, (), HERE)


def test_what_a_module_promises_is_checked() -> None:
    sound = call(conv_block, INPUT).module
    let, returned = sound.written.body
    first, second = sound.events
    made = sound.ran[1, ()]
    assert isinstance(made, Made)

    def text(*body: Statement) -> Module:
        return replace(sound, written=replace(sound.written, body=body))

    cases: dict[str, Module] = {
        "`y` is used before it is there": text(returned),
        "`block` does not return": text(let),
        "`conv` of (0,) is recorded as": replace(sound, events=(second, first)),
        "`relu` of (1,) is recorded as": replace(sound, events=(first, replace(second, inputs=(0,)))),
        "recorded as <Event conv": replace(sound, events=(replace(first, path=("conv_2",)), second)),
        "`relu` is not recorded": replace(
            sound, events=(first,), types=sound.types[:2], channels=sound.channels[:2], results=(1,)
        ),
        "records other operations than its text gives": replace(sound, ran={**sound.ran, (9, ()): made}),
        "gives value 2, recorded 1": replace(sound, ran={**sound.ran, (1, ()): replace(made, value=1)}),
        "`block` records other maps": replace(sound, types=(WRONG, *sound.types[1:])),
        "gives 4x32x48 (level 0), recorded 9x32x48 (level 0)": replace(sound, types=(*sound.types[:2], WRONG)),
    }
    verify(one_call(sound))
    for problem, module in cases.items():
        with pytest.raises(Invalid) as raised:
            verify(one_call(module))
        assert problem in str(raised.value)


def test_calls_are_given_what_they_were_expanded_for() -> None:
    inner = call(conv_block, INPUT, "inner")

    def definition(x: Ref) -> Operand:
        reduced: Op = op("conv", x, channels=2, kernel=1)
        return replace(inner, maps={"x": reduced})

    with pytest.raises(Invalid, match="`block` is given other maps than it was expanded for"):
        verify(single(definition))
