"""Preprocessing: sizes and places by hand, resampling by Pillow, normalisation to the same bits in three engines."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from PIL import Image

from spinedsl.data.preprocessing import INTERPOLATIONS, Placement, Preprocessing, odds, unfit
from tests.data.making import image, noise


def test_the_same_size_stays_as_it_is() -> None:
    pixels = noise(12, 10)
    for resize in ("stretch", "crop", "letterbox"):
        assert np.array_equal(Preprocessing(12, 10, resize).fit(pixels), pixels)


def test_what_is_fitted_may_be_written_to_and_the_source_stays() -> None:
    pixels = noise(12, 10)
    before = pixels.copy()
    pixels.flags.writeable = False
    Preprocessing(12, 10).fit(pixels)[:] = 0
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_resampling_is_pillows(interpolation: str, channels: int) -> None:
    pixels = noise(31, 47, channels)
    fitted = Preprocessing(16, 24, "stretch", interpolation, channels).fit(pixels)
    expected = image(pixels).resize((24, 16), Image.Resampling[interpolation.upper()])
    assert np.array_equal(fitted, np.array(expected).reshape(16, 24, channels))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_rows_come_before_columns(interpolation: str) -> None:
    """Also where this Pillow, or another, would begin with the columns: the last bits depend on it."""
    filter_ = Image.Resampling[interpolation.upper()]
    for height, width in ((300, 40), (2000, 3), (90, 70), (47, 31)):
        pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
        whole = image(pixels)
        expected = whole.resize((24, 16), filter_)
        if interpolation != "nearest":
            expected = whole.resize((24, height), filter_).resize((24, 16), filter_)
        assert np.array_equal(Preprocessing(16, 24, "stretch", interpolation).fit(pixels), np.array(expected))


PLACES = [
    # what is declared, the picture's height and width, and where it goes
    ("stretch", 1.0, 20, 10, Placement((0, 0, 10, 20), 0, 0, 8, 8)),
    ("crop", 1.0, 20, 10, Placement((0, 5, 10, 15), 0, 0, 8, 8)),
    ("crop", 1.0, 10, 30, Placement((10, 0, 20, 10), 0, 0, 8, 8)),
    ("crop", 0.5, 8, 8, Placement((2, 2, 6, 6), 0, 0, 8, 8)),
    ("letterbox", 1.0, 20, 10, Placement((0, 0, 10, 20), 2, 0, 4, 8)),
    ("letterbox", 1.0, 4, 16, Placement((0, 0, 16, 4), 0, 3, 8, 2)),
    ("letterbox", 1.0, 1, 1000, Placement((0, 0, 1000, 1), 0, 3, 8, 1)),
    ("letterbox", 1.0, 2, 2, Placement((0, 0, 2, 2), 0, 0, 8, 8)),
]


@pytest.mark.parametrize(("resize", "crop", "height", "width", "expected"), PLACES)
def test_places(resize: str, crop: float, height: int, width: int, expected: Placement) -> None:
    assert Preprocessing(8, 8, resize, crop=crop).placement(height, width) == expected


def test_a_crop_is_cut_out_and_a_letterbox_has_its_background() -> None:
    pixels = noise(20, 10)
    assert np.array_equal(Preprocessing(10, 10, "crop").fit(pixels), pixels[5:15])
    boxed = Preprocessing(20, 20, "letterbox", background=(1, 2, 3)).fit(pixels)
    assert np.array_equal(boxed[:, 5:15], pixels)
    assert (boxed[:, :5] == (1, 2, 3)).all()
    assert (boxed[:, 15:] == (1, 2, 3)).all()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64), st.integers(1, 64))
def test_a_letterbox_keeps_the_shape_and_touches_two_sides(h: int, w: int, height: int, width: int) -> None:
    placed = Preprocessing(height, width, "letterbox").placement(h, w)
    assert placed.width == width or placed.height == height
    assert placed.left >= 0
    assert placed.left + placed.width <= width
    assert placed.top + placed.height <= height
    scale = min(height / h, width / w)
    assert abs(placed.width - w * scale) <= 0.5 + 1e-9 or placed.width == 1
    assert abs(placed.height - h * scale) <= 0.5 + 1e-9 or placed.height == 1


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64), st.integers(1, 64), st.floats(0.1, 1))
def test_a_crop_has_the_shape_of_the_network_and_its_middle(h: int, w: int, height: int, width: int, c: float) -> None:
    left, top, right, bottom = Preprocessing(height, width, "crop", crop=c).placement(h, w).box
    assert -1e-9 <= left < right <= w + 1e-9
    assert -1e-9 <= top < bottom <= h + 1e-9
    assert (right - left) * height == pytest.approx((bottom - top) * width)
    assert [left + right, top + bottom] == pytest.approx([w, h])
    assert max((right - left) / w, (bottom - top) / h) == pytest.approx(c)


def test_channels_are_those_of_the_network() -> None:
    grey, colour = noise(4, 4, 1), noise(4, 4)
    assert np.array_equal(Preprocessing(4, 4).fit(grey), np.repeat(grey, 3, 2))
    assert np.array_equal(Preprocessing(4, 4, channels=1).fit(colour)[:, :, 0], np.array(image(colour).convert("L")))
    assert np.array_equal(Preprocessing(4, 4, channels=1).fit(np.repeat(grey, 3, 2)), grey)


# ---- the half that goes into graphs ----

DECLARED = [
    Preprocessing(6, 5),
    Preprocessing(6, 5, order="bgr"),
    Preprocessing(6, 5, channels=1),
    Preprocessing(6, 5, mean=(0.1, 0.2, 0.7), std=(1.0, 0.004, 0.31), order="bgr"),
    Preprocessing(6, 5, channels=1, mean=(0.2861,), std=(0.353,)),
]


def test_closed_case() -> None:
    pre = Preprocessing(1, 1, order="bgr", mean=(0.0, 0.2, 0.4), std=(1.0, 0.2, 0.1))
    pixels = np.array([[[102, 51, 255]]], dtype=np.uint8)  # red 0.4, green 0.2, blue 1
    assert pre.normalised(pixels).reshape(3).tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("pre", DECLARED)
def test_the_formula_is_the_one_that_everybody_knows(pre: Preprocessing) -> None:
    pixels = noise(6, 5, pre.channels)
    known = (pixels[..., :: -1 if pre.order == "bgr" else 1] / 255.0 - pre.mean) / pre.std
    assert np.allclose(pre.normalised(pixels), known.transpose(2, 0, 1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pre", DECLARED)
def test_three_engines_give_the_same_bits(pre: Preprocessing) -> None:
    batch = np.stack([noise(6, 5, pre.channels, seed) for seed in range(3)])
    expected = pre.normalised(batch)
    assert expected.dtype == np.float32
    assert expected.shape == (3, pre.channels, 6, 5)
    assert expected.flags.c_contiguous
    assert np.array_equal(pre.normalised_tensor(torch.from_numpy(batch)).numpy(), expected)
    assert np.array_equal(run_graph(pre, batch), expected)
    assert np.array_equal(pre.apply(batch[1]), expected[1])


def run_graph(pre: Preprocessing, batch: Any) -> Any:
    """The operations that `graph` lists, as an ONNX model."""
    nodes, constants, last = [], [], "pixels"
    for number, step in enumerate(pre.graph()):
        out = f"x{number}"
        if step.values:
            shape = (len(step.values),)
            constants.append(helper.make_tensor(f"c{number}", TensorProto.FLOAT, shape, step.values))
        if step.op == "reverse":
            constants.append(helper.make_tensor(f"c{number}", TensorProto.INT64, (3,), (2, 1, 0)))
            nodes.append(helper.make_node("Gather", [last, f"c{number}"], [out], axis=3))
        elif step.op == "cast":
            nodes.append(helper.make_node("Cast", [last], [out], to=TensorProto.FLOAT))
        elif step.op == "transpose":
            nodes.append(helper.make_node("Transpose", [last], [out], perm=[0, 3, 1, 2]))
        else:
            kind = {"subtract": "Sub", "divide": "Div"}[step.op]
            nodes.append(helper.make_node(kind, [last, f"c{number}"], [out]))
        last = out
    given_ = helper.make_tensor_value_info("pixels", TensorProto.UINT8, batch.shape)
    wanted = helper.make_tensor_value_info(last, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "preprocessing", [given_], [wanted], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"pixels": batch})[0]


# ---- settings ----


@pytest.mark.parametrize("pre", DECLARED)
def test_json_and_back(pre: Preprocessing) -> None:
    written = json.loads(json.dumps(pre.to_json()))
    assert Preprocessing.from_json(written) == pre
    assert len(written["mean"]) == pre.channels


def test_what_nobody_declares_is_the_usual() -> None:
    assert Preprocessing(4, 4).mean == (0.485, 0.456, 0.406)
    assert Preprocessing(4, 4, order="bgr").std == (0.225, 0.224, 0.229)
    assert Preprocessing(4, 4, channels=1).mean == (0.5,)


HERE = {"height": 4, "width": 4}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"height": 4}, "`width` is missing"),
    ({**HERE, "std_dev": 1}, "nothing reads the setting `std_dev`"),
    ({**HERE, "hieght": 1}, "did you mean `height`?"),
    ({"height": 0, "width": 4}, "`height` must be a whole number from 1 to 16384, got 0"),
    ({"height": 4.0, "width": 4}, "`height` must be a whole number"),
    ({"height": True, "width": 4}, "`height` must be a whole number"),
    ({**HERE, "resize": "streched"}, '`resize` cannot be "streched"'),
    ({**HERE, "resize": []}, "`resize` must be `stretch`, `crop` or `letterbox`, got []"),
    ({**HERE, "interpolation": "cubic"}, 'did you mean "bicubic"?'),
    ({**HERE, "order": "rbg"}, '`order` cannot be "rbg": there is `rgb` or `bgr`'),
    ({**HERE, "order": "bgr", "channels": 1}, "`order` is that of colours, and one channel has no colours"),
    ({**HERE, "channels": 4}, "`channels` must be a whole number from 1 to 3, got 4"),
    ({**HERE, "channels": 2}, "`channels` are 3, or 1 for grey; got 2"),
    ({**HERE, "mean": [0.5]}, "`mean` must be 3 numbers, one a channel, got 1"),
    ({**HERE, "mean": [0.5] * 3, "channels": 1}, "`mean` must be 1 number, one a channel, got 3"),
    ({**HERE, "mean": [123.675, 116.28, 103.53]}, "did you mean `[0.485, 0.456, 0.406]`?"),
    ({**HERE, "mean": "imagenet"}, "`mean` must be a list of numbers"),
    ({**HERE, "mean": 5}, "`mean` must be a list of numbers"),
    ({**HERE, "mean": [0.5, 0.5, -1]}, "`mean` must be a list of numbers from 0 on, got -1"),
    ({**HERE, "std": [0.2, 0.2, 0]}, "`std` is what numbers are divided by, got [0.2, 0.2, 0]"),
    ({**HERE, "std": [0.2, 0.2, float("nan")]}, "`std` must be a list of numbers"),
    ({**HERE, "resize": "crop", "crop": 0}, "`crop` must be a number above 0, at most 1, got 0"),
    ({**HERE, "crop": 0.875}, '`crop` counts for resize = "crop" alone'),
    ({**HERE, "background": [0, 0, 256]}, "`background` must be a list of whole numbers from 0 to 255, got 256"),
    ({**HERE, "background": [0, 0]}, "`background` is red, green and blue, got 2 numbers"),
]


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_wrong_settings_are_named(values: dict[str, Any], message: str) -> None:
    assert message in unfit(values)
    assert ";" not in unfit(values).replace("grey; got", "")
    with pytest.raises(ValueError, match=re.escape(message)):
        Preprocessing.from_json(values)


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = unfit({"height": -1, "resize": "x", "mean": [9, "a"], "order": 3, "zzz": 1})
    names = [part.split("`")[1] for part in found.split("; ")]
    assert names == ["width", "height", "resize", "mean", "order", "zzz"]
    with pytest.raises(ValueError, match=r"height.*; .*width.*; .*resize"):
        Preprocessing(-1, -1, "x")
    assert [one.setting for one in odds({"crop": 0.5, "mean": [9], "std": [9, 9], "background": []})] == [
        "mean", "std", "crop", "background",
    ]  # fmt: skip
