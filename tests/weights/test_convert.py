"""Weights of other codes: every variable finds its place, in our layout, and what cannot be told apart is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import spinedsl
from spinedsl.diagnostics import Diagnostic
from spinedsl.ops.graph import Graph, flatten
from spinedsl.source import Source
from spinedsl.weights import Weights, convert
from spinedsl.weights.places import places
from spinedsl.weights.schemes import GARDEN, PORT, TPU, scheme_of
from tests.published.reference import variables

EXAMPLES = Path(__file__).parents[2] / "examples"
MODELS = {
    "spinenet49": ("spinenet.spine", "SpineNet49"),
    "spinenet_mobile49": ("spinenet_mobile.spine", "SpineNetMobile49"),
    "resnet50": ("resnet.spine", "ResNet50"),
}
Array = NDArray[np.float32]


@cache
def graph_of(file: str, network: str) -> Graph:
    return flatten(spinedsl.program(EXAMPLES / file, network=network, size=(128, 128)))


def dump(model: str, column: str, **changes: Array | None) -> dict[str, Array]:
    """Small numbers of the right shapes under the names of a code; changes by reference name, None to drop one."""
    found: dict[str, Array] = {}
    for index, variable in enumerate(variables(model)):
        array = changes.get(variable.reference, np.broadcast_to(np.float32(index), variable.shape))
        if array is not None:
            found[getattr(variable, column)] = array
    return found


def refusal(graph: Graph, tensors: Mapping[str, Array], *, partial: bool = False) -> Diagnostic:
    outcome = convert(graph, Weights("dump.npz", tensors), partial=partial)
    assert outcome.value is None
    (said,) = outcome.diagnostics
    return said


def test_what_stands_before_names_of_another_code_is_taken_away() -> None:
    graph, tensors = graph_of(*MODELS["spinenet49"]), dump("spinenet49", "garden")
    plain = convert(graph, Weights("dump.npz", tensors)).value
    assert plain is not None
    for before, asked in (("module.", None), ("module.", "module."), ("student/", "student/")):
        named = {f"{before}{name}": array for name, array in tensors.items()}
        found = convert(graph, Weights("dump.npz", named, prefix=asked)).value
        assert found is not None
        assert found.tensors.keys() == plain.tensors.keys()
    (told,) = convert(graph, Weights("dump.npz", tensors, prefix="nonsense.")).diagnostics
    assert "begins with `nonsense.`" in told.message


def test_a_part_of_a_network_is_told_by_the_whole() -> None:
    tensors = dump("spinenet49", "garden")
    file, network = MODELS["spinenet49"]
    whole = graph_of(file, network)
    part = flatten(spinedsl.program(EXAMPLES / file, network=network, size=(128, 128), outputs=("P3", "P4")))
    every, found = (
        convert(whole, Weights("d.npz", tensors)).value,
        convert(part, Weights("d.npz", tensors), whole=whole).value,
    )
    assert every is not None
    assert found is not None
    assert part.program.dropped
    assert all(np.array_equal(array, every.tensors[name]) for name, array in found.tensors.items())
    assert found.tensors.keys() == part.parameters.keys()


CASES = [(model, "garden") for model in MODELS] + [("spinenet49", "tpu"), ("spinenet_mobile49", "tpu")]


@pytest.mark.parametrize(("model", "column"), CASES)
def test_every_variable_is_one_parameter(model: str, column: str) -> None:
    graph = graph_of(*MODELS[model])
    outcome = convert(graph, Weights("dump.npz", dump(model, column)))
    assert outcome.value is not None
    assert outcome.value.left_out == ()
    values = {float(array.flat[0]) for array in outcome.value.tensors.values()}
    assert values == set(range(len(variables(model))))
    assert list(outcome.value.tensors) == list(graph.parameters)


@pytest.mark.parametrize("model", ["spinenet49", "spinenet_mobile49"])
def test_both_codes_mean_the_same_parameters(model: str) -> None:
    graph = graph_of(*MODELS[model])
    garden, tpu = (
        {canonical: names[theirs] for canonical, theirs in scheme.pair(places(graph), names).pairs.items()}
        for scheme, names in (
            (GARDEN, {v.garden: v.reference for v in variables(model)}),
            (TPU, {v.tpu: v.reference for v in variables(model)}),
        )
    )
    assert garden == tpu
    assert garden["b1.rep0.expand.conv.weight" if model == "spinenet49" else "b1.project.conv.weight"] in {
        "node1.rep0.conv3.kernel",
        "node1.rep0.conv2.kernel",
    }


def test_numbers_of_layers_may_begin_anywhere() -> None:
    """As they do where other models were built before in the same session, or blocks were pruned."""
    number = re.compile(r"^(conv2d|batch_normalization|bottleneck_block)(?:_(\d+))?/")
    moved = {
        number.sub(lambda parts: f"{parts[1]}_{7 + 2 * int(parts[2] or 0)}/", name): array
        for name, array in dump("resnet50", "garden").items()
    }
    assert "bottleneck_block_37/conv2d_2/kernel:0" in moved
    graph = graph_of(*MODELS["resnet50"])
    outcomes = [convert(graph, Weights("dump.npz", tensors)) for tensors in (moved, dump("resnet50", "garden"))]
    first, second = (outcome.value for outcome in outcomes)
    assert first is not None
    assert second is not None
    assert all(array.flat[0] == second.tensors[name].flat[0] for name, array in first.tensors.items())


def test_layouts() -> None:
    graph = graph_of(*MODELS["spinenet_mobile49"])
    kernel = np.arange(3 * 3 * 3 * 8, dtype=np.float32).reshape(3, 3, 3, 8)
    depthwise = np.arange(3 * 3 * 48, dtype=np.float32).reshape(3, 3, 48, 1)
    changes = {"stem.conv.kernel": kernel, "node0.rep0.conv1.depthwise_kernel": depthwise}
    outcome = convert(graph, Weights("dump.npz", dump("spinenet_mobile49", "garden", **changes)))
    assert outcome.value is not None
    ours = outcome.value.tensors
    image = np.random.default_rng(0).standard_normal((1, 3, 7, 7)).astype(np.float32)
    got = torch.conv2d(torch.from_numpy(image), torch.from_numpy(ours["s.enter.conv.weight"])).numpy()
    windows = np.lib.stride_tricks.sliding_window_view(image[0], (3, 3), axis=(1, 2))
    assert np.allclose(got[0], np.einsum("cyxhw,hwco->oyx", windows, kernel), rtol=1e-4)
    wide = np.random.default_rng(1).standard_normal((1, 48, 5, 5)).astype(np.float32)
    got = torch.conv2d(torch.from_numpy(wide), torch.from_numpy(ours["b0.spatial.conv.weight"]), groups=48).numpy()
    windows = np.lib.stride_tricks.sliding_window_view(wide[0], (3, 3), axis=(1, 2))
    assert np.allclose(got[0], np.einsum("cyxhw,hwcm->cyx", windows, depthwise), rtol=1e-4)


@pytest.mark.parametrize("column", ["garden", "tpu"])
@pytest.mark.parametrize(
    ("reference", "ours"),
    [
        ("node5.in1.down.kernel", "b5.from_b4.halve.conv.weight"),
        ("node7.rep0.conv2.kernel", "b7.rep0.spatial.conv.weight"),
        ("stem.conv.kernel", "s.enter.conv.weight"),
        ("out3.conv.kernel", "P3.conv.weight"),
        ("out7.conv.kernel", "P7.conv.weight"),
    ],
)
def test_a_layer_too_few_is_missing_by_its_name(column: str, reference: str, ours: str) -> None:
    """The numbers of the others tell which it is: no layer takes the place of the one before."""
    graph = graph_of(*MODELS["spinenet49"])
    said = refusal(graph, dump("spinenet49", column, **{reference: None}))
    assert said.code.id == "E0901"
    assert [note.partition(" (")[0] for note in said.notes] == [f"missing: `{ours}`"]


def test_layers_too_few_where_numbers_do_not_tell() -> None:
    """All outputs but one are missing, and its number fits two of them; or counting began elsewhere."""
    gone = {f"out{level}.conv.kernel": None for level in (4, 5, 6, 7)}
    said = refusal(graph_of(*MODELS["spinenet49"]), dump("spinenet49", "garden", **gone), partial=True)
    assert said.code.id == "E0909"
    assert said.notes == ("in the top level the network has 82 convolutions, the file 78",)
    moved = {
        re.sub(r"^conv2d_(\d+)/", lambda parts: f"conv2d_{200 + int(parts[1])}/", name): array
        for name, array in dump("spinenet49", "garden", **{"node5.in1.down.kernel": None}).items()
    }
    assert refusal(graph_of(*MODELS["spinenet49"]), moved, partial=True).code.id == "E0909"


def test_part_of_a_layer_is_missing_by_its_name() -> None:
    tensors = dump("spinenet49", "garden", **{"node5.rep0.norm2.beta": None})
    said = refusal(graph_of(*MODELS["spinenet49"]), tensors)
    assert (said.code.id, said.notes) == ("E0901", ("missing: `b5.rep0.spatial.norm.bias` (256)",))
    graph = graph_of(*MODELS["spinenet49"])
    outcome = convert(graph, Weights("dump.npz", tensors), partial=True)
    assert outcome.value is not None
    assert outcome.value.fit.missing == ("b5.rep0.spatial.norm.bias",)


def test_a_dump_of_another_network() -> None:
    said = refusal(graph_of(*MODELS["resnet50"]), dump("spinenet49", "garden"))
    assert said.code.id == "E0909"
    assert said.notes[0] == "in the top level the network has 1 convolutions, the file 82"
    said = refusal(graph_of("spinenet.spine", "SpineNet49S"), dump("spinenet49", "tpu"))
    assert said.code.id == "E0901"
    assert said.notes[-1].startswith("misfit: ")


def test_two_counts_of_one_kind() -> None:
    tensors = dump("resnet50", "garden")
    name = "bottleneck_block_15/batch_normalization_1"
    mixed = {
        other.replace(name, "bottleneck_block_15/sync_batch_normalization"): array for other, array in tensors.items()
    }
    said = refusal(graph_of(*MODELS["resnet50"]), mixed)
    assert said.notes == (
        "in bottleneck_block 15 the file counts `batch_normalization` and `sync_batch_normalization` apart",
    )


def test_numbers_that_no_layer_has() -> None:
    endless = {f"conv2d_{'9' * 5000}/kernel:0": np.zeros((1, 1, 1, 1), np.float32)}
    outcome = convert(graph_of(*MODELS["resnet50"]), Weights("dump.npz", dump("resnet50", "garden") | endless))
    assert outcome.value is not None
    assert outcome.value.left_out == tuple(endless)


def test_block_types_that_a_code_lacks() -> None:
    said = refusal(graph_of("convnext.spine", "ConvNeXtTiny"), dump("resnet50", "garden"))
    assert (said.code.id, said.notes) == ("E0909", ("this code has no block type `convnext`",))


def test_names_that_nobody_knows() -> None:
    said = refusal(graph_of(*MODELS["resnet50"]), {"layer1.0.conv1.weight": np.zeros((64, 64, 1, 1), np.float32)})
    assert said.code.id == "E0909"
    assert said.message.endswith("none of its names is known")
    assert "`tensorflow/models`, `tensorflow/tpu` and `SpineNet-Pytorch`" in said.fixes[0].text


def test_what_is_no_part_of_a_backbone_is_left_out() -> None:
    extra = {
        "global_step": np.full((), 7, np.float32),
        "spinenet/conv2d/kernel/Momentum": np.zeros((7, 7, 3, 64), np.float32),
        "retinanet/class-0/kernel": np.zeros((3, 3, 256, 256), np.float32),
    }
    outcome = convert(graph_of(*MODELS["spinenet49"]), Weights("dump.npz", dump("spinenet49", "tpu") | extra))
    assert outcome.value is not None
    assert sorted(outcome.value.left_out) == sorted(extra)


def test_a_backbone_for_a_detector_is_partial() -> None:
    graph = graph_of("retinanet.spine", "RetinaNet49")
    tensors = dump("spinenet49", "garden")
    said = refusal(graph, tensors)
    assert said.code.id == "E0901"
    assert all(note.startswith(("missing: `boxes.", "missing: `scores.", "missing: ")) for note in said.notes)
    outcome = convert(graph, Weights("dump.npz", tensors), partial=True)
    assert outcome.value is not None
    assert len(outcome.value.tensors) == 650
    assert {name.partition(".")[0] for name in outcome.value.fit.missing} == {"boxes", "scores"}


def of_heads(network: Graph, spell: Callable[[str, str, str, str], str], model: str, column: str) -> dict[str, Array]:
    """A dump of a whole RetinaNet: `spell` gives a name for head, layer (`last`), level (or none) and leaf."""
    found = dump(model, column)
    shapes = {name: parameter.shape for name, parameter in network.parameters.items()}
    for head in ("scores", "boxes"):
        for layer in ("0", "1", "2", "3", "last"):
            name = f"{head}.predict" if layer == "last" else f"{head}.rep{layer}"
            out, in_, height, width = shapes[f"{name}.conv.weight"]
            found[spell(head, layer, "", "kernel")] = np.full((height, width, in_, out), len(found), np.float32)
            found[spell(head, layer, "", "bias")] = np.full(out, len(found), np.float32)
            for level in range(3, 8) if layer != "last" else ():
                for leaf in ("gamma", "beta", "moving_mean", "moving_variance"):
                    found[spell(head, layer, str(level), leaf)] = np.full(out, len(found), np.float32)
    return found


def in_garden(head: str, layer: str, level: str, leaf: str) -> str:
    tower = {"scores": "classnet", "boxes": "boxnet"}[head]
    if layer == "last":
        return f"retina_net_head/{head}/{leaf}:0"
    middle = f"-norm_{level}" if level else ""
    return f"retina_net_head/{tower}-conv{middle}_{layer}/{leaf}:0"


def in_tpu(head: str, layer: str, level: str, leaf: str) -> str:
    tower = {"scores": "class", "boxes": "box"}[head]
    name = "predict" if layer == "last" else f"{layer}-{level}" if level else layer
    return f"retinanet/{tower}_net/{tower}-{name}/{leaf}"


SPELLINGS = [(in_garden, "garden"), (in_tpu, "tpu")]


@pytest.mark.parametrize(("spell", "column"), SPELLINGS)
def test_heads_by_their_names(spell: Callable[[str, str, str, str], str], column: str) -> None:
    graph = graph_of("retinanet.spine", "RetinaNet49")
    tensors = of_heads(graph, spell, "spinenet49", column)
    assert len(tensors) == len(graph.parameters) == 830
    outcome = convert(graph, Weights("dump.npz", tensors))
    assert outcome.value is not None
    assert outcome.value.left_out == ()
    ours = outcome.value.tensors
    for canonical, theirs in (
        ("scores.rep2.conv.weight", spell("scores", "2", "", "kernel")),
        ("boxes.predict.conv.bias", spell("boxes", "last", "", "bias")),
        ("boxes.p0.rep3.norm.running_var", spell("boxes", "3", "3", "moving_variance")),
        ("scores.p4.rep0.norm.weight", spell("scores", "0", "7", "gamma")),
    ):
        assert ours[canonical].flat[0] == tensors[theirs].flat[0], canonical


@pytest.mark.parametrize(("spell", "column"), SPELLINGS)
def test_heads_that_are_not_whole(spell: Callable[[str, str, str, str], str], column: str) -> None:
    graph = graph_of("retinanet.spine", "RetinaNet49")
    tensors = of_heads(graph, spell, "spinenet49", column)
    gone, more = spell("boxes", "1", "5", "beta"), spell("scores", "4", "", "bias")
    tensors[more] = tensors.pop(gone)
    said = refusal(graph, tensors)
    assert said.code.id == "E0901"
    assert said.notes == ("missing: `boxes.p2.rep1.norm.bias` (256)", f"unexpected: `{more}` (256)")


@pytest.mark.parametrize(("spell", "column"), SPELLINGS)
def test_heads_that_a_network_lacks_are_left_out(spell: Callable[[str, str, str, str], str], column: str) -> None:
    tensors = of_heads(graph_of("retinanet.spine", "RetinaNet49"), spell, "spinenet49", column)
    outcome = convert(graph_of(*MODELS["spinenet49"]), Weights("dump.npz", tensors))
    assert outcome.value is not None
    assert len(outcome.value.tensors) == 650
    assert len(outcome.value.left_out) == 180


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("garden", ("lateral_{}/{}:0", "post_hoc_{}/{}:0", "coarser_{}/{}:0", "norm_{}/{}:0")),
        ("tpu", ("fpn/l{}/{}", "fpn/post_hoc_d{}/{}", "fpn/p{}/{}", "fpn/p{}-bn/{}")),
    ],
)
def test_feature_pyramids_by_their_names(column: str, names: tuple[str, ...]) -> None:
    graph = graph_of("fpn.spine", "ResNet50FPN")
    lateral, smooth, coarser, norm = names
    tensors = counted = dump("resnet50", "garden")
    if column == "tpu":  # one scope that counts everything, in the order of the model garden
        order = {True: 0, False: 0}
        ours = GARDEN.pair(places(graph), tensors).pairs
        tensors = {}
        for place in places(graph):
            if place.part in {"stem", "block"}:
                number = order[place.kind == "norm"]
                order[place.kind == "norm"] += 1
                layer = f"{'batch_normalization' if place.kind == 'norm' else 'conv2d'}" + (
                    f"_{number}" if number else ""
                )
                for full in place.node.parameters.values():
                    value = counted[ours[full]]
                    tensors[f"resnet50/{layer}/{ours[full].rpartition('/')[2].removesuffix(':0')}"] = value
    first = len(tensors)
    for level, (name, kernel) in [(level, (lateral, 1)) for level in (3, 4, 5)] + [
        *((level, (smooth, 3)) for level in (3, 4, 5)),
        *((level, (coarser, 3)) for level in (6, 7)),
    ]:
        in_ = {3: 512, 4: 1024, 5: 2048}[level] if kernel == 1 else 256
        tensors[name.format(level, "kernel")] = np.full((kernel, kernel, in_, 256), len(tensors), np.float32)
        tensors[name.format(level, "bias")] = np.full(256, len(tensors), np.float32)
    for level in range(3, 8):
        for leaf in ("gamma", "beta", "moving_mean", "moving_variance"):
            tensors[norm.format(level, leaf)] = np.full(256, len(tensors), np.float32)
    outcome = convert(graph, Weights("dump.npz", tensors))
    assert outcome.value is not None, outcome.diagnostics
    assert outcome.value.left_out == ()
    assert len(tensors) - first == 36
    got = outcome.value.tensors
    for canonical, theirs in (
        ("t5.conv.weight", lateral.format(5, "kernel")),
        ("t3.from_c3.conv.bias", lateral.format(3, "bias")),
        ("q4.conv.weight", smooth.format(4, "kernel")),
        ("q7.conv.bias", coarser.format(7, "bias")),
        ("P6.norm.running_mean", norm.format(6, "moving_mean")),
    ):
        assert got[canonical].flat[0] == tensors[theirs].flat[0], canonical
    without = {name: array for name, array in tensors.items() if name != coarser.format(6, "bias")}
    assert refusal(graph, without).notes == ("missing: `q6.conv.bias` (256)",)


def test_linear_layers_are_turned() -> None:
    kernel = np.arange(2048 * 1000, dtype=np.float32).reshape(2048, 1000)
    dense = {"dense/kernel:0": kernel, "dense/bias:0": np.arange(1000, dtype=np.float32)}
    graph = graph_of("resnet.spine", "ResNet50Classifier")
    outcome = convert(graph, Weights("dump.npz", dump("resnet50", "garden") | dense))
    assert outcome.value is not None
    assert outcome.diagnostics == ()
    assert np.array_equal(outcome.value.tensors["logits.linear.weight"], kernel.T)
    assert np.array_equal(outcome.value.tensors["logits.linear.bias"], dense["dense/bias:0"])


def test_canonical_names_stay() -> None:
    graph = graph_of(*MODELS["resnet50"])
    tensors = {name: np.zeros(parameter.shape, np.float64) for name, parameter in graph.parameters.items()}
    outcome = convert(graph, Weights("w.pt", tensors))
    assert outcome.value is not None
    assert (outcome.value.scheme, outcome.diagnostics) == ("", ())
    assert {array.dtype.name for array in outcome.value.tensors.values()} == {"float32"}


# ---- what would be computed otherwise ----


def warnings(graph: Graph, tensors: Mapping[str, Array]) -> tuple[str, ...]:
    outcome = convert(graph, Weights("dump.npz", tensors))
    assert outcome.value is not None
    assert all(said.code.id == "W0901" for said in outcome.diagnostics)
    return tuple(note for said in outcome.diagnostics for note in said.notes)


def edited(file: str, network: str, *changes: tuple[str, str]) -> Graph:
    text = (EXAMPLES / file).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    source = Source.from_text(text, file, str(EXAMPLES / file))
    return flatten(spinedsl.program(source, network=network, size=(128, 128)))


SYMMETRIC = ("    padding = same,\n", "    padding = symmetric,\n")


def test_no_warning_where_the_function_is_the_same() -> None:
    for model, (file, network) in MODELS.items():
        assert warnings(graph_of(file, network), dump(model, "garden")) == ()


def test_strided_convolutions_that_pad_otherwise() -> None:
    expected = "its strided convolutions have padding `{}`; here they have another"
    graph = edited("spinenet.spine", "SpineNet49", SYMMETRIC)
    assert warnings(graph, dump("spinenet49", "garden")) == (expected.format("same"),)
    pool = "it resamples by 8 with one 5x5 pool of stride 4; here are two 3x3 pools of stride 2"
    assert warnings(graph, dump("spinenet49", "tpu")) == (pool,)
    graph = graph_of(*MODELS["spinenet49"])
    assert warnings(graph, dump("spinenet49", "tpu")) == (expected.format("symmetric"), pool)


def test_classifiers_that_add_maps_up_otherwise() -> None:
    dense = {"dense/kernel:0": np.zeros((256, 1000), np.float32), "dense/bias:0": np.zeros(1000, np.float32)}
    graph = graph_of("classifier.spine", "Classifier49")
    assert warnings(graph, dump("spinenet49", "garden") | dense) == (
        "its classifier reads the coarsest map alone; here it reads 5",
    )
    named = {f"classification_head/{name.removesuffix(':0')}": array for name, array in dense.items()}
    assert warnings(graph, dump("spinenet49", "tpu") | named)[-1] == (
        "its classifier adds the maps up from the coarsest to the finest; here each is resized at once"
    )
    running = edited("classifier.spine", "Classifier49_TPU", ("classes = 1001", "classes = 1000"))
    assert warnings(running, dump("spinenet49", "tpu") | named) == ()


def test_gates_of_mobile_networks() -> None:
    assert warnings(graph_of(*MODELS["spinenet_mobile49"]), dump("spinenet_mobile49", "tpu")) == (
        "its strided convolutions have padding `symmetric`; here they have another",
        "its squeeze-and-excitation has swish and a sigmoid; here it has not",
    )


# ---- the port to mmdet 1 ----


def port() -> dict[str, Array]:
    """The state dict of the port's SpineNet-49, from the modules that it is made of."""
    blocks = "BBBRBBRBRRBBBBBBB"  # bottleneck or residual; the first two are the stem's
    levels = (2, 2, 2, 4, 3, 4, 6, 4, 5, 7, 5, 5, 4, 3, 5, 7, 6)
    parents = ((0, 1), (0, 1), (2, 3), (2, 4), (3, 5), (3, 5), (6, 7), (6, 8), (8, 9), (8, 10), (5, 10), (4, 10),
               (7, 12), (5, 14), (12, 14))  # fmt: skip
    widths = [{2: 64, 3: 128}.get(level, 256) for level in levels]
    outs = [width * (4 if block == "B" else 1) for width, block in zip(widths, blocks, strict=True)]
    found: dict[str, Array] = {}

    def layer(conv: str, norm: str, in_: int, out: int, kernel: int) -> None:
        found[f"{conv}.weight"] = np.full((out, in_, kernel, kernel), len(found), np.float32)
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            found[f"{norm}.{leaf}"] = np.full(out, len(found), np.float32)

    def module(name: str, in_: int, out: int, kernel: int) -> None:
        layer(f"{name}.conv", f"{name}.bn", in_, out, kernel)

    def block(name: str, index: int, in_: int) -> None:
        width, out = widths[index], outs[index]
        kernels = (1, 3, 1) if blocks[index] == "B" else (3, 3)
        channels = (in_, width, width, out) if blocks[index] == "B" else (in_, width, out)
        for step, kernel in enumerate(kernels):
            layer(f"{name}.conv{step + 1}", f"{name}.bn{step + 1}", channels[step], channels[step + 1], kernel)
        if in_ != out:
            layer(f"{name}.downsample.0", f"{name}.downsample.1", in_, out, 1)

    module("conv1", 3, 64, 7)
    block("init_block1.0", 0, 64)
    block("init_block2.0", 1, 256)
    for index, pair in enumerate(parents):
        for slot, parent in enumerate(pair):
            name, narrow = f"merge_ops.{index}.resample_ops.{slot}", widths[parent] // 2
            module(f"{name}.squeeze_conv", outs[parent], narrow, 1)
            if levels[parent] < levels[index + 2]:
                module(f"{name}.downsample_conv", narrow, narrow, 3)
            module(f"{name}.expand_conv", narrow, outs[index + 2], 1)
        block(f"scale_permuted_blocks.{index}.0", index + 2, outs[index + 2])
    for level, index in ((3, 13), (4, 12), (5, 14), (6, 16), (7, 15)):
        module(f"endpoint_convs.{level}", outs[index], 256, 1)
    return found


def test_the_port() -> None:
    tensors = port()
    assert len(tensors) == 650
    graph = graph_of(*MODELS["spinenet49"])
    scheme = scheme_of(tensors)
    assert scheme is PORT
    pairs = PORT.pair(places(graph), tensors).pairs
    assert sorted(pairs.values()) == sorted(tensors)
    assert pairs["b0.rep0.shortcut.norm.bias"] == "init_block1.0.downsample.1.bias"
    assert pairs["b1.rep0.spatial.conv.weight"] == "init_block2.0.conv2.weight"
    assert pairs["b9.from_b6.halve.norm.running_var"] == "merge_ops.7.resample_ops.0.downsample_conv.bn.running_var"
    assert pairs["b3.rep0.refine.conv.weight"] == "scale_permuted_blocks.1.0.conv2.weight"
    assert pairs["P6.conv.weight"] == "endpoint_convs.6.conv.weight"
    detector = {f"backbone.{name}": array for name, array in tensors.items()}
    detector["bbox_head.retina_cls.weight"] = np.zeros((9, 256, 3, 3), np.float32)
    outcome = convert(graph, Weights("detector.pth", detector))
    assert outcome.value is not None
    assert outcome.value.left_out == ("bbox_head.retina_cls.weight",)
    (said,) = outcome.diagnostics
    assert said.notes == (
        "its strided convolutions have padding `symmetric`; here they have another",
        "its pools have padding `symmetric`; here they have another",
        "it resamples by 8 with one 5x5 pool of stride 4; here are two 3x3 pools of stride 2",
        "its batch norms have an epsilon of 1e-5; here they do not",
        "its endpoints have no activation; here they have one",
    )
