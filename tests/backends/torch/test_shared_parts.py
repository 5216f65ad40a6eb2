"""Copies of a part that share one set of weights: counts, names, PyTorch's text, and the same numbers everywhere."""

from __future__ import annotations

import pytest
import torch

from spinedsl.analysis import costs, costs_by_row
from spinedsl.backends.torch import build
from spinedsl.compare import Tier, compare, side
from spinedsl.draw import lay_out, to_svg
from spinedsl.driver import analyse
from spinedsl.ops.graph import flatten
from spinedsl.ops.naming import row_of
from spinedsl.ops.prune import prune
from spinedsl.ops.text import to_text
from spinedsl.testing.laws import agreed, compiled, counted, inferred, optimised, program_of, trained
from spinedsl.training.fine import freeze, no_row
from tests.backends.torch.test_parts import classes, file, method
from tests.scripting import is_scripted

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

EVEN = """
network Even {
    input x, y: level 2
    block a: residual level 2 after x channels 8
    block b: residual level 2 from y, a channels 8
    output a, b
}

network Around {
    input x, y: level 2
    part one: shared Even from x, y repeat 2
    part two: Even from one
    output A, B: two
}

network Crossed {
    input x, y: level 2
    part one: shared Even from x, y repeat 2
    output B: one.b
    output A: one.a
}
"""
CASES = {
    "a chain": "part n: shared Even from b2, s repeat 3\noutput P, Q: n",
    "one copy": "part n: shared Even from b2, s repeat 1\noutput P, Q: n",
    "a chain of which one output is read": "part n: shared Even from b2, s repeat 3\noutput P: n.a",
    "one map twice": "part n: shared Even from b2, b2 repeat 2\noutput P, Q: n",
    "in a part": "part n: Around from b2, s repeat 2\noutput P, Q: n",
    "of parts that share": "part n: shared Around from b2, s repeat 2\noutput P, Q: n",
    "in another order": "part n: shared Crossed from b2, s repeat 3\noutput P, Q: n",
}


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES)
def test_they_compute_what_the_interpreter_does(rows: str) -> None:
    source = file(rows, EVEN)
    for law in (compiled, agreed, trained, counted, optimised, inferred):
        law(source, "Net")
    is_scripted(source, "Net")
    made = program_of(source, "Net")
    graph = flatten(made)
    module = build(made)
    assert {*module.state_dict()} - {*graph.parameters} <= {
        name for name in module.state_dict() if name.endswith("num_batches_tracked")
    }
    assert sum(p.numel() for p in module.parameters()) == costs(graph).parameters
    assert sum(one.parameters for one in costs_by_row(graph).values()) == costs(graph).parameters


def test_one_instance_runs_in_a_loop() -> None:
    found = classes(file("part n: shared Even from b2, s repeat 4\noutput P, Q: n", EVEN))
    assert "self.n = Even()" in method(found["Net"], "__init__")
    assert "for _ in range(4):\n        n_a, n_b = self.n(n_a, n_b)" in method(found["Net"], "forward")


def test_any_number_of_copies_has_the_weights_of_one() -> None:
    names = [
        {
            *flatten(
                program_of(file(f"part n: shared Even from b2, s repeat {n}\noutput P, Q: n", EVEN), "Net")
            ).parameters
        }
        for n in (1, 2, 5)
    ]
    assert names[0] == names[1] == names[2]
    assert "n.b.from_y.conv.weight" in names[0]


def test_each_copy_trains_the_weights() -> None:
    module = build(program_of(file("part n: shared Even from b2, s repeat 2\noutput P, Q: n", EVEN), "Net"))
    weight = module.get_parameter("n.a.spatial.conv.weight")
    seen: list[torch.Tensor] = []
    module.get_submodule("n.a").register_forward_hook(lambda *given: seen.append(given[-1]))
    sum(out.sum() for out in module(torch.randn(2, 3, 64, 64)).values()).backward()
    assert len(seen) == 2
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0


WIRED = {
    "another wiring": "block n.rep1.a after n.rep0.b",
    "a row between": """
        add block z: residual level 2 after n.rep0.b channels 8 right after n.rep0.b
        add output Z: z before P
    """,
    "a copy that is read": "add output Z: n.rep0.b before P",
}


@pytest.mark.parametrize("edit", WIRED.values(), ids=WIRED)
def test_copies_that_are_wired_otherwise_still_share(edit: str) -> None:
    source = file("part n: shared Even from b2, s repeat 3\noutput P, Q: n", EVEN, edit)
    for law in (compiled, agreed, counted, optimised, inferred):
        law(source, "Net")
    is_scripted(source, "Net")
    assert "n.a.spatial.conv.weight" in flatten(program_of(source, "Net")).parameters


def test_an_edit_of_every_copy_is_one_of_all() -> None:
    rows = "part n: shared Even from b2, s repeat 2\noutput P, Q: n"
    both = "block n.rep0.a: bottleneck channels 2\nblock n.rep1.a: bottleneck channels 2"
    agreed(file(rows, EVEN, both), "Net")
    one = analyse(file(rows, EVEN, both.partition("\n")[0]))
    assert [found.code.id for found in one.diagnostics] == ["E0333"]
    assert "it uses `residual`, not `bottleneck`" in one.diagnostics[0].message


def test_what_is_left_out_keeps_weights_that_others_need() -> None:
    source = file("part n: shared Even from b2, s repeat 3\noutput P, Q: n", EVEN, "add output Z: n.rep0.a before P")
    part = prune(program_of(source, "Net"), ["Z"])
    assert "n.rep1.a" not in part.by_name
    assert "n.a" not in part.dropped
    assert "n.b" in part.dropped


def test_what_hovers_says_whose_weights_they_are() -> None:
    made = program_of(file("part n: shared Even from b2, s repeat 2\noutput P, Q: n", EVEN), "Net")
    assert to_svg(lay_out(made)).count("weights of n.a, which copies of its part share") == 2


def test_operations_are_called_by_their_copy() -> None:
    made = program_of(file("part n: shared Even from b2, s repeat 2\noutput P, Q: n", EVEN), "Net")
    assert made.weights_of("n.rep1.a") == "n.a"
    node = next(one for one in flatten(made).nodes if one.row == "n.rep1.a" and one.primitive == "conv")
    assert node.name == "n.rep1.a.spatial.conv"
    assert node.parameters == {"weight": "n.a.spatial.conv.weight"}
    assert "weights n.a" in to_text(made)


def test_a_difference_says_what_shares() -> None:
    own, one = (
        side(file(f"part n: {word}Even from b2, s repeat 2\noutput P, Q: n", EVEN), network="Net")
        for word in ("", "shared ")
    )
    found = compare(own, one)
    assert found.tier is not Tier.NONE
    said = [(change.name, change.old, change.new) for change in found.changes if change.what == "weights"]
    rows = [f"n.rep{copy}.{row}" for copy in (0, 1) for row in "ab"]
    assert said == [(name, "its own", "shared") for name in ("n", *rows)]


@pytest.mark.parametrize(
    ("frozen", "stays"), [("n", {"n.a", "n.b"}), ("n.rep1.b", {"n.b"}), ("n.rep0", {"n.a", "n.b"})]
)
def test_what_is_frozen_is_told_by_rows_and_by_parts(frozen: str, stays: set[str]) -> None:
    made = program_of(file("part n: shared Even from b2, s repeat 2\noutput P, Q: n", EVEN), "Net")
    module = build(made)
    rows = [made.weights_of(frozen)]
    assert not no_row(made, rows)
    freeze(module, rows, norms=False)
    found = {row_of(name, ["n.a", "n.b"]) for name, p in module.named_parameters() if not p.requires_grad}
    assert found == stays
    assert "has no row `n.rep`" in no_row(made, ["n.rep"])
