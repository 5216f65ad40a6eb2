"""Parameters are named by the text of their definition, and keep their names whatever else changes."""

from __future__ import annotations

from spinedsl.ops.graph import flatten
from tests.ir.built import graph, names, program, shapes, with_block
from tests.texts import ROOT

SPINENET = (ROOT / "examples/spinenet.spine").read_text(encoding="utf-8")


def weights(definitions: str) -> list[str]:
    """The weights of a block `mine`, by name."""
    return [name.removesuffix(".weight") for name in names(with_block(definitions)) if name.endswith(".weight")]


def block(body: str) -> str:
    return f"block_type mine(x, channels, activation = relu) {{\n{body}\n}}\n"


def test_a_let_names_what_stands_on_its_right() -> None:
    body = "let squeeze = act(norm(conv(x, channels, kernel = 1)))\nreturn squeeze"
    assert weights(block(body)) == ["squeeze.conv", "squeeze.norm"]


def test_elsewhere_an_operation_has_the_name_it_is_called_by() -> None:
    body = "var y = conv(x, channels, kernel = 1)\ny = conv(y, channels, kernel = 1)\nreturn norm(y)"
    assert weights(block(body)) == ["conv", "conv_2", "norm"]


def test_what_a_let_is_called_no_operation_is() -> None:
    body = "let conv_2 = conv(x, channels, kernel = 1)\nvar y = conv(conv_2, channels, kernel = 1)\n"
    body += "y = conv(y, channels, kernel = 1)\nreturn y"
    assert weights(block(body)) == ["conv_2.conv", "conv", "conv_3"]


def test_what_the_head_of_an_each_makes_stands_outside_of_it() -> None:
    body = "var y = conv(x, channels, kernel = 1)\neach p in [y, conv(y, channels, kernel = 1)] {\n"
    body += (
        "y = y + conv(p, channels, kernel = 1)\n}\neach q in [conv(x, channels, kernel = 1)] { y = y + q }\nreturn y"
    )
    assert weights(block(body)) == ["conv", "conv_2", "p0.conv", "p1.conv", "conv_3"]


def test_a_definition_stands_below_its_name_or_its_let() -> None:
    helper = "def helper(x, channels) { return conv(x, channels, kernel = 1) }\n"
    assert weights(helper + block("return helper(x, channels)")) == ["helper.conv"]
    assert weights(helper + block("let y = helper(x, channels)\nreturn y")) == ["y.conv"]


def test_an_argument_never_takes_the_name_of_what_it_is_given_to() -> None:
    helper = "def helper(x, channels) { return conv(x, channels, kernel = 1) }\n"
    body = "let y = helper(conv(x, channels, kernel = 1), channels)\nreturn y"
    assert weights(helper + block(body)) == ["y.conv", "y.helper.conv"]


def test_iterations_are_numbered() -> None:
    body = "var y = x\nrepeat 2 { y = conv(y, channels, kernel = 1) }\nreturn y"
    assert weights(block(body)) == ["rep0.conv", "rep1.conv"]
    body += "\n"
    twice = "var y = x\nrepeat 2 { y = conv(y, channels, kernel = 1) }\nrepeat 1 { y = norm(y) }\nreturn y"
    assert weights(block(twice)) == ["rep0.conv", "rep1.conv", "rep_2_0.norm"]


def test_items_are_numbered() -> None:
    body = "var y = x\neach p in [x, x] { y = y + conv(p, channels, kernel = 1) }\nreturn y"
    assert weights(block(body)) == ["p0.conv", "p1.conv"]


def test_no_number_makes_a_name_that_is_taken() -> None:
    body = "let p0 = conv(x, channels, kernel = 1)\nvar y = p0\n"
    body += "each p in [x] { y = y + conv(p, channels, kernel = 1) }\nreturn y"
    assert weights(block(body)) == ["p0.conv", "p_2_0.conv"]


def test_shared_weights_stand_outside_of_the_loop() -> None:
    body = "var y = x\nrepeat 3 { y = norm(shared conv(y, channels, kernel = 1)) }\nreturn y"
    assert sorted(weights(block(body))) == ["conv", "rep0.norm", "rep1.norm", "rep2.norm"]


def test_shared_weights_of_an_inner_each_are_those_of_one_turn_of_the_outer_one() -> None:
    body = (
        "var y = x\neach p in [x, x] {\neach q in [p, p] { y = y + shared conv(q, channels, kernel = 1) }\n}\nreturn y"
    )
    assert weights(block(body)) == ["p0.conv", "p1.conv"]


def test_shared_weights_never_take_the_name_of_others() -> None:
    body = "var y = conv(x, channels, kernel = 3)\nrepeat 2 { y = shared conv(y, channels, kernel = 1) }\n"
    body += "repeat 2 { let z = shared conv(y, channels, kernel = 5)\ny = z }\n"
    body += "repeat 2 { let z = shared conv(y, channels, kernel = 7)\ny = z }\nreturn y"
    sizes = {name: shape[-1] for name, shape in shapes(with_block(block(body))).items()}
    assert sizes == {"conv.weight": 3, "conv_2.weight": 1, "z.conv.weight": 5, "z_2.conv.weight": 7}


def test_every_parameter_has_a_name_of_its_own() -> None:
    """As many parameters as the operations ask for: no two share one by accident."""
    for path in sorted((ROOT / "examples").rglob("*.spine")):
        text = path.read_text(encoding="utf-8")
        network = next(line.split()[1].split("(")[0] for line in text.splitlines() if line.startswith("network "))
        made = flatten(program(text, network, str(path)))
        owners: dict[str, str] = {}
        for node in made.nodes:
            for name in node.parameters.values():
                assert owners.setdefault(name, node.name) == node.name


def test_branches_share_their_scope() -> None:
    body = "if channels > 4 { return conv(x, channels, kernel = 1) }\nreturn conv(x, channels, kernel = 3)"
    assert weights(block(body)) == ["conv"]
    narrow = with_block(block(body), "block b: mine level 0 channels 2 after s")
    assert names(narrow) == ["conv_2.weight"]


def test_other_blocks_do_not_rename() -> None:
    """A block more, or one less, changes no other name."""
    before = set(graph(SPINENET, "SpineNet49").parameters)
    row = "    block b16: bottleneck"
    added = SPINENET.replace(row, "    block new: residual  level 5  from b12, b14  repeat repeats\n" + row)
    added = added.replace("from b12, b14  repeat repeats\n\n", "from b12, new  repeat repeats\n\n")
    after = set(graph(added, "SpineNet49").parameters)
    changed = {name.split(".")[0] for name in before ^ after}
    assert changed == {"new", "b16"}
    assert {name for name in before if not name.startswith("b16.from_")} <= after


def test_rows_repeat_by_number() -> None:
    text = with_block(
        block("return conv(x, channels, kernel = 1)"), "block b: mine level 0 channels 8 after s repeat 2"
    )
    assert names(text) == ["rep0.conv.weight", "rep1.conv.weight"]
    once = text.replace("repeat 2", "repeat 1")
    assert names(once) == ["rep0.conv.weight"]


def test_connections_are_named_by_their_source() -> None:
    parameters = graph(SPINENET, "SpineNet49").parameters
    assert {name.split(".")[1] for name in parameters if name.startswith("b5.")} == {"from_b2", "from_b4", "rep0"}
