"""`torch.jit.script` of generated modules: every network that tests have, its files, and training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from torch import nn

import spinedsl
from spinedsl.backends.torch import build
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.testing import STANDARD, nested, networks
from spinedsl.testing.laws import program_of
from tests.backends.torch.forms import FORMS
from tests.backends.torch.test_ways import SMALL, first, image_for
from tests.backends.torch.texts import program as program_of_form
from tests.laws.test_nested import network
from tests.patience import HANG
from tests.profiles import drawn
from tests.scripting import is_scripted, require_scripted, same, scripted
from tests.texts import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

FILES = sorted(
    [
        *(ROOT / "tests/loops").glob("*.spine"),
        *(ROOT / "tests/definitions").glob("*.spine"),
        ROOT / "tests/any_size.spine",
    ]
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_networks_of_other_tests(path: Path) -> None:
    require_scripted(spinedsl.program(path))


@pytest.mark.parametrize("name", FORMS)
def test_definitions_of_every_form(name: str) -> None:
    require_scripted(program_of_form(*FORMS[name]))


@drawn(8)
@given(networks())
def test_random_networks(text: str) -> None:
    is_scripted(STANDARD.source(text), "Net")


@drawn(12)
@given(nested.files())
def test_random_networks_with_loops_in_loops(text: str) -> None:
    is_scripted(Source.from_text(text), nested.NAME)


# Networks by number that once could not be scripted: factors some of which are whole, a choice of a whole number and a
# fraction, sibling loops of one name of which one reads its map once or stands in a choice, what is attached to a row's
# module beside its iterations, and a choice in an arm that is not taken.
@pytest.mark.parametrize("number", [46, 131, 154, 263, 448, 537, 569])
def test_random_networks_that_could_not(number: int) -> None:
    require_scripted(program_of(Source.from_text(network(number)), nested.NAME))


# ---- words that TorchScript is strict about ----

WHOLE = """spine 1
import std.stems
block_type body(x, channels, rate = 0, high = 1) -> channels {
    let y = conv(pad(x, top = 1, left = 1, bottom = 1, right = 1, value = high), channels, kernel = 3, padding = 0)
    return dropout(stochastic_depth(l2_normalise(y, epsilon = 1), rate = rate), rate = rate)
}
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block a: body level 2 after s channels 8
    block b: body(rate = 0.25, high = 0.5) level 2 after a channels 8
    output P2: b
}
"""


def test_whole_numbers_where_torch_wants_fractions() -> None:
    require_scripted(program_of(Source.from_text(WHOLE), "Net"))


UNMOVED = """spine 1
import std.blocks
import std.mobile
import std.resample
resample_type kept(x, source, target) -> x.channels {
    var y = x
    repeat target.level - x.level { y = max_pool(y, kernel = 3, stride = 2) }
    return y
}
network Net {
    input image: 3 x 96 x 51
    defaults { act relu, norm batch_norm }
    rules { sizes fixed }
    resample kept
    join activated_sum
    stem s: mobile_stem channels 8
    block b1: residual level 1 after s channels 8
    block b2: residual level 2 after b1 channels 8
    block b3: residual level 3 after b2 channels 8
    block b4: residual level 3 from b1, b3 channels 8
    output P3: b4
}
"""


def test_a_padding_for_each_iteration_where_a_use_has_none() -> None:
    require_scripted(program_of(Source.from_text(UNMOVED), "Net"))


# ---- what is done with a scripted module ----

OTHER = """
import sys, torch
script = torch.jit.load(sys.argv[1])
torch.save(script(torch.load(sys.argv[2])), sys.argv[3])
"""


def test_a_file_of_it_runs_in_another_process(tmp_path: Path) -> None:
    """Which has neither the module nor spinedsl."""
    program = spinedsl.program(SMALL)
    module, image = spinedsl.load(SMALL).eval(), image_for(program)
    scripted(module).save(str(tmp_path / "script.pt"))
    torch.save(image, tmp_path / "image.pt")
    command = [
        sys.executable,
        "-I",
        "-c",
        OTHER,
        *(str(tmp_path / name) for name in ("script.pt", "image.pt", "out.pt")),
    ]
    subprocess.run(command, check=True, cwd=tmp_path, env={**os.environ}, timeout=HANG)
    with torch.no_grad():
        assert same(torch.load(tmp_path / "out.pt"), module(image))


EXAMPLES = ("spinenet.spine", "retinanet.spine", "spinenet_mobile.spine", "classifier.spine", "tutorial/6_edits.spine")


def example(file: str) -> Program:
    return first(ROOT / "examples" / file)


@torch.no_grad()
@pytest.mark.parametrize("file", EXAMPLES)
def test_it_can_be_frozen(file: str) -> None:
    program = example(file)
    module, image = build(program).eval(), image_for(program)
    frozen: Any = cast(Any, torch.jit).freeze(scripted(module))
    found = frozen(image)
    for name, value in module(image).items():
        torch.testing.assert_close(found[name], value, atol=1e-5, rtol=1e-4)


def _trained(module: nn.Module, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Outputs, gradients and buffers of one step in training, where dropping draws the same numbers each time."""
    torch.manual_seed(0)
    outputs: dict[str, torch.Tensor] = module.train()(image)
    loss = torch.stack([value.square().mean() for value in outputs.values()]).sum()
    parameters = dict(module.named_parameters())
    found = torch.autograd.grad(loss, list(parameters.values()))
    gradients = {f"{name}: gradient": value for name, value in zip(parameters, found, strict=True)}
    return {**{name: value.detach() for name, value in outputs.items()}, **gradients, **dict(module.named_buffers())}


@pytest.mark.parametrize(
    "path", [ROOT / "tests/definitions/inverted_layer_scale.spine", SMALL, ROOT / "examples/resnet.spine"]
)
def test_it_trains_as_the_module(path: Path) -> None:
    program = first(path)
    image = image_for(program)
    wanted = _trained(build(program), image)
    found = _trained(scripted(build(program)), image)
    assert [*found] == [*wanted]
    assert any("running" in name for name in wanted) or "layer" in path.stem
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-5, msg=name)


def test_a_size_that_does_not_fit_is_refused_by_it_too() -> None:
    script = scripted(spinedsl.load(SMALL).eval())
    with pytest.raises(torch.jit.Error, match="height and width must divide by"):
        script(torch.zeros(1, 3, 65, 64))
