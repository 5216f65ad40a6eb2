"""Kernels that are standardised: what they are made of, what is folded into them, and what leaves them as they are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.refill import opened, refilled
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Operand, Ref
from spinedsl.ops.rules import is_plain
from spinedsl.passes import PASSES, as_written, filled, fitted
from tests.building import Definition, image_for, op, single, weights_for
from tests.passes.test_passes import MOST, Arrays, conv, counts, norm, rewritten


def wide(x: Operand, path: str, **more: Any) -> Operand:
    """Large enough for every pass: `winograd` and `pad` take such convolutions."""
    return conv(x, 48, kernel=3, path=path, **more)


# What a pass would do, were their kernels plain.
TEMPTING: dict[str, Definition] = {
    "fold": lambda x: norm(conv(x, weight="standardised")),
    "absorb": lambda x: conv(norm(x), weight="standardised"),
    "pair": lambda x: op("add", conv(x, 8, weight="scaled"), conv(op("relu", x), 8, path="other")),
    "pad": lambda x: conv(op("relu", conv(x, 30, path="in", weight="standardised")), 5, kernel=3, weight="scaled"),
    "winograd": lambda x: wide(op("relu", wide(x, "in")), "out", weight="scaled", bias=True),
}


@pytest.mark.parametrize("name", TEMPTING)
def test_a_kernel_that_is_standardised_waits_for_its_pass(name: str) -> None:
    """Alone, no other pass changes such a convolution; behind `standardise` it does what it is there for."""
    graph = flatten(single(TEMPTING[name]))
    weights, x = weights_for(graph), image_for(graph.program)
    exact = run(graph, weights, x, dtype=np.float64)["P"]
    before = [node for node in graph.nodes if not is_plain(node.attributes)]
    assert before
    for chain in ([name], ["standardise", name]):
        form = as_written(graph)
        for step in chain:
            form = PASSES[step](form)
        left = [node for node in form.graph.nodes if not is_plain(node.attributes)]
        assert left == (before if chain == [name] else [])
        tensors, _ = filled(form.recipes, weights, MOST)
        found = run(form.graph, {**weights, **tensors}, x, dtype=np.float64)["P"]
        assert np.abs(exact - found).max() < 1e-12 * np.abs(exact).max()
    plain = PASSES["standardise"](as_written(graph))
    assert PASSES[name](plain) is not plain  # it would have


def shared(x: Ref) -> Operand:
    """One kernel, used twice."""
    first = conv(x, 3, kernel=3, path="one", shared=True, weight="scaled", bias=True)
    return conv(op("relu", first), 3, kernel=3, path="one", shared=True, weight="scaled", bias=True)


def test_what_is_shared_is_made_once() -> None:
    graph, far = rewritten(single(shared))
    assert counts(graph) == {"conv": 2, "relu": 1}
    assert [*graph.parameters] == ["b.one.weight.standardised", "b.one.bias"]
    assert far < 1e-12


def test_a_norm_behind_it_becomes_part_of_it() -> None:
    graph, far = rewritten(single(lambda x: norm(conv(x, 6, kernel=3, groups=3, weight="scaled"))))
    assert counts(graph) == {"conv": 1}
    assert far < 1e-12


def test_numbers_by_hand() -> None:
    graph = flatten(single(lambda x: conv(x, 1, weight="scaled", gamma=3, epsilon=Fraction(1, 3))))
    weights: Arrays = {"b.conv.weight": np.array([[[[1.0]], [[2.0]], [[3.0]]]]), "b.conv.gain": np.array([2.0])}
    form, tensors = fitted(graph, 1, weights, MOST)
    (node,) = form.graph.nodes
    assert not {*node.parameters} - {"weight"}
    # The mean is 2, the variance 2/3, which with epsilon is 1; 2 * 3 / sqrt(3) is what it is multiplied by.
    assert np.allclose(tensors[node.parameters["weight"]].ravel(), np.array([-1, 0, 1]) * 6 / 3**0.5, rtol=1e-15)


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("target", [Target(), Target(13), Target(half=True, opset=13)], ids=["single", "old", "half"])
def test_a_model_is_filled_with_other_weights(level: int, target: Target) -> None:
    program = single(shared)
    one, other = (weights_for(flatten(program), seed) for seed in (1, 2))
    given: dict[str, Any] = {"target": target, "level": level}
    wanted = emit_model(program, other, metadata={"spine.weights": "other"}, **given)
    first = emit_model(program, one, metadata={"spine.weights": "one"}, **given)
    (found,) = refilled(opened(first), other, "other").values()
    assert found == wanted
