"""Detectors, classifiers and mobile networks have the counts that were measured on the official code, to the digit."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.analysis import costs_by_row
from spinedsl.ops.graph import Graph, flatten

EXAMPLES = Path(__file__).parents[2] / "examples"


def graph_of(file: str, network: str, size: int | None = None) -> Graph:
    return flatten(spinedsl.program(EXAMPLES / file, network=network, size=(size, size) if size else None))


def multiply_adds(graph: Graph, *kinds: str) -> int:
    """Of the rows of some kinds, or of all."""
    rows = [row.name for row in graph.program.rows if not kinds or row.kind in kinds]
    return sum(costs_by_row(graph)[row].multiply_adds for row in rows)


def parameters(graph: Graph, *, norms_of_heads: bool) -> int:
    """Trainable ones; the published counts leave the norms of the heads out."""
    heads = {row.name for row in graph.program.heads}
    norms = {node.name for node in graph.nodes if node.primitive == "batch_norm" and node.row in heads}
    return sum(
        parameter.elements
        for name, parameter in graph.parameters.items()
        if parameter.trainable and (norms_of_heads or name.rpartition(".")[0] not in norms)
    )


# Billions of multiply-adds of the heads and in all, millions of parameters without the heads' norms.
DETECTORS = {
    "RetinaNet49S": (18.453, 30.779, 11.256),
    "RetinaNet49": (57.020, 85.282, 28.523),
    "RetinaNet96": (145.970, 265.024, 42.954),
    "RetinaNet143": (228.078, 523.338, 66.939),
    "RetinaNet190": (1260.676, 1881.660, 163.566),
}


@pytest.mark.parametrize("network", DETECTORS)
def test_retinanet(network: str) -> None:
    graph = graph_of("retinanet.spine", network)
    head, total, millions = DETECTORS[network]
    assert round(multiply_adds(graph, "head") / 1e9, 3) == head
    assert round(multiply_adds(graph) / 1e9, 3) == total
    assert round(parameters(graph, norms_of_heads=False) / 1e6, 3) == millions


def test_retinanet_on_a_feature_pyramid() -> None:
    graph = graph_of("fpn.spine", "ResNet50FPN")
    by_row = costs_by_row(graph)
    backbone = sum(by_row[row].multiply_adds for row in ("s", "c2", "c3", "c4", "c5"))
    assert backbone == 33_364_377_600
    assert round((multiply_adds(graph, "stem", "block", "output") - backbone) / 1e9, 3) == 6.496
    assert round(multiply_adds(graph, "head") / 1e9, 3) == 57.020
    assert multiply_adds(graph) == 96_880_198_400
    assert round(parameters(graph, norms_of_heads=False) / 1e6, 3) == 34.071


# Parameters in millions with 1000 classes.
CLASSIFIERS = {"Classifier49": 22.09, "Classifier96": 36.52, "Classifier143": 60.50, "Classifier190": 127.10}


@pytest.mark.parametrize("network", CLASSIFIERS)
def test_classifier(network: str) -> None:
    graph = graph_of("classifier.spine", network)
    assert round(parameters(graph, norms_of_heads=True) / 1e6, 2) == CLASSIFIERS[network]
    assert multiply_adds(graph, "head") == graph.types[graph.rows["P3"]].channels * 1000


def test_classifier_is_spinenet_49_and_a_linear_layer() -> None:
    graph = graph_of("classifier.spine", "Classifier49")
    assert multiply_adds(graph) == 4_521_918_464 + 256_000


# Trainable parameters, statistics of norms, multiply-adds.
MOBILE = {
    "SpineNetMobile49XS": (842_456, 26_944, 128_544_060),
    "SpineNetMobile49S": (975_678, 29_194, 340_598_784),
    "SpineNetMobile49": (2_268_708, 45_184, 785_081_280),
}


@pytest.mark.parametrize("network", MOBILE)
def test_mobile(network: str) -> None:
    graph = graph_of("spinenet_mobile.spine", network)
    trainable, statistics, work = MOBILE[network]
    assert parameters(graph, norms_of_heads=True) == trainable
    assert sum(p.elements for p in graph.parameters.values() if not p.trainable) == statistics
    assert multiply_adds(graph) == work
    assert sum(node.primitive == "conv" for node in graph.nodes) == 155
    assert sum(node.primitive == "batch_norm" for node in graph.nodes) == 119


def test_mobile_at_256() -> None:
    assert multiply_adds(graph_of("spinenet_mobile.spine", "SpineNetMobile49", 256)) == 349_096_480


def test_convnext_tiny() -> None:
    """As torchvision counts its `convnext_tiny`."""
    graph = graph_of("convnext.spine", "ConvNeXtTiny")
    assert parameters(graph, norms_of_heads=True) == 28_589_128
    assert round(multiply_adds(graph) / 1e9, 3) == 4.456
