"""Tasks: what a network says that its heads mean, kept through formatting, edits, programs, pruning and comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional

import spinedsl
from spinedsl import edit
from spinedsl.agreement import Size, image, lively_weights
from spinedsl.analysis import costs_by_row
from spinedsl.backends.torch import build
from spinedsl.cli import main
from spinedsl.compare import Tier, compare, derive, side
from spinedsl.compare.words import to_text as in_words
from spinedsl.draw import lay_out, to_svg
from spinedsl.ops import tasks
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.primitives import Attribute, Kind
from spinedsl.ops.program import Program, Task
from spinedsl.ops.tasks import Heads, Misfit, TaskKind
from spinedsl.ops.text import plain, to_text
from spinedsl.ops.types import Value
from spinedsl.ops.verify import Invalid, verify
from spinedsl.record import replace
from spinedsl.source import Source
from spinedsl.syntax.format import format_source
from tests.backends import heads

HEAD = """spine 1
import std.blocks
import std.stems
import std.heads

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    block b4: residual level 4 after b3 channels 8
"""
HEADS = """    head logits: pooled_classifier(classes = 10) from b4
    head vector: embedding(dimension = 6) from s, b3, b4
    head masks: segmentation(classes = 3) from s, b3, b4 channels 4
"""
TASKS = """    task classify: classification from logits
    task face: embedding from vector
    task segment: segmentation from masks
"""
FULL = HEAD + HEADS + TASKS + "}\n"


def program(text: str = FULL, network: str | None = None, outputs: tuple[str, ...] | None = None) -> Program:
    return spinedsl.program(Source.from_text(text, "net.spine"), network=network, outputs=outputs)


def with_edits(*said: str) -> str:
    return FULL + "network Other = Net with {\n" + "".join(f"    {one}\n" for one in said) + "}\n"


def codes(text: str) -> list[str]:
    return [found.code.id for found in spinedsl.check(Source.from_text(text, "net.spine")).diagnostics]


# ---- what a program has ----


def test_a_program_has_its_tasks() -> None:
    made = program()
    assert [(task.name, task.kind, dict(task.heads)) for task in made.tasks] == [
        ("classify", "classification", {"from": "logits"}),
        ("face", "embedding", {"from": "vector"}),
        ("segment", "segmentation", {"from": "masks"}),
    ]
    assert [dict(task.outputs) for task in made.tasks] == [{"from": (name,)} for name in ("logits", "vector", "masks")]
    assert [task.loc.line for task in made.tasks] == [15, 16, 17]
    assert made.tasks_of("vector") == made.tasks[1:2]
    assert "task    face: embedding from vector  net.spine:16\n" in to_text(made)
    assert plain(made)["tasks"][1] == {
        "name": "face", "kind": "embedding", "arguments": {}, "heads": {"from": "vector"},
        "outputs": {"from": ["vector"]}, "file": "net.spine", "line": 16,
    }  # fmt: skip


def test_tasks_leave_the_network_as_it_is() -> None:
    bare = HEAD + HEADS + "}\n"
    for to in ("torch", "mermaid"):
        one, other = (spinedsl.compile(Source.from_text(text, "net.spine"), to=to) for text in (bare, FULL))
        assert one == other
    assert program(bare).tasks == ()
    assert [str(node) for node in flatten(program(bare)).nodes] == [str(node) for node in flatten(program()).nodes]


def test_a_model_says_its_tasks() -> None:
    found: list[dict[str, str]] = []
    for text in (HEAD + HEADS + "}\n", FULL):
        (data,) = spinedsl.compile(Source.from_text(text, "net.spine"), to="onnx").values()
        model = onnx.load_from_string(data)
        found.append({entry.key: entry.value for entry in model.metadata_props})
    assert "spine.tasks" not in found[0]
    expected = {"name": "face", "kind": "embedding", "arguments": {}, "outputs": {"from": ["vector"]}}
    assert json.loads(found[1]["spine.tasks"])[1] == expected


def test_a_task_may_stand_above_its_head() -> None:
    assert program(HEAD + TASKS + HEADS + "}\n").tasks[0].heads == {"from": "logits"}


def test_outputs_take_their_tasks_along() -> None:
    made = program(outputs=("vector",))
    assert [task.name for task in made.tasks] == ["face"]
    assert [task.name for task in made.dropped_tasks] == ["classify", "segment"]
    verify(made)


def test_the_command_line_says_which_tasks_are_left_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "net.spine"
    path.write_text(FULL, encoding="utf-8")
    file = str(path)
    assert main(["stats", file, "--outputs", "vector"]) == 0
    printed = capsys.readouterr()
    assert "; and 2 tasks: classify, segment" in printed.err
    assert printed.out.splitlines()[1:3] == ["task face: embedding from vector", ""]
    assert main(["stats", file, "--format", "json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["tasks"] == [{**task, "file": file} for task in plain(program())["tasks"]]


def test_a_task_goes_with_each_output_that_it_reads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Though all rows stay."""
    path = tmp_path / "net.spine"
    path.write_text(heads.text(False, False, 5), encoding="utf-8")
    assert main(["stats", str(path), "--outputs", "scores_P3,boxes_P3"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "spine: --outputs leaves out 1 task: find\n"
    assert "task find" not in printed.out


BROKEN: dict[str, dict[str, object]] = {
    "is of no kind that there is": {"kind": "regression"},
    "has other clauses than its kind": {"heads": {"scores": "logits"}},
    "has other arguments than its kind": {"arguments": {"classes": 10}},
    "is of outputs that its heads do not give": {"outputs": {"from": ("vector",)}},
}


@pytest.mark.parametrize("problem", BROKEN)
def test_the_verifier_holds_tasks(problem: str) -> None:
    made = program()
    verify(made)
    with pytest.raises(Invalid, match=f"net.spine:15: task `classify` {problem}"):
        verify(replace(made, tasks=(replace(made.tasks[0], **BROKEN[problem]), *made.tasks[1:])))


# ---- text ----


def test_tasks_are_aligned() -> None:
    text = HEAD + HEADS + "    task a:classification   from logits# one\n\n    task face : embedding\n from vector\n"
    text += "    # two\n    task bb:embedding() from vector\n}\n"
    formatted = format_source(Source.from_text(text)).value
    assert formatted is not None
    assert formatted.splitlines()[-6:] == [
        "    task a: classification from logits  # one",
        "",
        "    task face: embedding from vector",
        "    # two",
        "    task bb: embedding() from vector",
        "}",
    ]
    formatted = format_source(Source.from_text(FULL)).value
    assert formatted is not None
    assert formatted.splitlines()[-4:-1] == [
        "    task classify: classification  from logits",
        "    task face:     embedding       from vector",
        "    task segment:  segmentation    from masks",
    ]


OLD_WORDS = {
    "a parameter": ("network Net {", "network Net(task = 10) {", "classes = 10", "classes = task"),
    "a parameter that is given": (
        "network Net {", "network Base(task = 9) {", "classes = 10", "classes = task", "from b4\n}",
        "from b4\n}\nnetwork Net = Base(task = 10)",
    ),
    "a parameter that an edit gives": (
        "network Net {", "network Base(task = 9) {", "classes = 10", "classes = task", "from b4\n}",
        "from b4\n}\nnetwork Net = Base with {\n    task = 10\n    block b4 repeat\n    2\n}",
    ),
    "a let": ("network Net {", "network Net {\n    let task = 10", "classes = 10", "classes = task"),
    "a network": ("network Net {", "network task {"),
    "a definition": (
        "network Net {", ("block_type task(x, channels, stride = 1) -> channels {\n"
        "    return conv(x, channels, kernel = 1, stride = stride)\n}\n\nnetwork Net {"), "b3: residual", "b3: task",
    ),
    "a def": (
        "network Net {", ("def task(x) { return relu(x) }\nblock_type own(x, channels, stride = 1) -> channels {\n"
        "    return task(conv(x, channels, kernel = 1, stride = stride))\n}\n\nnetwork Net {"), "b3: residual",
        "b3: own",
    ),
    "names in a definition": (
        "network Net {", ("block_type own(task, channels, stride = 1) -> channels {\n"
        "    var y = conv(task, channels, kernel = 1, stride = stride)\n    let step =\n        y\n"
        "    y = relu(step)\n    return y\n}\n\nnetwork Net {"), "b3: residual", "b3: own",
    ),
    "a var": (
        "network Net {", ("block_type own(x, channels, stride = 1) -> channels {\n"
        "    var task = conv(x, channels, kernel = 1, stride = stride)\n    task = relu(task)\n    return task\n}\n\n"
        "network Net {"), "b3: residual", "b3: own",
    ),
    "a loop's index": (
        "network Net {", ("block_type own(x, channels, stride = 1) -> channels {\n"
        "    var y = conv(x, channels, kernel = 1, stride = stride)\n"
        "    repeat task in 2 { y = conv(y, channels, kernel = 1 + 2 * task) }\n    return y\n}\n\nnetwork Net {"),
        "b3: residual", "b3: own",
    ),
    "the input": ("input image", "input task"),
    "a stem": ("stem s:", "stem task:", "after s ", "after task "),
    "a block": ("b3", "task"),
    "a block on several lines": ("b3 channels 8", "task\n        channels 8", "b3", "task"),
    "a head": ("head logits", "head task"),
    "an output": ("    head logits", "    output task: b3\n    head logits"),
    "a row that is moved": (
        "network Net", "network Base", "b3", "task", "from b4\n}",
        ("from b4\n}\nnetwork Net = Base with {\n    block b4 after s\n    block task after b4 level 4\n"
        "    move task after b4\n    head logits from\n        task\n}"),
    ),
    "a row that is dropped": (
        "network Net", "network Base", "b3", "task", "from b4\n}",
        "from b4\n}\nnetwork Net = Base with {\n    block b4 after s\n    drop task\n}",
    ),
    "a row that is added": (
        "network Net", "network Base", "from b4\n}",
        ("from b4\n}\nnetwork Net = Base with {\n    add block task: residual level 4 after b3 channels 8 before b4\n"
        "    block b4 after task\n}"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", OLD_WORDS)
def test_task_is_a_name_wherever_it_was_one(place: str) -> None:
    """Where a word stands for a name, `task` gives what any other gives."""
    text = HEAD + "    head logits: pooled_classifier(classes = 10) from b4\n}\n"
    replacements = OLD_WORDS[place]
    for was, now in zip(replacements[::2], replacements[1::2], strict=True):
        assert was in text
        text = text.replace(was, now)
    assert re.search(r"\btask\b", text)
    other = re.sub(r"\btask\b", "zask", text)
    name = "task" if place == "a network" else "Net"
    made, same = program(text, name), program(other, name.replace("task", "zask"))
    assert to_text(made).replace("task", "zask") == to_text(same)
    formatted, also = (format_source(Source.from_text(one)).value for one in (text, other))
    assert formatted is not None
    assert re.sub(r"\btask\b", "zask", formatted) == also


# ---- edits and comparison ----


def test_edits_of_tasks() -> None:
    text = with_edits("task classify: classification from vector", "task more: classification from logits", "drop face")
    made = program(text, "Other")
    found = [(task.name, task.heads["from"]) for task in made.tasks]
    assert found == [("classify", "vector"), ("segment", "masks"), ("more", "logits")]


def test_a_head_goes_with_its_task() -> None:
    assert codes(with_edits("drop logits", "drop classify")) == []
    assert codes(with_edits("drop logits")) == ["E0318"]
    assert codes(with_edits("drop classify", "task classify: classification from vector")) == []


def test_an_edit_as_a_value() -> None:
    made = edit.Task("face", "embedding( )", edit.clauses(from_="vector"))
    assert str(made) == "task face: embedding() from vector"
    assert edit.parse(f"with {{ {made} }}").value == edit.Edits([made])
    with pytest.raises(ValueError, match="not the form of one edit"):
        edit.Task("face", "embedding from a\n    task b: embedding")


CHANGES: list[tuple[Tier, tuple[str, ...], str]] = [
    (Tier.NONE, ("task more: classification from logits",), "+ more  added  classification from logits"),
    (Tier.INTERFACE, ("drop face",), "task face: dropped"),
    (Tier.INTERFACE, ("task face: classification from vector",), "task face: classification, was embedding"),
    (Tier.INTERFACE, ("task classify: classification from vector",), "task classify: from vector, was logits"),
]


@pytest.mark.parametrize(("tier", "said", "text"), CHANGES)
def test_whom_a_task_breaks(tier: Tier, said: tuple[str, ...], text: str) -> None:
    source = Source.from_text(with_edits(*said), "net.spine")
    sides = [side(source, network=name) for name in ("Net", "Other")]
    found = compare(*sides)
    assert found.tier is tier
    assert text in in_words(found)
    for one, other in (sides, sides[::-1]):
        edits = derive(one, other)
        assert edits is not None
        made = program(edit.apply(source, edits, base=one.name, name="Made").text, "Made")
        assert [(t.name, t.kind, t.heads) for t in sorted(made.tasks, key=name_of)] == [
            (t.name, t.kind, t.heads) for t in sorted(other.program.tasks, key=name_of)
        ]


def name_of(task: Task) -> str:
    return task.name


def test_a_figure_says_tasks() -> None:
    svg = to_svg(lay_out(program()))
    assert "task face: embedding from vector" in svg
    assert svg.count(">embedding<") == 2  # below the head, and its type in the legend
    assert "below a head: its task" in svg
    assert "below a head: its task" not in to_svg(lay_out(program(HEAD + HEADS + "}\n")))


# ---- another kind is a row of the table ----


def same_levels(heads: Heads, arguments: Mapping[str, Value]) -> Iterator[Misfit]:
    """Scores and boxes over the same maps, four numbers for each anchor."""
    scores, boxes = heads["scores"].results, heads["boxes"].results
    if [one.level for one in scores] != [one.level for one in boxes]:
        yield Misfit("boxes", "maps of the levels of `scores`", heads["boxes"].in_words, "read the same rows")
    elif any(one.channels != 4 * len(arguments["ratios"]) for one in boxes):  # type: ignore[arg-type]
        yield Misfit("boxes", "4 channels for each anchor", heads["boxes"].in_words, "give it as many")


DETECTION = TaskKind(
    "detection", ("scores", "boxes"), same_levels, "task find: detection scores classes boxes boxes", ("retina_tower",),
    (Attribute("ratios", Kind.POSITIVE, (Fraction(1),), many=True), Attribute("scale", Kind.POSITIVE, 4)),
)  # fmt: skip
TOWERS = """    head classes: separable_tower(outputs = 2 * 5, depth = 1) from b3, b4 channels 8
    head coding: separable_tower(outputs = OUT, depth = 1) from ROWS channels 8
    task find: detection(ratios = [0.5, width]) scores classes boxes coding
}
"""


@pytest.fixture
def detection(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(tasks.TASKS, "detection", DETECTION)
    text = HEAD.replace("network Net", "network Net(width = 2)") + TOWERS
    return text.replace("OUT", "8").replace("ROWS", "b3, b4")


def test_a_kind_with_arguments_and_clauses_of_its_own(detection: str) -> None:
    (task,) = program(detection).tasks
    assert dict(task.arguments) == {"ratios": (Fraction(1, 2), 2), "scale": 4}
    assert dict(task.outputs) == {
        "scores": ("classes_b3", "classes_b4"), "boxes": ("coding_b3", "coding_b4"),
    }  # fmt: skip
    verify(program(detection))
    assert "task    find: detection(ratios = [0.5, 2], scale = 4) scores classes boxes coding" in to_text(
        program(detection)
    )
    text = format_source(Source.from_text(detection)).value
    assert text is not None
    assert "    task find: detection(ratios = [0.5, width]) scores classes  boxes coding\n" in text
    on_lines = detection.replace("scores classes", "\n        scores classes\n       ")
    assert format_source(Source.from_text(on_lines)).value == text


@pytest.mark.parametrize(
    ("was", "now", "code", "place"),
    [
        ("outputs = 8", "outputs = 9", "E0513", "coding"),
        ("from b3, b4 channels 8\n    task", "from b4 channels 8\n    task", "E0513", "coding"),
        ("boxes coding", "", "E0309", "find"),
        ("boxes coding", "box coding", "E0216", "box"),
        ("boxes coding", "boxes 3", "E0322", "boxes 3"),
        ("boxes coding", "boxes codin", "E0201", "codin"),
        ("scores classes", "scores classes scores classes", "E0217", "scores classes"),
        ("ratios =", "ratio =", "E0208", "ratio"),
        ("ratios = [0.5, width]", "[0.5, 2]", "E0222", "[0.5, 2]"),
        ("[0.5, width]", "[0.5, 0]", "E0503", "0"),
        ("[0.5, width]", "[0.5, depth]", "E0201", "depth"),
        ("[0.5, width]", "[0.5, 2], ratios = [0.5, 2]", "E0209", "ratios"),
    ],
)
def test_mistakes_of_such_a_kind(detection: str, was: str, now: str, code: str, place: str) -> None:
    assert detection.count(was) == 1
    found = spinedsl.check(Source.from_text(detection.replace(was, now))).diagnostics
    assert [(one.code.id, one.span.text) for one in found] == [(code, place)]
    assert found[0].fixes


def test_edits_of_such_a_kind(detection: str) -> None:
    text = detection + "network Other = Net with {\n    task find: detection(ratios = [0.5, 2], scale = 3)\n"
    text += "        scores classes\n        boxes coding\n    width = 2\n}\n"
    source = Source.from_text(text.replace("width = 2\n}", "block b3 channels 8\n}"), "net.spine")
    made = spinedsl.program(source, network="Other")
    assert made.tasks[0].arguments["scale"] == 3
    found = compare(side(source, network="Net"), side(source, network="Other"))
    assert found.tier is Tier.NUMERIC
    assert [(one.about, one.text) for one in found.reasons] == [("task find", "scale 3, was 4")]


# ---- the heads of the prelude ----


def test_what_the_heads_cost() -> None:
    """Parameters and multiply-adds by hand: widths 8, 8, 8 at 16, 8 and 4 positions a side."""
    found = costs_by_row(flatten(program()))
    assert found["vector"].parameters == 2 * 8 + 8 * 6 + 2 * 6
    assert found["vector"].multiply_adds == 8 * 6
    convs = 4 * 8 * 9 * 3 + 4 * 4 * 9  # one from each map, one more from the last, which is two levels away
    assert found["masks"].parameters == convs + 4 * 2 * 4 + 4 * 3 + 3
    assert found["masks"].multiply_adds == 288 * (16**2 + 8**2 + 4**2) + 144 * 8**2 + 4 * 3 * 16**2


def test_an_embedding_has_length_1() -> None:
    graph = flatten(program())
    found = run(graph, lively_weights(graph.parameters, seed=2), image(graph.program, Size(2, 64, 64), seed=1))
    assert np.allclose(np.linalg.norm(found["vector"], axis=1), 1)


def test_a_segmentation_is_what_its_paper_says() -> None:
    """The branch by hand: convolution, norm, activation and doubling for each level, a sum, a 1x1 convolution."""
    made = program()
    module = build(made).eval()
    torch.manual_seed(0)
    for tensor in (*module.parameters(), *(buffer for buffer in module.buffers() if buffer.is_floating_point())):
        tensor.data = torch.rand_like(tensor) + 0.1
    maps: dict[str, torch.Tensor] = {}
    for name in ("s", "b3", "b4"):
        getattr(module, name).register_forward_hook(lambda m, i, given, name=name: maps.setdefault(name, given))
    found = module(torch.rand(2, 3, 64, 64))
    state = {name.removeprefix("masks."): tensor for name, tensor in module.state_dict().items()}

    def step(x: torch.Tensor, path: str) -> torch.Tensor:
        y = functional.conv2d(x, state[f"{path}conv.weight"], padding=1)
        mean, variance = state[f"{path}norm.running_mean"], state[f"{path}norm.running_var"]
        weight, bias = state[f"{path}norm.weight"], state[f"{path}norm.bias"]
        return functional.relu(functional.batch_norm(y, mean, variance, weight, bias, eps=1e-5))

    def double(x: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(x, scale_factor=2, mode="bilinear")

    total = step(maps["s"], "") + double(step(maps["b3"], "p0.rep0."))
    total = total + double(step(double(step(maps["b4"], "p1.rep0.")), "p1.rep1."))
    expected = functional.conv2d(total, state["conv_2.weight"], state["conv_2.bias"])
    given = found["masks"] if isinstance(found, dict) else dict(zip(made.outputs, found, strict=True))["masks"]
    torch.testing.assert_close(given, expected)
