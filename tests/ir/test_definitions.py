"""What definitions say is what they are expanded to, as values tell."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from spinedsl import driver
from spinedsl.ir.library import IMPLICIT
from spinedsl.ir.resolve.definitions import FILLED_BY_ROWS
from spinedsl.ops.interpret import run
from spinedsl.ops.program import If, Return
from spinedsl.source import Source
from tests.ir.built import graph, outputs, program, said, shapes, with_block

Array = NDArray[np.float32]
IMAGE = np.random.default_rng(0).standard_normal((1, 3, 32, 32)).astype(np.float32)


def value(definition: str, row: str = "block b: mine level 0 channels 8 after s") -> tuple[Array, Array]:
    """What a block gives for what the stem gives, with every weight one, but of norms as they begin."""
    made = graph(with_block(definition, row))
    weights = {
        name: np.full(parameter.shape, 0 if name.endswith(("running_mean", ".bias")) else 1, np.float32)
        for name, parameter in made.parameters.items()
    }
    weights = {name: np.ones_like(array) * (0.05 if name.startswith("s.") else 1) for name, array in weights.items()}
    values = run(made, weights, IMAGE)
    return values["s"], values["b"]


def block(body: str, signature: str = "") -> str:
    return f"block_type mine(x, channels, activation = relu, times = 2){signature} {{\n{body}\n}}\n"


def close(left: Array, right: Array) -> bool:
    return bool(np.allclose(left, right, rtol=1e-5, atol=1e-5))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return relu(x)", relu),
        ("return x * 2 + 1", lambda x: x * 2 + 1),
        ("return 1 - x / 4", lambda x: 1 - x / 4),
        ("return -x - 3 + x * x", lambda x: -x - 3 + x * x),
        ("return x - relu(x)", lambda x: x - relu(x)),
        ("return relu6(x + 3) * 0.5", lambda x: np.clip(x + 3, 0, 6) * 0.5),
        ("return activation(x)", relu),
        ("return sum([x, x, x])", lambda x: 3 * x),
        ("let l = [x, x * 2]\nreturn sum(l) + sum(l)", lambda x: 6 * x),
        ("var y = x\nrepeat 3 { y = y * 2 }\nreturn y", lambda x: 8 * x),
        ("var y = x\nrepeat i in 3 { y = y + i }\nreturn y", lambda x: x + 3),
        ("var y = x\nrepeat 0 { y = y * 2 }\nreturn y", lambda x: x),
        ("var y = x\neach p in [x, x * 3] { y = y + p }\nreturn y", lambda x: 5 * x),
        ("var y = x\nrepeat 2 { repeat 2 { y = y + 1 } }\nreturn y", lambda x: x + 4),
        ("if times == 2 { return x * 2 }\nreturn x", lambda x: 2 * x),
        ("if times == 3 { return x * 2 }\nreturn x", lambda x: x),
        ("if times == 3 { return x }\nelse if times == 2 { return x * 4 }\nelse { return x * 5 }", lambda x: 4 * x),
        ("if times == 3 { return x }\nelse if times == 4 { return x * 4 }\nelse { return x * 5 }", lambda x: 5 * x),
        ("if times == 1 { return x }\nelse if times == 3 { return x }\nelse if times == 2 { return -x }\nreturn x * 9",
         lambda x: -x),
        ("if true { if times > 5 { return x } }\nreturn x * 2", lambda x: 2 * x),
        ("if true { if times > 1 { return x } }\nreturn x * 2", lambda x: x),
        ("var y = x\nif times > 1 { y = y + 1 } else { y = y + 2 }\nreturn y", lambda x: x + 1),
        ("let y = x if times > 2 else x * 7\nreturn y", lambda x: 7 * x),
        ("let n = times * 3\nlet m = n + 1\nreturn x * m", lambda x: 7 * x),
        ("return global_average_pool(x) * x", lambda x: x * x.mean((2, 3), keepdims=True)),
        ("return upsample(max_pool(x, kernel = 2, stride = 2, padding = 0), levels = 1) * 0 + x", lambda x: x),
    ],
)  # fmt: skip
def test_values(body: str, expected: object) -> None:
    before, after = value(block(body, " -> x.channels"))
    assert callable(expected)
    assert close(after, expected(before))


def test_definitions_call_definitions_with_what_they_are_given() -> None:
    text = """
def outer(x, factor, offset = factor + 1) { return inner(x = x, by = factor) + offset }
def inner(by, x) { return x * by }
block_type mine(x, channels) { return outer(x, 3) + outer(x, factor = 2, offset = 0) }
"""
    before, after = value(text)
    assert close(after, 5 * before + 4)


def test_a_default_may_name_the_parameters_before_it_and_nothing_of_the_network() -> None:
    text = with_block(
        "block_type mine(x, channels, hidden = channels * 2) -> channels {\n"
        "    let wide = conv(x, hidden, kernel = 1)\n    return conv(wide, channels, kernel = 1) }",
        "let channels = 999\n    block b: mine level 0 channels 8 after s",
    )
    assert shapes(text)["wide.conv.weight"][0] == 16


def test_an_activation_is_a_value() -> None:
    text = block("return activation(x)", " -> x.channels")
    before, after = value(text, "block b: mine(activation = swish) level 0 channels 8 after s")
    assert close(after, before / (1 + np.exp(-before)))
    assert said(with_block(text, "block b: mine(activation = same) level 0 channels 8 after s")) == ["E0203"]
    assert said(with_block(text, "block b: mine(activation = conv) level 0 channels 8 after s")) == ["E0203"]


def test_properties() -> None:
    body = "let n = x.channels + x.level + x.height * 100 + x.width * 10000\nreturn conv(x, n, kernel = 1)"
    text = with_block(block(body))
    assert shapes(text)["conv.weight"][0] == 8 + 0 + 3200 + 320000
    assert program(text).static_axes.keys() == {"height", "width"}


def test_what_is_not_read_stays_dynamic() -> None:
    text = block("if false { return conv(x, x.height, kernel = 1) }\nreturn x")
    assert program(with_block(text)).static_axes == {}


def test_concat_adds_channels() -> None:
    text = with_block(block("return concat(x, relu(x), [x, x])", " -> x.channels * 4"))
    assert outputs(text)["b"][1] == 32


def test_lists_as_parameters() -> None:
    text = """
def weighted(features, by) {
    var y = sum(features) * 0
    each p in features { y = y + p * by }
    return y
}
block_type mine(x, channels) -> x.channels { return weighted([x, x * 2], 10) }
"""
    before, after = value(text)
    assert close(after, 30 * before)


def test_nothing_runs_after_an_early_return() -> None:
    made = program(with_block(block("if times > 1 { return relu(x) }\nreturn x", " -> x.channels")))
    module = made.row("b").calls[0].module
    choice, after = module.written.body
    assert isinstance(choice, If)
    assert isinstance(choice.then[0], Return)
    assert choice.returns == {choice.then[0].site}
    assert isinstance(after, Return)
    assert [site for site, _ in module.ran] == [choice.site, choice.then[0].site]


def test_equal_uses_share_one_module() -> None:
    text = with_block(
        block("return conv(x, channels, kernel = 1)", " -> channels"),
        "block a: mine level 0 channels 8 after s\n    block b: mine level 0 channels 8 after a",
    )
    made = program(text)
    assert made.row("a").calls[0].module is made.row("b").calls[0].module


def test_expansions_are_kept_only_for_the_same_defaults() -> None:
    """The prelude is read once; networks with other defaults expand it anew."""
    text = (
        "import std.blocks\nimport std.stems\n"
        "network {name} {{ input i: 3 x 32 x 32\n defaults {{ act {act}, norm batch_norm }}\n"
        "stem s: resnet_stem channels 8\n block b: residual level 2 channels 8 after s\n output C: b }}"
    )
    for act in ("relu", "swish", "gelu"):
        nodes = graph(text.format(name="Net", act=act)).nodes
        assert {node.primitive for node in nodes} & {"relu", "swish", "gelu"} == {act}


@pytest.mark.parametrize(
    "body",
    [
        "if false { return conv(x, nothing, kernel = 1) }\nreturn x",
        "if false { return conv(x, 8) }\nreturn x",
        "if false { return nothing(x) }\nreturn x",
        "if false { let y = x.depth\nreturn x }\nreturn x",
        "repeat 0 { let y = relu(x, x, x) }\nreturn x",
        "let y = x if true else nothing\nreturn y",
    ],
)
def test_what_is_not_taken_is_checked_too(body: str) -> None:
    assert len(said(with_block(block(body)))) == 1


def test_a_mistake_in_a_loop_is_said_once_and_leaves_nothing_else_to_say() -> None:
    body = (
        "var y = x\nrepeat 3 { if channels > 0 { y = y + conv(y, 99, kernel = 1) } }\nreturn y + conv(y, 7, kernel = 1)"
    )
    assert said(with_block(block(body))) == ["E0501"]


def test_what_follows_from_a_mistake_is_not_said() -> None:
    rows = """block b: mine level 0 channels 8 after s
    block c: mine(times = 3) level 0 channels 8 after b
    block d: mine level 0 channels 8 after c"""
    body = "if times == 3 { return conv(x, 0, kernel = 1) }\nreturn x"
    text = with_block(block(body), rows).replace("output C0: b", "output C0: d")
    assert said(text) == ["E0403"]


def test_each_use_with_mistakes_of_its_own_is_said() -> None:
    """Rows that make the same mistake with a definition of another file are as many mistakes."""
    rows = """block b: residual(channels = 0) level 0 after s
    block c: residual(channels = 0) level 0 after b"""
    text = with_block("import std.blocks\n", rows).replace("output C0: b", "output C0: c")
    assert len(said(text)) == 1  # the first is unknown, so nothing is known of the second
    beside = text.replace("after b", "after s").replace("output C0: c", "output C0: b\n    output C1: c")
    assert len(said(beside)) == 2


def test_shared_means_something_in_loops_only() -> None:
    assert said(with_block(block("return shared conv(x, channels, kernel = 1)"))) == ["E0227"]


def test_definitions_may_stand_below_their_use() -> None:
    text = "network Later = Net\n" + with_block(block("return x"))
    outcome = driver.analyse(Source.from_text(text))
    assert outcome.ok
    assert outcome.value is not None
    assert outcome.value.checked.keys() == {"Net", "Later"}


@pytest.mark.parametrize("kind", IMPLICIT)
def test_what_rows_fill_in_has_words(kind: str) -> None:
    assert len(FILLED_BY_ROWS.get(kind, ())) == len(IMPLICIT[kind])
    if IMPLICIT[kind]:
        text = f"{kind} mine() {{ return relu(1) }}"
        assert "E0221" in [d.code.id for d in driver.analyse(Source.from_text(text)).diagnostics]
