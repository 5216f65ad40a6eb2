"""What the tests of all hosts share: a host, or why its tests are skipped, and a generated file as a module."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

import spinedsl
from spinedsl.source import Source

NUMBER = itertools.count()

# Three levels of one width, so small that a host's whole detector runs in a moment. The input divides by 32.
PYRAMID = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Tiny {
    input image: 3 x 64 x 96
    defaults { act relu, norm batch_norm(momentum = 0.99, epsilon = 1e-3) }
    widths { level 2: 4, level 3..5: 8 }
    resample spinenet(alpha = 0.5)
    join activated_sum

    stem s: resnet_stem channels 8
    block b0: bottleneck level 2 after s
    block b1: residual level 4 from s, b0
    block b2: bottleneck level 3 from b0, b1
    block b3: bottleneck level 5 from b1, b2

    output P3: endpoint from b2 channels 16
    output P4: endpoint from b1 channels 16
    output P5: endpoint from b3 channels 16
}
"""
# The same network, with its maps as they are: of different widths.
STAGES = (
    PYRAMID.replace("network Tiny", "network Stages")
    .replace("P3: endpoint from b2 channels 16", "C3: b2")
    .replace("P4: endpoint from b1 channels 16", "C4: b1")
    .replace("P5: endpoint from b3 channels 16", "C5: b3")
)
CHANNELS, STRIDES, NAMES = [16, 16, 16], [8, 16, 32], ["P3", "P4", "P5"]


def host(name: str) -> Any:
    """The package of a host, or the tests are skipped; continuous integration tries every host."""
    if find_spec(name) is None:
        assert not os.environ.get("CI"), f"{name} is not installed: the set-up says why"
        pytest.skip(f"{name} is not installed")
    importlib.import_module("tests.hosts.operators")
    return importlib.import_module(name)


def written(text: str, adapter: str, **options: Any) -> str:
    """The PyTorch file of a text, with an adapter or, for an empty one, without."""
    asked: dict[str, Any] = {"adapter": adapter, **options}
    (data,) = spinedsl.compile(Source.from_text(text), to="torch", **asked).values()
    return data.decode()


def imported(folder: Path, text: str, adapter: str) -> ModuleType:
    """The generated file of a text, imported as any Python file is."""
    return executed(folder, written(text, adapter))


def executed(folder: Path, code: str) -> ModuleType:
    """Python, imported from a file in a folder."""
    name = f"generated_{next(NUMBER)}"
    path = folder / f"{name}.py"
    path.write_text(code, encoding="utf-8")
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # hosts look a class's module up
    spec.loader.exec_module(module)
    return module


def plain(text: str) -> Any:
    """The module without an adapter: the same values from the same seed."""
    return spinedsl.load(Source.from_text(text)).eval()


def images(count: int = 2, height: int = 64, width: int = 96) -> torch.Tensor:
    """Images from a seed."""
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def same(ours: Any, expected: Any) -> bool:
    """Two lists of feature maps are the same numbers."""
    return len(ours) == len(expected) and all(torch.equal(a, b) for a, b in zip(ours, expected, strict=True))


def stand_in(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Modules of a host that is not installed, with the packages around them."""
    for module in modules:
        package = module.__name__.partition(".")[0]
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
        monkeypatch.setitem(sys.modules, module.__name__, module)


def losses_of(model: Any, loss: Callable[[], Tensor], count: int, *, lr: float, momentum: float = 0.0) -> list[float]:
    """Losses of some steps of training what may be trained."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=lr, momentum=momentum)
    torch.manual_seed(0)  # for what a model draws
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(value.item())
    return losses
