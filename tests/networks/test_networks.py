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

torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")

FOLDER = Path(__file__).parent
NETWORK = {  # where a file has several
    "regnety_004": "RegNetY400MF", "resnext50_32x4d": "ResNeXt50", "efficientnet_b0": "EfficientNetB0",
}  # fmt: skip
# Further networks of these files, by timm's name.
OTHERS = {
    "seresnet50": ("resnext50_32x4d", "SEResNet50"),
    "efficientnet_lite0": ("efficientnet_b0", "EfficientNetLite0"),
}
# Of a size that neither has under a name.
MADE = {"convmixer": lambda: timm.models.convmixer.ConvMixer(256, 8, kernel_size=7, patch_size=8)}
NAMES = sorted([*OTHERS, *(path.stem for path in FOLDER.glob("*.spine"))])


def drawn_weights(module: nn.Module) -> list[Tensor]:
    """Its tensors, made so that every one of them counts: no mean is 0, no variance 1."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        value = torch.randn(tensor.shape, generator=generator)
        if tensor.ndim > 1:
            value = value * (2 / tensor[0].numel()) ** 0.5
        else:
            value = 1 + 0.1 * value if not name.endswith(("bias", "running_mean")) else 0.1 * value
        found.append(value)
    return found


def put(module: nn.Module, weights: list[Tensor]) -> None:
    """The weights, in order; of normalisations the numbers that training tracks as well."""
    names = [name for name in module.state_dict() if not name.endswith("num_batches_tracked")]
    assert len(names) == len(weights)
    missing, unexpected = module.load_state_dict(dict(zip(names, weights, strict=True)), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)


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
    image = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected, got = theirs(image), ours(image)["scores"]
    assert expected.abs().max() > 0.01
    assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()
