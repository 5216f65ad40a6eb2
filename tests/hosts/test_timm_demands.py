"""What timm demands of each of its own models, demanded of ours; RELIABILITY.md lists the demands.

They are those of the tests for models in timm's repository, in words of our own. Sizes are chosen as there: a model's
usual size or, where a test finds that too large, the smallest that the model declares.
"""

from __future__ import annotations

import copy
import math
import re
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
from torch import Tensor

import spinedsl
from tests.hosts.using import PYRAMID, executed, host
from tests.hosts.ways import ANY_SIZE, COARSE, FIXED, MIXING, NEXT, channels, generated, named

pytestmark = pytest.mark.filterwarnings("default")  # timm's and PyTorch's own

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = {
    "of1": channels(1),
    "of3": channels(3),
    "of4": channels(4),
    "coarse": COARSE,
    "nexter": NEXT,
    "anysize": ANY_SIZE,
    "mixing": MIXING,
    "fixed": FIXED,
    "onemap": named(re.sub(r"    output P[34].*\n", "", PYRAMID), "OneMap"),
}
FILES = {
    "spinenet49s": ("spinenet.spine", "SpineNet49S"),
    "spinenetmobile49xs": ("spinenet_mobile.spine", "SpineNetMobile49XS"),
}
MODELS = (*TEXTS, *FILES)
EVERY = pytest.mark.parametrize("name", MODELS)
FITTING = {"forward": 384, "backward": 128, "features": 96}  # the largest usual size of a test


@cache
def registered(name: str) -> Any:
    """timm, with the model of that name."""
    timm = host("timm")
    if name in TEXTS:
        generated("timm", TEXTS[name])
    else:
        file, network = FILES[name]
        (data,) = spinedsl.compile(EXAMPLES / file, to="torch", network=network, adapter="timm").values()
        executed(Path(mkdtemp()), data.decode())
    return timm


def created(name: str, **options: Any) -> Any:
    """The model, as a user of timm makes it."""
    torch.manual_seed(0)
    return registered(name).create_model(name, **options)


def images(name: str, test: str, count: int = 1) -> Tensor:
    """Images of the size that timm would choose, by what the model says of itself before it is made."""
    from timm import get_pretrained_cfg_value

    registered(name)
    usual = get_pretrained_cfg_value(name, "input_size")
    smallest = get_pretrained_cfg_value(name, "min_input_size")
    if max(usual) > FITTING[test] and not get_pretrained_cfg_value(name, "fixed_input_size"):
        usual = smallest or tuple(min(side, FITTING[test]) for side in usual)
    return torch.randn(count, *usual, generator=torch.Generator().manual_seed(0))


@EVERY
def test_forward(name: str) -> None:
    """Finite, one row for each image; the same with checkpointing."""
    model = created(name).eval()
    x = images(name, "forward")
    found = model(x)
    assert found.shape == (1, 1000)
    assert not found.isnan().any()
    model.set_grad_checkpointing()
    assert torch.allclose(model(x), found, rtol=1e-4, atol=1e-5)


@EVERY
def test_backward(name: str) -> None:
    """Gradients reach every parameter."""
    model = created(name, num_classes=42).train()
    found = model(images(name, "backward", 2))
    assert found.shape == (2, 42)
    found.mean().backward()
    assert not found.isnan().any()
    assert [key for key, value in model.named_parameters() if value.grad is None] == []


@EVERY
def test_default_configuration(name: str) -> None:
    """What a model says of itself is so: size after pooling, width, first convolution and classifier by name."""
    model = created(name).eval()
    cfg, state = model.default_cfg, model.state_dict()
    assert cfg is model.pretrained_cfg
    x = torch.randn(1, *cfg["input_size"])
    pool = tuple(cfg["pool_size"])
    features = model.forward_features(x)
    assert features.shape == (1, model.num_features, *pool)
    pooled = model.forward_head(features, pre_logits=True)
    assert pooled.shape == (1, model.head_hidden_size)
    model.reset_classifier(0)
    assert model.num_classes == 0
    assert model(x).shape == pooled.shape
    model.reset_classifier(0, "")
    assert model(x).shape[2:] == pool
    assert created(name, num_classes=0, global_pool="").eval()(x).shape[2:] == pool
    assert f"{cfg['classifier']}.weight" in state
    assert len(cfg["mean"]) == len(cfg["std"]) == cfg["input_size"][0]
    first = cfg["first_conv"] or ()
    assert bool(first) == (name != "mixing")  # whose image is read by more than convolutions
    for convolution in first:
        assert state[f"{convolution}.weight"].shape[1] == cfg["input_size"][0]


@EVERY
def test_features(name: str) -> None:
    """As many maps as are announced, of those channels and strides."""
    model = created(name, features_only=True).eval()
    x = images(name, "features")
    found = model(x)
    info = model.feature_info
    assert len(found) == len(info.channels()) == len(info.reduction())
    assert len(found) >= 3 or name == "onemap"
    for value, width, stride in zip(found, info.channels(), info.reduction(), strict=True):
        assert value.shape == (1, width, *(math.ceil(side / stride) for side in x.shape[2:]))
        assert not value.isnan().any()


@EVERY
def test_intermediates(name: str) -> None:
    """`forward_intermediates` gives all maps, and what `forward_features` gives; the same with checkpointing."""
    model = created(name).eval()
    x = images(name, "features")
    final, found = model.forward_intermediates(x, output_fmt="NCHW")
    assert [value.shape[1] for value in found] == [info["num_chs"] for info in model.feature_info]
    assert torch.equal(final, model.forward_features(x))
    model.set_grad_checkpointing()
    again, _ = model.forward_intermediates(x)
    assert torch.allclose(again, final, rtol=1e-4, atol=1e-5)
    every = model.forward_intermediates(x, indices=1, intermediates_only=True)
    assert len(every) == 1
    assert torch.allclose(every[0], found[-1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "classes"), [*((name, count) for name in TEXTS for count in (0, 5, 1000)), *((name, 5) for name in FILES)]
)
def test_pretrained_weights(name: str, classes: int, tmp_path: Path) -> None:
    """They load for other channels and classes, the first convolution being adapted by timm."""
    source = created(name).eval()
    torch.save(source.state_dict(), tmp_path / "trained.pth")
    options = {"pretrained": True, "pretrained_cfg_overlay": {"file": str(tmp_path / "trained.pth")}}
    own = source.default_cfg["input_size"][0]
    for count in (own, 1) if name != "mixing" else (own,):
        model = created(name, num_classes=classes, in_chans=count, **options).eval()
        assert len(model.default_cfg["mean"]) == model.default_cfg["input_size"][0] == model.in_chans == count
        changed = {f"{conv}.weight" for conv in source.default_cfg["first_conv"] or () if count != own}
        changed |= {"head.fc.weight", "head.fc.bias"} if classes != 1000 else set()
        for key, value in model.state_dict().items():
            if key not in changed:
                assert torch.equal(value, source.state_dict()[key]), key
            elif key.endswith("conv.weight"):
                assert torch.allclose(value, source.state_dict()[key].sum(1, keepdim=True), atol=1e-6)
    maps = created(name, features_only=True, **options).eval()
    x = images(name, "features")
    expected = source.forward_intermediates(x, intermediates_only=True)
    assert all(map(torch.equal, maps(x), expected))


# Symbolic tracing knows no sizes, which these read: SAME padding of a size that does not divide, a vector laid out like
# a map, and stochastic depth.
TRACED = [
    (name, training) for name in MODELS for training in (False, True) if name not in {"anysize", "fixed", "nexter"}
]


@pytest.mark.parametrize(("name", "training"), TRACED)
def test_fx(name: str, training: bool) -> None:
    """torchvision's feature extraction traces the model symbolically; what it makes computes and learns the same."""
    from timm.models import get_notrace_functions, get_notrace_modules
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    model = created(name, num_classes=42, drop_rate=0.0).train(training)
    options = {"leaf_modules": get_notrace_modules(), "autowrap_functions": get_notrace_functions()}
    options["param_shapes_constant"] = True
    nodes = get_graph_node_names(model, tracer_kwargs=options)
    traced = create_feature_extractor(
        copy.deepcopy(model), train_return_nodes=nodes[0][-1:], eval_return_nodes=nodes[1][-1:], tracer_kwargs=options
    ).train(training)
    x = images(name, "backward", 2)
    torch.manual_seed(0)  # of stochastic depth
    expected = model(x)
    torch.manual_seed(0)
    (found,) = traced(x).values()
    assert torch.equal(found, expected)
    found.mean().backward()
    assert [key for key, value in traced.named_parameters() if value.grad is None] == []


@EVERY
def test_groups_and_decay(name: str) -> None:
    """Each parameter is in one group by depth; an optimizer takes them, and trainable numbers are not decayed."""
    from timm.models import group_parameters
    from timm.optim import create_optimizer_v2, param_groups_layer_decay

    model = created(name, num_classes=5)
    grouped = group_parameters(model, model.group_matcher())
    assert sorted(key for keys in grouped.values() for key in keys) == sorted(dict(model.named_parameters()))
    first = next(row for row, _ in model.named_children())
    assert grouped[0] == [key for key, _ in model.named_parameters() if key.startswith(f"{first}.")]
    groups = param_groups_layer_decay(model, 0.05, layer_decay=0.5, no_weight_decay_list=model.no_weight_decay())
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    for key, parameter in model.named_parameters():
        assert (id(parameter) in decayed) == (parameter.ndim in {2, 4}), key
    assert max(group["lr_scale"] for group in groups) == 1
    assert create_optimizer_v2(model, "adamw", lr=1e-3, weight_decay=0.05, layer_decay=0.5)


@EVERY
def test_helpers_of_training(name: str, tmp_path: Path) -> None:
    """timm's checkpoint, its exponential average, its freezing: each takes the model as its own."""
    from timm.models import load_checkpoint, resume_checkpoint
    from timm.utils import CheckpointSaver, ModelEmaV3, freeze, unfreeze

    model = created(name, num_classes=5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    average = ModelEmaV3(model, decay=0.5)
    model(images(name, "backward", 2)).mean().backward()
    optimizer.step()
    average.update(model)
    saver = CheckpointSaver(model, optimizer, model_ema=average, checkpoint_dir=str(tmp_path))
    saver.save_checkpoint(3, 0.5)
    kept = str(tmp_path / "last.pth.tar")
    for ema, expected in ((False, model), (True, average.module)):
        other = created(name, num_classes=5)
        load_checkpoint(other, kept, use_ema=ema)
        assert all(torch.equal(value, expected.state_dict()[key]) for key, value in other.state_dict().items())
    assert resume_checkpoint(created(name, num_classes=5), kept, optimizer) == 4
    rows = [row for row, _ in model.named_children()][:-1]
    freeze(model, rows)
    assert {key for key, p in model.named_parameters() if p.requires_grad} == {"head.fc.weight", "head.fc.bias"}
    unfreeze(model, rows)
    assert all(p.requires_grad for p in model.parameters())
    assert model.state_dict().keys() == average.module.state_dict().keys()


@pytest.mark.parametrize(("size", "fits"), [((64, 96), True), ([64, 96], True), (64, False), ((96, 64), False)])
def test_a_fixed_size_can_be_asked_for(size: Any, fits: bool) -> None:
    """timm itself passes it to models that say that their size is fixed."""
    if fits:
        assert created("fixed", img_size=size).eval()(images("fixed", "features")).shape == (1, 1000)
    else:
        with pytest.raises(ValueError, match="but the network was compiled for 64x96"):
            created("fixed", img_size=size)
