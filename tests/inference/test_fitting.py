"""The resizing of an exported model gives Pillow's pixels, to the bit, for images of any size and every setting."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, checker, helper

from spinedsl.backends import OPSETS
from spinedsl.backends.onnx.nodes import Nodes, Value
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import INTERPOLATIONS, RESIZES, Preprocessing
from spinedsl.inference.fitting import fitted
from tests.data.making import noise

TARGETS = ((16, 16), (24, 7), (5, 31), (1, 1))  # the sizes of networks


@cache
def session_of(pre: Preprocessing, opset: int = 13) -> Any:
    """A model that resizes and does nothing else."""
    nodes = Nodes("fit", {"images"}, opset)
    found = fitted(nodes, Value(nodes, "images", np.dtype(np.uint8)), pre)
    size: list[str | int] = ["N", pre.channels, pre.height, pre.width]
    graph = helper.make_graph(
        nodes.made, "fit",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", "H", "W", "C"])],
        [helper.make_tensor_value_info(found.name, TensorProto.UINT8, size)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(pre: Preprocessing, images: Pixels, opset: int = 13) -> Any:
    """What the model makes of a batch, with channels last."""
    return session_of(pre, opset).run(None, {"images": images})[0].transpose(0, 2, 3, 1)


def declared(resize: str, interpolation: str, channels: int, size: tuple[int, int], crop: float = 1.0) -> Preprocessing:
    kept = crop if resize == "crop" else 1.0
    return Preprocessing(*size, resize, interpolation, channels, crop=kept, background=(10, 200, 77))


SIDES = st.one_of(st.integers(1, 40), st.integers(1, 300), st.sampled_from([1, 2, 16, 32, 24, 7, 1000]))


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@given(
    SIDES, SIDES, st.sampled_from([1, 3]), st.sampled_from([1, 3]), st.sampled_from(TARGETS),
    st.sampled_from([1.0, 0.875, 0.3]), st.integers(0, 99),
)  # fmt: skip
def test_it_is_pillows(
    resize: str,
    interpolation: str,
    h: int,
    w: int,
    theirs: int,
    ours: int,
    size: tuple[int, int],
    crop: float,
    seed: int,
) -> None:
    pre = declared(resize, interpolation, ours, size, crop)
    pixels = np.random.default_rng(seed).integers(0, 256, (h, w, theirs), dtype=np.uint8)
    assert np.array_equal(run(pre, pixels[None])[0], pre.fit(pixels))


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_extremes(resize: str, interpolation: str) -> None:
    """A single pixel, lines of 9,000 pixels, black beside white, and a photograph's size."""
    pre = declared(resize, interpolation, 3, (24, 7), 0.9)
    stripes = np.zeros((600, 801, 3), dtype=np.uint8)
    stripes[:, ::3], stripes[::5] = 255, 255
    for pixels in (noise(1, 1), noise(1, 9000), noise(9000, 1, 1), stripes, stripes[:1], noise(1200, 1600)):
        assert np.array_equal(run(pre, pixels[None])[0], pre.fit(pixels)), pixels.shape


def test_a_batch_is_each_of_its_images() -> None:
    pre = declared("letterbox", "bicubic", 1, (16, 16))
    batch = np.stack([noise(33, 20, 3, seed) for seed in range(5)])
    assert np.array_equal(run(pre, batch), np.stack([pre.fit(one) for one in batch]))


@pytest.mark.parametrize("opset", OPSETS)
def test_every_opset(opset: int) -> None:
    for resize in RESIZES:
        pre = declared(resize, "bilinear", 3, (16, 16), 0.7)
        pixels = noise(31, 57)
        assert np.array_equal(run(pre, pixels[None], opset)[0], pre.fit(pixels))


def test_other_channels_than_grey_and_colours_are_refused_when_it_runs() -> None:
    """As of an image with transparency: a model cannot say more than its runtime does."""
    with pytest.raises(Exception, match=r"(?i)expand|broadcast|dimension"):
        run(declared("stretch", "bilinear", 3, (16, 16)), np.zeros((1, 9, 9, 4), np.uint8))
