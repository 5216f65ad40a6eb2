"""torchvision's detectors on our backbones: channels of images, one class, any sizes, training, saving, freezing.

A row is a test; its columns are the three detectors.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import spinedsl
from spinedsl.cli import main
from spinedsl.source import Source
from tests.hosts.using import losses_of, same
from tests.hosts.ways import any_size, channels, generated, named, pictures

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch, at what torchvision calls

KINDS = ("retinanet", "fcos", "fasterrcnn")
EVERY = pytest.mark.parametrize("kind", KINDS)
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


@pytest.fixture(autouse=True)
def as_written() -> Iterator[None]:
    """What torchvision would compile runs as it is written."""
    with torch.compiler.set_stance("force_eager"):
        yield


def wide(count: int) -> str:
    """The small pyramid with 32 channels, which FCOS needs, for images of so many."""
    return named(channels(count).replace("channels 16", "channels 32"), f"Wide{count}")


def detector(kind: str, text: str, **options: Any) -> Any:
    """A detector of one class, for small images; Faster R-CNN counts the background as another."""
    name = text.partition("network ")[2].partition(" ")[0].lower()
    torch.manual_seed(0)
    if kind == "fasterrcnn":
        options = {"rpn_pre_nms_top_n_train": 100, "rpn_pre_nms_top_n_test": 100, **options}
    make = getattr(generated("torchvision", text), f"{kind}_{name}")
    return make(**{"num_classes": 2, "min_size": 64, "max_size": 128, **options})


def picture(count: int, height: int = 64, width: int = 96) -> Tensor:
    """An image with a bright square at (16, 16) to (48, 48)."""
    image = pictures(1, count, height, width)[0].sigmoid() * 0.2
    image[:, 16:48, 16:48] += 0.7
    return image


TARGET = {"boxes": torch.tensor([[16.0, 16.0, 48.0, 48.0]]), "labels": torch.tensor([1])}
NOTHING = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}


def steps(model: Any, images: list[Tensor], count: int) -> list[float]:
    """Losses of some steps of training, with a box in the first image and none in the others."""
    targets = [TARGET, *[NOTHING] * (len(images) - 1)]

    def loss() -> Tensor:
        return torch.stack(list(model.train()(list(images), targets).values())).sum()

    return losses_of(model, loss, count, lr=0.01, momentum=0.9)


@EVERY
@pytest.mark.parametrize("count", [1, 3, 4])
def test_it_learns_one_class_of_images_of_any_size(kind: str, count: int) -> None:
    """On odd sizes, one image without a box: losses fall, and gradients reach every parameter of the backbone."""
    model = detector(kind, wide(count))
    losses = steps(model, [picture(count, 63, 97), picture(count, 50, 71)], 6)
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.backbone.parameters())
    with torch.no_grad():
        found = model.eval()([picture(count), picture(count, 33, 200)])
    assert [set(entry) for entry in found] == [{"boxes", "scores", "labels"}] * 2


@EVERY
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_means_are_as_many_as_channels(kind: str, count: int) -> None:
    transform = detector(kind, wide(count)).transform
    expected = IMAGENET if count == 3 else ([0.449] * count, [0.226] * count)
    assert (list(transform.image_mean), list(transform.image_std)) == expected
    own = detector(kind, wide(count), image_mean=[0.1] * count, image_std=[0.2] * count).transform
    assert (own.image_mean, own.image_std) == ([0.1] * count, [0.2] * count)
    for name in ("image_mean", "image_std"):
        with pytest.raises(ValueError, match=f"{name} has {count + 1} numbers, but images have {count} channels"):
            detector(kind, wide(count), **{name: [0.5] * (count + 1)})


@EVERY
def test_a_batch_is_padded_to_the_divisor_and_no_further(kind: str) -> None:
    model = detector(kind, wide(3)).eval()
    seen: list[Any] = []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(tuple(inputs[0].shape[2:])))
    with torch.no_grad():
        model([picture(3, 64, 70), picture(3, 65, 64)])
        model([picture(3, 64, 64)])
    assert seen == [(96, 96), (64, 64)]
    narrow = detector(kind, wide(3), size_divisible=8).eval()
    with pytest.raises(ValueError, match="must divide by 32, got 64x72: pad images to 64x96"):
        narrow([picture(3, 64, 70)])


@EVERY
def test_a_network_of_any_size_needs_no_padding(kind: str) -> None:
    model = detector(kind, named(any_size(wide(3)), "Free"))
    assert model.transform.size_divisible == 1
    assert all(map(math.isfinite, steps(model, [picture(3, 65, 97), picture(3, 71, 64)], 2)))


@EVERY
def test_saved_and_loaded(kind: str, tmp_path: Path) -> None:
    """As a state dict and as a copy; and the backbone comes back as the plain network, by Python and the command."""
    text = wide(3)
    model = detector(kind, text)
    steps(model, [picture(3)] * 2, 2)
    torch.save({"model": model.state_dict(), "epoch": 1}, tmp_path / "detector.pth")
    other = detector(kind, text)
    other.load_state_dict(torch.load(tmp_path / "detector.pth", weights_only=True)["model"])
    expected = model.backbone.eval()(pictures())
    for found in (other, copy.deepcopy(model)):
        assert same(list(found.backbone.eval()(pictures()).values()), list(expected.values()))
    back = spinedsl.load(Source.from_text(text), weights=tmp_path / "detector.pth").eval()
    assert same(list(back(pictures()).values()), list(expected.values()))
    (tmp_path / "net.spine").write_text(text)
    files = [str(tmp_path / name) for name in ("detector.pth", "net.spine", "back.safetensors")]
    assert main(["weights", "convert", files[0], files[1], "-o", files[2]]) == 0
    back = spinedsl.load(Source.from_text(text), weights=files[2]).eval()
    assert same(list(back(pictures()).values()), list(expected.values()))


@EVERY
@pytest.mark.parametrize("layers", [0, 3, 8])
def test_layers_that_are_trained(kind: str, layers: int, tmp_path: Path) -> None:
    """The last rows of the backbone; the norms of the others stay, as torchvision's own frozen norms do."""
    text = wide(3)
    model = detector(kind, text, trainable_backbone_layers=layers)
    rows = list(model.backbone.children())
    assert [any(p.requires_grad for p in row.parameters()) for row in rows] == [False] * (8 - layers) + [True] * layers
    before = copy.deepcopy(model.backbone.state_dict())
    steps(model, [picture(3)] * 2, 2)
    moved = {
        key.partition(".")[0] for key, value in model.backbone.state_dict().items() if (value != before[key]).any()
    }
    names = [name for name, _ in model.backbone.named_children()]
    assert moved == set(names[len(names) - layers :])
    torch.save(model.state_dict(), tmp_path / "detector.pth")
    back = spinedsl.load(Source.from_text(text), weights=tmp_path / "detector.pth").eval()
    expected = model.backbone.eval()(pictures())
    assert all(
        torch.allclose(a, b, atol=1e-5) for a, b in zip(back(pictures()).values(), expected.values(), strict=True)
    )


@EVERY
@pytest.mark.parametrize("layers", [-1, 9])
def test_layers_that_there_are_not(kind: str, layers: int) -> None:
    with pytest.raises(ValueError, match=rf"trainable_backbone_layers is {layers}, but the network has 8 rows"):
        detector(kind, wide(3), trainable_backbone_layers=layers)


@EVERY
@pytest.mark.parametrize("option", ["weights", "pretrained_backbone", "output_stride", "min_sizes", "image_means"])
def test_an_option_that_nothing_takes(kind: str, option: str) -> None:
    """torchvision's own constructors take any name and forget it."""
    with pytest.raises(TypeError, match=rf"takes no {option}"):
        detector(kind, wide(3), **{option: 1})


@EVERY
def test_bfloat16(kind: str) -> None:
    model = detector(kind, wide(3))
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.train()([picture(3)] * 2, [TARGET, NOTHING])
    value = torch.stack([loss.float() for loss in losses.values()]).sum()
    value.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.backbone.parameters())


def test_channels_that_the_head_of_fcos_cannot_group() -> None:
    with pytest.raises(ValueError, match="norms 32 groups of channels, but maps have 16: give a `head`"):
        detector("fcos", channels(3))
    head = detector("fcos", wide(3)).head
    assert detector("fcos", channels(3), head=head).head is head
