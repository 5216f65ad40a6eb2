"""Norms of vectors, as heads of face embedders and perceptrons have them: every engine agrees, and PyTorch's own do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

import spinedsl
from spinedsl.backends import OPSETS
from spinedsl.ops.graph import flatten
from spinedsl.passes import optimised
from spinedsl.source import Source
from spinedsl.training.norms import one_value
from tests.witnesses import assert_witnesses_agree

FILE = """\
spine 1
stem_type enter(image) -> 8 {{ return conv(image, 8, kernel = 3, stride = 2) }}
def settled(x) {{ return act(norm(x)) }}
head_type probe(maps) {{
    let map = settled(first(maps))
    let x = linear(flatten(global_average_pool(map)), 12)
    return {text}
}}
network Net {{
    input image: 3 x 32 x 48
    defaults {{ act relu, norm {norm} }}
    stem s: enter
    head h: probe from s
}}
"""
# A norm of `x` as the file says it, and PyTorch's own.
NORMS: dict[str, Callable[[], nn.Module]] = {
    "batch_norm(x)": lambda: nn.BatchNorm1d(12),
    "batch_norm(x, momentum = 0.99, epsilon = 1e-3)": lambda: nn.BatchNorm1d(12, eps=1e-3, momentum=0.01),
    "layer_norm(x)": lambda: nn.LayerNorm(12),
    "layer_norm(x, epsilon = 0.1)": lambda: nn.LayerNorm(12, eps=0.1),
    "group_norm(x, groups = 3)": lambda: nn.GroupNorm(3, 12),
}


def source_of(text: str, norm: str = "batch_norm") -> Source:
    return Source.from_text(FILE.format(text=text, norm=norm), "net.spine")


@pytest.mark.parametrize("text", NORMS)
def test_every_engine_gives_what_pytorchs_own_gives(text: str) -> None:
    source = source_of(text)
    assert_witnesses_agree(spinedsl.program(source), [(1, 32, 48), (3, 64, 32)])
    module = spinedsl.load(source).train()
    theirs = NORMS[text]().train()
    ours = next(part for name, part in module.named_modules() if name.startswith("h.") and name.endswith("_norm"))
    assert isinstance(ours, type(theirs))
    given: list[torch.Tensor] = []
    ours.register_forward_hook(lambda _, inputs, output: given.extend((*inputs, output)))
    for seed in range(3):  # in training, so that statistics move
        module(torch.rand(4, 3, 32, 48, generator=torch.manual_seed(seed)))
        assert torch.equal(theirs(given[-2].detach()), given[-1])
    module.eval(), theirs.eval()
    module(torch.rand(4, 3, 32, 48))
    torch.testing.assert_close(theirs(given[-2].detach()), given[-1])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("text", ["layer_norm(x)", "batch_norm(group_norm(x, groups = 3)) + x"])
def test_every_opset_has_them(text: str, opset: int) -> None:
    source = source_of(text)
    (model,) = spinedsl.compile(source, to="onnx", opset=opset).values()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    pixels = torch.rand(1, 3, 32, 48)
    (found,) = session.run(["h"], {"image": pixels.numpy()})
    with torch.no_grad():
        expected = spinedsl.load(source).eval()(pixels)["h"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm"])
def test_one_definition_normalises_maps_and_vectors(norm: str) -> None:
    source = source_of("settled(x)", norm)
    assert_witnesses_agree(spinedsl.program(source), [(2, 32, 48)])
    module = spinedsl.load(source)
    kinds = {"batch_norm": (nn.BatchNorm2d, nn.BatchNorm1d), "layer_norm": (nn.LayerNorm, nn.LayerNorm)}[norm]
    of_map, of_vector = (module.get_submodule(f"h.{name}.norm") for name in ("map", "settled"))
    assert (type(of_vector), isinstance(of_map, kinds[0])) == (kinds[1], True)
    pixels = torch.rand(2, 3, 32, 48)
    exported = torch.export.export(module.eval(), (pixels,)).module()
    assert torch.equal(exported(pixels)["h"], module(pixels)["h"])


def test_a_batch_norm_becomes_part_of_the_linear_layer_before_it() -> None:
    source = source_of("relu(batch_norm(x, epsilon = 0.01))")
    graph = flatten(spinedsl.program(source))
    left = [node.name for node in optimised(graph, 1).graph.nodes if node.primitive == "batch_norm"]
    assert left == []
    module = spinedsl.load(source).train()
    for seed in range(3):
        module(torch.rand(4, 3, 32, 48, generator=torch.manual_seed(seed)))
    fused, pixels = spinedsl.fuse(module), torch.rand(2, 3, 32, 48)
    assert not [part for part in fused.modules() if isinstance(part, nn.BatchNorm1d)]
    with torch.no_grad():
        torch.testing.assert_close(fused(pixels)["h"], module.eval()(pixels)["h"])


def test_a_group_of_one_number_is_refused() -> None:
    with pytest.raises(spinedsl.Mistakes) as caught:
        spinedsl.program(source_of("group_norm(x, groups = 12)"))
    (mistake,) = caught.value.diagnostics
    assert mistake.code.id == "E0501"
    assert "12 groups of one number" in mistake.message
    assert "take fewer groups" in str(caught.value)


def test_a_batch_of_one_is_told_of_the_vector() -> None:
    found = one_value(spinedsl.program(source_of("batch_norm(x)")), 1, frozenset({"s"}), norms=False)
    assert found is not None
    assert found.notes == ("it is given a vector (row `h`), and a part of the batch is one image",)
