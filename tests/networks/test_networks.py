"""Networks of other papers, each a file beside this one, held against torchvision's or timm's with the same weights.

Parameters are copied in the order in which both make them, so what is wired otherwise gives other numbers.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import spinedsl
import tests.hosts.operators  # noqa: F401
from spinedsl.analysis import costs
from spinedsl.ops.graph import flatten
from tests.networks import attention, cells, maps, necks, standardised
from tests.networks.detectors import RTMDetTiny
from tests.networks.others import YOLOv5s
from tests.networks.spinenet import DilatedSpineNet49

torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")

FOLDER = Path(__file__).parent
NETWORK = {  # where a file has several
    "regnety_004": "RegNetY400MF", "resnext50_32x4d": "ResNeXt50", "efficientnet_b0": "EfficientNetB0",
    "hrnet_w18": "HRNet", "resnet50_nas_fpn": "NASFPN", "efficientdet_d0": "EfficientDetD0",
    "nasnet_a": "NASNetA", "hourglass_stack2": "Stack2",
    "convnext": "ConvNeXt", "yolov5s": "YOLOv5S",
    "bit_resnet50": "Narrow", "nfnet_f0": "Narrow", "nf_resnet26": "Narrow",
}  # fmt: skip
# Further networks of these files, by timm's name.
OTHERS = {
    "seresnet50": ("resnext50_32x4d", "SEResNet50"),
    "efficientnet_lite0": ("efficientnet_b0", "EfficientNetLite0"),
}
# Of a size that neither has under a name.
MADE = {
    "convmixer": lambda: timm.models.convmixer.ConvMixer(256, 8, kernel_size=7, patch_size=8),
    "convnext": lambda: timm.models.convnext.ConvNeXt(depths=(3, 3, 9, 3), dims=(24, 48, 96, 192)),
    "yolov5s": YOLOv5s,
    "googlenet": lambda: torchvision.models.googlenet(aux_logits=False, init_weights=False),
    "inception_v3": lambda: timm.create_model("inception_v3"),
    **attention.makers(timm, torchvision),
    **necks.makers(timm, torchvision),
    **maps.makers(torchvision),
    **cells.makers(timm),
    **standardised.makers(timm),
    "dilated_spinenet49": DilatedSpineNet49,
    "rtmdet_tiny": RTMDetTiny,
}
# Of one size: the one that their papers have.
SIZES = {
    "inception_v3": (299, 299), "legacy_xception": (299, 299), "ghostnetv2_100": (224, 224), "crnn": (32, 100),
}  # fmt: skip
WIDE = ("strip_resnet50",)  # in float32 they differ by more: gates of many blocks one after another
NAMES = sorted([*OTHERS, *(path.stem for path in FOLDER.glob("*.spine"))])


def drawn_weights(module: nn.Module) -> list[Tensor]:
    """Its tensors, made so that every one of them counts: no mean is 0, no variance 1."""
    generator = torch.Generator().manual_seed(1)
    found = []
    state = module.state_dict()
    for name in in_order(module):
        tensor = state[name]
        value = torch.randn(tensor.shape, generator=generator)
        if tensor.ndim > 1 and not name.endswith(".gain"):
            value = value * (2 / tensor[0].numel()) ** 0.5
        else:
            value = 1 + 0.1 * value if not name.endswith(("bias", "running_mean")) else 0.1 * value
        found.append(value)
    return found


def in_order(module: nn.Module) -> list[str]:
    """The names of its tensors, a norm behind its convolution where all convolutions of a block come first.

    A layer scale is behind the eight tensors that it scales the result of.
    """
    names = [name for name in module.state_dict() if not name.endswith("num_batches_tracked")]
    place = {name: at + (8.5 if name.endswith(".gamma") else 0) for at, name in enumerate(names)}
    convs = {name: name.replace(".bns.", ".convs.").rpartition(".")[0] + ".weight" for name in names}
    return sorted(names, key=lambda name: (place.get(convs[name], place[name]), place[name]))


def put(module: nn.Module, weights: list[Tensor]) -> None:
    """The weights, in order; of normalisations the numbers that training tracks as well."""
    names = in_order(module)
    assert len(names) == len(weights)
    state = module.state_dict()
    shaped = {name: weight.reshape(state[name].shape) for name, weight in zip(names, weights, strict=True)}
    missing, unexpected = module.load_state_dict(shaped, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)


def listed(given: object) -> list[Tensor]:
    """What a network gives, one tensor after the other: of ours the heads come last."""
    if isinstance(given, Tensor):
        return [given]
    return [*given.values()] if isinstance(given, dict) else list(given)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", NAMES)
def test_as_others_have_it(name: str) -> None:
    make = MADE.get(name) or getattr(torchvision.models, name, None)
    theirs = (make() if make is not None else timm.create_model(name)).eval()
    file, network = OTHERS.get(name, (name, NETWORK.get(name)))
    ours = spinedsl.load(FOLDER / f"{file}.spine", network=network).eval()
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    weights = drawn_weights(theirs)
    put(theirs, weights)
    put(ours, weights)
    height, width = SIZES.get(name) or (-(-size // ours.size_divisor) * ours.size_divisor for size in (64, 96))
    channels = next(parameter.shape[1] for parameter in theirs.parameters() if parameter.ndim == 4)
    image = torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(2))
    if name in WIDE:
        theirs, ours, image = theirs.double(), ours.double(), image.double()
    with torch.no_grad():
        expected, given = listed(theirs(image)), listed(ours(image))
    for got, wanted in zip(given[-len(expected) :], expected, strict=True):
        assert got.shape == wanted.shape
        assert wanted.abs().max() > 0.01
        assert (got - wanted).abs().max() <= 1e-5 * wanted.abs().max()


@pytest.mark.parametrize(
    ("file", "network", "parameters"),
    [
        ("convnext", "ConvNeXtLarge", 197_767_336),
        ("yolov5s", "YOLOv5S", 7_235_389),
        ("resnetblur50", None, 25_557_032),
        ("bit_resnet50", "BiTResNet50", 25_549_352),
        ("nfnet_f0", "NFNetF0", 71_489_284),
        ("coordatt_mobilenet_v2", None, 3_950_648),  # 3.95M, Table 2
    ],
)
def test_as_many_parameters_as_published(file: str, network: str | None, parameters: int) -> None:
    assert costs(flatten(spinedsl.program(FOLDER / f"{file}.spine", network=network))).parameters == parameters


@pytest.mark.parametrize("size", [(75, 75), (107, 139)])
def test_a_network_of_one_size_at_others(size: tuple[int, int]) -> None:
    """What `--input` says is the one size."""
    theirs = timm.create_model("inception_v3").eval()
    ours = spinedsl.load(FOLDER / "inception_v3.spine", size=size).eval()
    weights = drawn_weights(theirs)
    put(theirs, weights)
    put(ours, weights)
    image = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected, got = theirs(image), ours(image)["scores"]
    assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()
