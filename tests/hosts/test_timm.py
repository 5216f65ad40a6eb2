"""The adapter for timm, in timm."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from spinedsl.backends.torch.adapters import ADAPTERS
from tests.hosts.using import CHANNELS, NAMES, PYRAMID, STAGES, STRIDES, host, images, imported, plain, same
from tests.hosts.ways import VECTORS, built, channels
from tests.scripting import scripted


@pytest.fixture(scope="module")
def timm(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """timm, with both networks registered."""
    found = host("timm")
    for text in (PYRAMID, STAGES):
        imported(tmp_path_factory.mktemp("timm"), text, "timm")
    return found


def test_the_model_is_listed_and_made_by_name(timm: Any) -> None:
    assert "tiny" in timm.list_models("ti*")
    model = timm.create_model("tiny", num_classes=5).eval()
    assert model(images()).shape == (2, 5)
    assert model.pretrained_cfg["input_size"] == (3, 64, 96)
    assert timm.create_model("tiny").num_classes == 1000


def test_what_the_classifier_reads_is_the_mean_of_the_maps(timm: Any) -> None:
    model = timm.create_model("tiny", num_classes=5).eval()
    pooled = model.forward_head(model.forward_features(images()), pre_logits=True)
    maps = plain(PYRAMID)(images()).values()
    assert torch.allclose(pooled, sum(x.mean((2, 3)) for x in maps) / 3, atol=1e-6)


def test_of_different_widths_the_classifier_reads_the_coarsest(timm: Any) -> None:
    model = timm.create_model("stages", num_classes=0).eval()
    coarsest = plain(STAGES)(images())["C5"]
    assert model.num_features == coarsest.shape[1]
    assert torch.equal(model.forward_features(images()), coarsest)
    assert torch.allclose(model(images()), coarsest.mean((2, 3)), atol=1e-6)


def test_the_classifier_is_as_wide_as_what_it_reads(timm: Any, tmp_path: Path) -> None:
    """Of three widths, which are all different, that of the coarsest map."""
    text = STAGES.replace("level 3..5: 8", "level 3: 8, level 4: 12, level 5: 16").replace("Stages", "Widening")
    imported(tmp_path, text, "timm")
    model = timm.create_model("widening", num_classes=5).eval()
    widths = [x.shape[1] for x in plain(text)(images()).values()]
    assert len(set(widths)) == 3
    assert (model.num_features, model.head_hidden_size) == (widths[-1], widths[-1])
    assert model.get_classifier().weight.shape == (5, widths[-1])
    assert model(images()).shape == (2, 5)


@pytest.mark.parametrize("indices", [(0, 1, 2), (0, 2), (1,), (-1,)])
def test_features_only_gives_the_maps(timm: Any, indices: tuple[int, ...]) -> None:
    model = timm.create_model("tiny", features_only=True, out_indices=indices).eval()
    maps = list(plain(PYRAMID)(images()).values())
    assert same(model(images()), [maps[i] for i in indices])
    assert model.feature_info.channels() == [CHANNELS[i] for i in indices]
    assert model.feature_info.reduction() == [STRIDES[i] for i in indices]
    assert model.feature_info.module_name() == [NAMES[i] for i in indices]
    assert not [name for name, _ in model.named_parameters() if "head" in name]


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("options", [{}, {"num_classes": 7, "drop_rate": 0.5}, {"num_classes": 0, "global_pool": ""}])
@pytest.mark.parametrize("name", ["tiny", "stages"])
def test_the_classifier_can_be_scripted(timm: Any, tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    model = timm.create_model(name, **options).eval()
    scripted(model).save(str(tmp_path / "script.pt"))
    with torch.no_grad():
        assert torch.equal(cast(Any, torch.jit).load(tmp_path / "script.pt")(images()), model(images()))


def test_all_maps_are_the_default(timm: Any) -> None:
    assert len(timm.create_model("tiny", features_only=True)(images())) == 3


def test_intermediates(timm: Any) -> None:
    model = timm.create_model("tiny").eval()
    final, maps = model.forward_intermediates(images(), indices=2)
    assert same(maps, list(plain(PYRAMID)(images()).values())[1:])
    assert torch.equal(final, model.forward_features(images()))
    with pytest.raises(ValueError, match="NCHW"):
        model.forward_intermediates(images(), output_fmt="NLC")


def test_the_classifier_can_be_replaced(timm: Any) -> None:
    model = timm.create_model("tiny").eval()
    model.reset_classifier(7)
    assert model(images()).shape == (2, 7)
    assert model.get_classifier().weight.shape == (7, 16)
    model.reset_classifier(0)
    assert model(images()).shape == (2, 16)
    model.reset_classifier(3, "catavgmax")
    assert model.head_hidden_size == 32
    assert model(images()).shape == (2, 3)
    model.reset_classifier(0, "")
    assert model(images()).shape == (2, 16, 8, 12)


def test_weights_of_the_plain_module_load_from_a_file(timm: Any, tmp_path: Path) -> None:
    module = plain(PYRAMID)
    module.reset(3)
    torch.save(module.state_dict(), tmp_path / "trained.pth")
    overlay = {"file": str(tmp_path / "trained.pth")}
    model = timm.create_model("tiny", pretrained=True, features_only=True, pretrained_cfg_overlay=overlay).eval()
    assert same(model(images()), list(module(images()).values()))


def test_it_trains(timm: Any) -> None:
    from timm.optim import create_optimizer_v2

    model = timm.create_model("tiny", num_classes=5, drop_rate=0.1)
    optimizer = create_optimizer_v2(model, "sgd", lr=0.1, layer_decay=0.7)
    loss = torch.nn.functional.cross_entropy(model(images()), torch.tensor([1, 2]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in model.parameters())
    optimizer.step()
    scales = [group["lr_scale"] for group in optimizer.param_groups]
    assert scales == sorted(scales)  # the deeper, the faster
    assert len(set(scales)) > 5
    assert scales[-1] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_chans": 0}, "at least one channel, got 0"),
        ({"drop_path_rate": 0.1}, "drop_path_rate is 0.1, but the network is written without stochastic depth"),
        ({"features_only": True, "feature_cls": "hook"}, "feature_cls is hook, but rows do not run one after another"),
        ({"features_only": True, "feature_cls": "list"}, "feature_cls is list, but rows do not run one after another"),
        ({"output_stride": 8}, "output_stride"),
        ({"features_only": True, "out_indices": (0, 3)}, "feature index 3 is out of range"),
        ({"features_only": True, "out_indices": 4}, r"last-n \(4\) is out of range"),
        ({"global_pool": ""}, "1000 classes need a vector: with global_pool='' maps stay, for num_classes=0"),
        ({"global_pool": "median"}, "Invalid pool type: median"),
        ({"pretrained": True}, "No pretrained weights exist for tiny"),
    ],
)
def test_what_cannot_be_is_refused(timm: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, AssertionError, RuntimeError), match=message):
        timm.create_model("tiny", **options)


def test_every_name_that_timm_uses_is_kept_from_rows(timm: Any) -> None:
    own = set(dir(timm.create_model("tiny"))) - set(dir(plain(PYRAMID)))
    assert {name for name in own if not name.startswith("_")} <= ADAPTERS["timm"].attributes


def test_pruning_takes_the_classifier_away_if_that_is_asked(timm: Any) -> None:
    model = timm.create_model("tiny", num_classes=5).eval()
    assert model.prune_intermediate_layers(2, prune_head=False) == [1, 2]
    assert model(images()).shape == (2, 5)
    assert model.prune_intermediate_layers([0, -1], prune_norm=False) == [0, 2]
    assert model(images()).shape == (2, 16, 8, 12)
    assert model.num_classes == 0


def test_classes_need_a_pooled_map(timm: Any) -> None:
    model = timm.create_model("tiny", num_classes=0, global_pool="")
    assert model(images()).shape == (2, 16, 8, 12)
    with pytest.raises(ValueError, match="5 classes need a vector"):
        model.reset_classifier(5)
    model.reset_classifier(5, "max")
    with pytest.raises(ValueError, match="7 classes need a vector"):
        model.reset_classifier(7, "")
    assert model(images()).shape == (2, 5)


def test_it_is_made_where_and_as_it_is_asked_for(timm: Any) -> None:
    for features in (False, True):
        model = timm.create_model("tiny", features_only=features, device="meta", dtype=torch.bfloat16)
        assert {(p.device.type, p.dtype) for p in model.parameters()} == {("meta", torch.bfloat16)}


@pytest.mark.parametrize("classes", [0, 1, 7])
def test_the_number_of_classes_is_said(timm: Any, classes: int) -> None:
    model = timm.create_model("tiny")
    model.reset_classifier(classes)
    assert model.num_classes == classes


MANY = (
    PYRAMID.replace("network Tiny", "network Many")
    .replace(
        "\n    output P3",
        "".join(f"    block b{i}: bottleneck level 3 from b{i - 1}, b{i - 2}\n" for i in range(4, 14))
        + "\n    output P3",
    )
    .replace("P3: endpoint from b2", "P3: endpoint from b13")
    .replace("b13: bottleneck level 3 from b12, b11", "b13: bottleneck level 3 from b12, b2")
)


def test_each_parameter_is_in_the_group_of_its_row(timm: Any, tmp_path: Path) -> None:
    """Also where the name of one row begins that of another."""
    imported(tmp_path, MANY, "timm")
    model = timm.create_model("many")
    groups = model.group_matcher()
    patterns = [groups["stem"], *(pattern for pattern, _ in groups["blocks"])]
    rows = [row for row, _ in model.named_children() if row != "head"]
    assert len(rows) == len(patterns) > 10
    for name, _ in model.named_parameters():
        found = [row for row, pattern in zip(rows, patterns, strict=True) if re.match(pattern, name)]
        assert found == [row for row in (name.partition(".")[0],) if row != "head"]


def test_a_network_of_one_map(timm: Any, tmp_path: Path) -> None:
    one = re.sub(r"    output P[34].*\n", "", PYRAMID).replace("network Tiny", "network One")
    imported(tmp_path, one, "timm")
    maps = timm.create_model("one", features_only=True).eval()(images())
    assert same(maps, list(plain(one)(images()).values()))
    assert len(maps) == 1


def test_checkpointing_is_compiled(timm: Any) -> None:
    """As the default compiler sees it: gradients and running statistics are those of the ordinary model."""
    plain_model = timm.create_model("tiny", num_classes=3)
    sparing = copy.deepcopy(plain_model)
    sparing.set_grad_checkpointing()
    compiled = torch.compile(sparing, backend="aot_eager")
    for model in (plain_model, compiled):
        model(images()).square().sum().backward()
    for (name, ours), expected in zip(sparing.named_parameters(), plain_model.parameters(), strict=True):
        assert torch.allclose(ours.grad, expected.grad, rtol=1e-4, atol=1e-6), name
    assert same(list(sparing.buffers()), list(plain_model.buffers()))


def test_kernels_along_the_channels_decay() -> None:
    """Trainable numbers do not, though both have three axes."""
    model = built("timm", VECTORS).model
    assert model.no_weight_decay() == {"b0.y.parameter.weight"}
    assert built("timm", channels(3)).model.no_weight_decay() == set()
