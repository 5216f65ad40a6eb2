"""Detectors, classifiers and mobile networks: counts measured on the official code, and the tables of the papers.

"Table" is one of Du et al., arXiv 1912.05027 v3, unless another paper is named. Its "FLOPs" are multiply-adds.
"""

from __future__ import annotations

import pytest

from spinedsl.analysis import costs, costs_by_row
from spinedsl.ops.graph import Graph
from tests.published.examples import graph_of

CLOSE = 0.005


def multiply_adds(graph: Graph, *kinds: str) -> int:
    """Of the rows of some kinds, or of all."""
    rows = [row.name for row in graph.program.rows if not kinds or row.kind in kinds]
    return sum(costs_by_row(graph)[row].multiply_adds for row in rows)


def parameters_but_norms_of_heads(graph: Graph) -> int:
    """Trainable ones; the measured counts of detectors leave the norms of the heads out."""
    heads = {row.name for row in graph.program.heads}
    norms = {node.name for node in graph.nodes if node.primitive == "batch_norm" and node.row in heads}
    return sum(
        parameter.elements
        for name, parameter in graph.parameters.items()
        if parameter.trainable and name.rpartition(".")[0] not in norms
    )


def says(printed: float, counted: float) -> bool:
    """What a table prints, to its digits, is what was counted, or within half a percent of it."""
    digits = len(str(printed).partition(".")[2])
    return round(counted, digits) == printed or abs(counted / printed - 1) <= CLOSE


# ---- detectors ----

# Billions of multiply-adds of the heads and in all, millions of parameters: measured on the official code, of the
# permuted networks by a closed form of their figure.
MEASURED = {
    "RetinaNet49S": (18.453, 30.779, 11.256),
    "RetinaNet49S_Paper": (20.967, 33.745, 11.934),
    "RetinaNet49": (57.020, 85.282, 28.523),
    "RetinaNet49_896": (111.758, 167.152, 28.523),
    "RetinaNet96": (145.970, 265.024, 42.954),
    "RetinaNet143": (228.078, 523.338, 66.939),
    "RetinaNet190": (1260.676, 1881.660, 163.566),
    "RetinaNetR50FPN": (57.020, 96.880, 34.071),
    "RetinaNetR101FPN": (145.970, 325.591, 53.063),
    "RetinaNetR152FPN": (228.078, 629.952, 68.706),
    "RetinaNetR0SP53": (57.020, 94.770, 26.036),
    "RetinaNetR23SP30_256": (57.020, 95.482, 26.490),
    "RetinaNetR23SP30_512": (57.020, 98.077, 31.411),
    "RetinaNetMobile49XS": (0.037, 0.166, 0.871),
    "RetinaNetMobile49S": (0.155, 0.496, 1.027),
    "RetinaNetMobile49": (0.196, 0.981, 2.334),
}


@pytest.mark.parametrize("network", MEASURED)
def test_detectors_cost_what_was_measured(network: str) -> None:
    graph = graph_of(network)
    head, total, millions = MEASURED[network]
    assert round(multiply_adds(graph, "head") / 1e9, 3) == head
    assert round(multiply_adds(graph) / 1e9, 3) == total
    assert round(parameters_but_norms_of_heads(graph) / 1e6, 3) == millions


def test_feature_pyramid() -> None:
    graph = graph_of("RetinaNetR50FPN")
    backbone = sum(costs_by_row(graph)[row].multiply_adds for row in ("s", "c2", "c3", "c4", "c5"))
    assert backbone == 33_364_377_600
    assert round((multiply_adds(graph, "stem", "block", "output") - backbone) / 1e9, 3) == 6.496
    assert multiply_adds(graph) == 96_880_198_400


# Table 2, protocol B: billions of multiply-adds, millions of parameters. SpineNet-190 is of protocol C.
TABLE_2 = {
    "RetinaNet49S_Paper": (33.8, 11.9),
    "RetinaNet49": (85.4, 28.5),
    "RetinaNetR50FPN": (96.8, 34.0),
    "RetinaNet49_896": (167.4, 28.5),
    "RetinaNet96": (265.4, 43.0),
    "RetinaNetR101FPN": (325.9, 53.1),
    "RetinaNet143": (524.4, 66.9),
    "RetinaNetR152FPN": (630.5, 68.7),
    "RetinaNet190": (1885.0, 163.6),
}


@pytest.mark.parametrize("network", TABLE_2)
def test_table_2(network: str) -> None:
    counted, (billions, millions) = costs(graph_of(network)), TABLE_2[network]
    assert counted.multiply_adds / 1e9 == pytest.approx(billions, rel=CLOSE)
    assert counted.parameters / 1e6 == pytest.approx(millions, rel=CLOSE)


def test_table_3() -> None:
    """Permuted networks. Of R23-SP30 no reading is near enough; the paper's figure lies between the two."""
    assert multiply_adds(graph_of("RetinaNetR0SP53")) / 1e9 == pytest.approx(95.2, rel=CLOSE)
    narrow, wide = (multiply_adds(graph_of(f"RetinaNetR23SP30_{width}")) / 1e9 for width in (256, 512))
    assert narrow < 96.5 * (1 - CLOSE) < 96.5 * (1 + CLOSE) < wide


# Table 1: blocks at each level, first of the stem's part, then of the permuted part.
TABLE_1 = {
    "R0SP53": ({2: 2}, {2: 1, 3: 4, 4: 6, 5: 2, 6: 1, 7: 1}),
    "R23SP30_256": ({2: 2, 3: 2, 4: 2, 5: 1}, {2: 1, 3: 2, 4: 4, 5: 1, 6: 1, 7: 1}),
    "SpineNet49": ({2: 2}, {2: 1, 3: 2, 4: 4, 5: 4, 6: 2, 7: 2}),
}


@pytest.mark.parametrize("network", TABLE_1)
def test_table_1(network: str) -> None:
    stem: dict[int | None, int] = {}
    permuted: dict[int | None, int] = {}
    for row in graph_of(network).program.rows:
        if row.kind == "block":
            part = permuted if any(connection.resample for connection in row.inputs) else stem
            part[row.level] = part.get(row.level, 0) + 1
    assert (stem, permuted) == TABLE_1[network]


# ---- classifiers ----

# Tables 6 and 10: millions of parameters with the 1000 classes of ImageNet and the 5089 of iNaturalist.
CLASSIFIERS = {
    "Classifier49": (22.1, 23.1),
    "Classifier96": (36.5, 37.6),
    "Classifier143": (60.5, 61.6),
    "Classifier190": (127.1, 129.2),
    "ResNet34Classifier": (21.8, 23.9),
    "ResNet50Classifier": (25.6, 33.9),
    "ResNet101Classifier": (44.6, 52.9),
    "ResNet152Classifier": (60.2, 68.6),
}


@pytest.mark.parametrize("network", CLASSIFIERS)
def test_table_6_parameters(network: str) -> None:
    for classes, millions in zip((1000, 5089), CLASSIFIERS[network], strict=True):
        graph = graph_of(f"{network}(classes = {classes})")
        assert says(millions, costs(graph).parameters / 1e6)


# Table 6: billions of multiply-adds at 224, beside those of the convolutions as measured on the official code.
RESNETS = {
    "ResNet34Classifier": 3.7,
    "ResNet50Classifier": 4.1,
    "ResNet101Classifier": 7.8,
    "ResNet152Classifier": 11.5,
}
SPINENETS = {
    "Classifier49": (3.5, 3.478),
    "Classifier96": (5.7, 5.723),
    "Classifier143": (9.1, 9.087),
    "Classifier190": (19.1, 19.111),
}


@pytest.mark.parametrize("network", RESNETS)
def test_table_6_multiply_adds(network: str) -> None:
    assert says(RESNETS[network], costs(graph_of(network)).multiply_adds / 1e9)


@pytest.mark.parametrize("network", SPINENETS)
def test_table_6_multiply_adds_of_spinenet(network: str) -> None:
    graph = graph_of(network)
    printed, measured = SPINENETS[network]
    assert says(printed, multiply_adds(graph) / 1e9)
    assert round(multiply_adds(graph, "stem", "block", "output") / 1e9, 3) == measured


def test_classifier_is_spinenet_49_and_a_linear_layer() -> None:
    graph = graph_of("Classifier49", "256x256")
    assert multiply_adds(graph) == 4_521_918_464 + 256_000
    assert multiply_adds(graph, "head") == 256_000


# As torchvision's documentation counts its `resnet18` and so on, to the parameter; billions of multiply-adds.
TORCHVISION = {
    "ResNet18Classifier": (11_689_512, 1.81),
    "ResNet34Classifier": (21_797_672, 3.66),
    "ResNet50Classifier": (25_557_032, 4.09),
    "ResNet101Classifier": (44_549_160, 7.80),
    "ResNet152Classifier": (60_192_808, 11.51),
    "ConvNeXtTiny": (28_589_128, 4.46),
}


@pytest.mark.parametrize("network", TORCHVISION)
def test_torchvision_counts_the_same(network: str) -> None:
    counted, (parameters, billions) = costs(graph_of(network)), TORCHVISION[network]
    assert counted.parameters == parameters
    assert round(counted.multiply_adds / 1e9, 2) == billions
