"""Laws of edits: a network edited is the network that is written by hand, wherever the one that is edited stands.

Each law makes random edits of a network and carries them out twice: by the compiler, and here on plain lists and
dictionaries, from which the edited network is written out.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinedsl
from spinedsl import edit
from spinedsl.ops.graph import flatten
from spinedsl.ops.text import to_text
from spinedsl.source import Source

IMPORTS = ("std.blocks", "std.stems", "std.resample", "std.outputs")
TYPES = ("residual", "bottleneck", "bottleneck(expansion = 2)", "mix")
OWN = """
block_type mix(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = KERNEL, stride = stride)))
}
join_type mean(inputs) { return sum(inputs) * SCALE }
head_type tower(features, channels) {
    each p in features { yield shared conv(p, channels, kernel = KERNEL) }
}
"""
THERE = OWN.replace("KERNEL", "3").replace("SCALE", "0.5")  # of the network that is edited
HERE = OWN.replace("KERNEL", "1").replace("SCALE", "0.25")  # of the edits, where these stand in another file
NAMES = re.compile(r"\b(mix|mean|tower)\b")


@dataclass
class Row:
    """A row as it is written: its kind, its type and its clauses by their word."""

    kind: str
    name: str
    type: str
    clauses: dict[str, str]

    def __str__(self) -> str:
        clauses = " ".join(f"{word} {value}" for word, value in self.clauses.items())
        return f"{self.kind} {self.name}: {self.type} {clauses}".rstrip()


@dataclass
class Net:
    """A network as plain data: what a person would write."""

    width: str = "2"
    input: str = "image: 3 x 64 x 64"
    defaults: dict[str, str] = field(default_factory=lambda: {"act": "relu", "norm": "batch_norm(momentum = 0.9)"})
    widths: dict[int, str] = field(default_factory=lambda: {level: f"{level} * width" for level in (2, 3, 4, 5)})
    resample: str = "spinenet"
    join: str = "activated_sum"
    rules: str = "1..2"
    deep: str = "1"
    rows: list[Row] = field(default_factory=list)

    def index(self, name: str) -> int:
        return next(at for at, row in enumerate(self.rows) if row.name == name)

    def network(self, name: str) -> str:
        lines = [
            f"input {self.input}",
            "defaults { " + ", ".join(f"{role} {use}" for role, use in self.defaults.items()) + " }",
            "widths { " + ", ".join(f"level {level}: {width}" for level, width in self.widths.items()) + " }",
            f"resample {self.resample}",
            f"join {self.join}",
            f"rules {{ inputs {self.rules} }}",
            f"let deep = {self.deep}",
            'allow W0701 "random"',
            'allow W0702 "random"',
            'allow W0703 "random"',
            *(str(row) for row in self.rows),
        ]
        return f"network {name}(width = {self.width}) {{\n" + "\n".join(lines) + "\n}\n"


def file(*parts: str, imports: tuple[str, ...] = ()) -> str:
    return "spine 1\n" + "".join(f"import {name}\n" for name in (*IMPORTS, *imports)) + "\n".join(parts)


def base() -> Net:
    """A network with a row of every kind."""
    rows = [
        Row("stem", "s", "resnet_stem", {"channels": "4"}),
        Row("block", "b0", "residual", {"level": "2", "after": "s", "repeat": "deep"}),
        Row("block", "b1", "mix", {"level": "4", "from": "b0"}),
        Row("block", "b2", "residual", {"level": "3", "from": "b0, b1"}),
        Row("block", "b3", "residual", {"level": "5", "from": "b1, b2"}),
        Row("block", "b4", "residual", {"level": "4", "from": "b2, b3"}),
        Row("output", "P3", "endpoint", {"from": "b2", "channels": "4"}),
        Row("output", "P4", "endpoint", {"from": "b4", "channels": "4"}),
        Row("output", "P5", "endpoint", {"from": "b3", "channels": "4"}),
        Row("head", "boxes", "tower", {"from": "P3, P4, P5", "channels": "4"}),
    ]
    return Net(rows=rows)


OF_EDIT = "edit's "  # before the names of types that an edit says: they mean what they mean in its file
SETTINGS = ("width", "widths", "act", "norm", "resample", "join", "input", "rules", "deep")


def set_one(draw: st.DrawFn, net: Net, what: str) -> edit.Edit:
    """Change a setting of the plain network; the same as an edit."""
    number = str(draw(st.integers(1, 9)))
    if what == "width":
        net.width = number
        return edit.Argument("width", number)
    if what == "widths":
        levels = draw(st.lists(st.integers(2, 6), min_size=1, max_size=3, unique=True))
        net.widths |= dict.fromkeys(levels, f"{number} + width")
        return edit.widths(dict.fromkeys(levels, f"{number} + width"))
    if what in ("act", "norm"):
        use = draw(st.sampled_from({"act": ("swish", "relu6"), "norm": ("identity", "batch_norm")}[what]))
        net.defaults[what] = use
        return edit.Setting("defaults", (f"{what} {use}",))
    if what == "resample":
        net.resample = draw(st.sampled_from(("spinenet(alpha = 1)", "spinenet(alpha = 0.25)")))
        return edit.Setting("resample", (net.resample,))
    if what == "join":
        net.join = OF_EDIT + "mean"
        return edit.Setting("join", ("mean",))
    if what == "input":
        net.input = f"picture: {number} x 96 x 64"
        return edit.Setting("input", (net.input,))
    if what == "rules":
        net.rules = draw(st.sampled_from(("1..3", "2..2")))
        return edit.Setting("rules", (f"inputs {net.rules}",))
    net.deep = draw(st.sampled_from(("2", "width")))
    return edit.Setting("let", (f"deep = {net.deep}",))


def edit_row(draw: st.DrawFn, net: Net, free: list[str]) -> list[edit.Edit]:
    """Change, drop, move or add a row of the plain network; the same as an edit. `free` are rows not yet edited."""
    how = draw(st.sampled_from(("change", "change", "drop", "move", "add")))
    names = [row.name for row in net.rows]
    if how == "add" or not free:
        return add_row(draw, net)
    name = draw(st.sampled_from(free))
    free.remove(name)
    row = net.rows[net.index(name)]
    if how == "drop":
        net.rows.remove(row)
        return [edit.Drop(name)]
    if how == "move":
        beside = draw(st.sampled_from([other for other in names if other != name]))
        side = draw(st.sampled_from(("before", "after")))
        net.rows.remove(row)
        net.rows.insert(net.index(beside) + (side == "after"), row)
        return [edit.Move(name, **{side: beside})]
    words = {"stem": ("channels",), "block": ("level", "channels", "from"), "output": ("channels", "from")}
    word = draw(st.sampled_from(words.get(row.kind, ("from", "channels"))))
    value = str(draw(st.integers(2, 6)))
    if word == "from":
        value = ", ".join(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
        row.clauses.pop("after", None)
    row.clauses[word] = value
    type_ = draw(st.none() | st.sampled_from(TYPES)) if row.kind == "block" else None
    if type_ is not None:
        row.type = OF_EDIT + type_
    return [edit.Change(name, ((word, value),), type=type_, kind=row.kind)]


def add_row(draw: st.DrawFn, net: Net) -> list[edit.Edit]:
    """Add an output, a head, or a block with a head that reads it."""
    kind = draw(st.sampled_from(("block", "block", "output", "head")))
    place = draw(st.none() | st.sampled_from([row.name for row in net.rows][2:]))
    above = [
        row.name for row in net.rows[: None if place is None else net.index(place)] if row.kind in ("stem", "block")
    ]
    parents = draw(st.lists(st.sampled_from(above[-3:] or ["s"]), min_size=1, max_size=2, unique=True))
    type_ = {"output": "endpoint", "head": "tower"}.get(kind) or draw(st.sampled_from(TYPES))
    made = Row(kind, f"x{len(net.rows)}", OF_EDIT + type_, {"from": ", ".join(parents[: 1 + (kind != "output")])})
    made.clauses |= {"level": str(draw(st.integers(2, 5)))} if kind == "block" else {"channels": "4"}
    edits: list[edit.Edit] = [edit.Add(made.name, type_, tuple(made.clauses.items()), before=place, kind=kind)]
    put(net, made, place)
    if kind == "block":
        reader = Row("head", f"y{len(net.rows)}", OF_EDIT + "tower", {"from": made.name, "channels": "4"})
        edits.append(edit.Add(reader.name, "tower", tuple(reader.clauses.items()), kind="head"))
        put(net, reader, None)
    return edits


def put(net: Net, made: Row, place: str | None) -> None:
    """Insert a row before another, or below those that it belongs below."""
    above = {"block": ("stem", "block"), "output": ("stem", "block", "output")}.get(made.kind)
    below = [at for at, row in enumerate(net.rows) if above is None or row.kind in above]
    net.rows.insert(net.index(place) if place is not None else below[-1] + 1 if below else 0, made)


@st.composite
def edited(draw: st.DrawFn) -> tuple[Net, edit.Edits]:
    """Random edits of the base, and the base after them."""
    net = deepcopy(base())
    words = draw(st.lists(st.sampled_from(SETTINGS), max_size=4, unique=True))
    if {"act", "norm"} <= set(words):  # both are of `defaults`, which an edit says once
        words.remove("norm")
    changes = [set_one(draw, net, word) for word in words]
    free = [row.name for row in net.rows]
    for _ in range(draw(st.integers(0, 3))):
        changes += edit_row(draw, net, free)
    return net, edit.Edits(changes)


def meaning(source: Source, network: str) -> str | None:
    """All operations, parameters and outputs of a network, without the places that they come from; None if mistaken."""
    if not spinedsl.check(source, network=network).ok:
        return None
    program = spinedsl.program(source, network=network)
    lines = [re.sub(r"\S+\.spine:\d+| +", " ", line) for line in to_text(program).splitlines()[1:]]
    tensors = [f"{name} {parameter.shape}" for name, parameter in flatten(program).parameters.items()]
    return "\n".join(lines + tensors)


def test_the_base_is_right() -> None:
    text = file(THERE, base().network("Base"))
    found = spinedsl.check(Source.from_text(text, "base.spine")).diagnostics
    assert {one.code.id for one in found} <= {"W0706"}  # what edits use


@given(edited())
def test_an_edited_network_is_the_one_written_by_hand(drawn: tuple[Net, edit.Edits]) -> None:
    net, edits = drawn
    source = Source.from_text(file(THERE, base().network("Base")), "base.spine")
    by_hand = Source.from_text(file(THERE, net.network("Edited").replace(OF_EDIT, "")), "hand.spine")
    assert meaning(edit.apply(source, edits, base="Base", name="Edited"), "Edited") == meaning(by_hand, "Edited")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the base in a file of its own. Its definitions are named as others in a file for the edits."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "there.spine").write_text(f"spine 1\n{THERE}", encoding="utf-8")
    (folder / "here.spine").write_text(f"spine 1\n{HERE}", encoding="utf-8")
    text = file(base().network("Base"), imports=('"there.spine"',))
    (folder / "base.spine").write_text(text, encoding="utf-8")
    return folder


@given(drawn=edited())
def test_it_is_the_same_where_the_base_stands_in_another_file(project: Path, drawn: tuple[Net, edit.Edits]) -> None:
    net, edits = drawn
    text = file(imports=('"base.spine"', '"here.spine"'))
    main = Source.from_text(text, "main.spine", str(project / "main.spine"))
    network = re.sub(f"{OF_EDIT}(mix|mean|tower)", r"\1_here", net.network("Edited")).replace(OF_EDIT, "")
    by_hand = Source.from_text(file(THERE, NAMES.sub(r"\1_here", HERE), network), "hand.spine")
    expected = meaning(by_hand, "Edited")
    found = meaning(edit.apply(main, edits, base="Base", name="Edited"), "Edited")
    assert found == (expected.replace("_here", "") if expected is not None else None)
