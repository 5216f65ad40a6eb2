"""Names of other frameworks lead to what is meant here."""

from __future__ import annotations

import re

import pytest

import spinedsl
from spinedsl.ir.library import language_callable
from spinedsl.ir.resolve import foreign
from spinedsl.prelude import home_of
from spinedsl.source import Source


@pytest.mark.parametrize("word", sorted({*foreign.RENAMED.values()}))
def test_there_is_what_is_meant(word: str) -> None:
    assert language_callable(word) is not None or home_of(word) is not None


@pytest.mark.parametrize("word", sorted({*foreign.RENAMED, *foreign.WRITTEN}))
def test_no_name_of_the_language_is_foreign(word: str) -> None:
    assert language_callable(word) is None
    assert home_of(word) is None


def test_no_name_is_told_in_two_ways() -> None:
    assert not {*foreign.RENAMED} & {*foreign.WRITTEN}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Conv2d", "conv"), ("ConvTranspose2d", "conv_transpose"), ("BatchNorm2d", "batch_norm"), ("ReLU", "relu"),
        ("ReLU6", "relu6"), ("LeakyReLU", "leaky_relu"), ("PReLU", "prelu"), ("SiLU", "silu"), ("GELU", "gelu"),
        ("ELU", "elu"), ("Hardswish", "hard_swish"), ("Sigmoid", "sigmoid"), ("MaxPool2d", "max_pool"),
        ("AvgPool2d", "average_pool"), ("AdaptiveAvgPool2d", "adaptive_average_pool"), ("Linear", "linear"),
        ("avg_pool2d", "average_pool"), ("adaptive_avg_pool2d", "adaptive_average_pool"), ("Upsample", "upsample"),
        ("PixelShuffle", "pixel_shuffle"), ("GroupNorm", "group_norm"), ("InstanceNorm2d", "instance_norm"),
        ("Dropout2d", "dropout"), ("Flatten", "flatten"), ("cat", "concat"), ("bn", "batch_norm"), ("Mish", "mish"),
    ],
)  # fmt: skip
def test_names_of_pytorch(name: str, meant: str) -> None:
    assert foreign.here(name) == meant


@pytest.mark.parametrize("name", ["conv", "relo", "residual", "mine", "log", "_", "A", ""])
def test_other_names_are_none_of_it(name: str) -> None:
    assert foreign.here(name) is None


def spelled() -> list[str]:
    """Every expression that `WRITTEN` proposes."""
    return sorted({one for words in foreign.WRITTEN.values() for one in re.findall(r"`(\w+\(.*?\))`", words)})


@pytest.mark.parametrize("expression", spelled())
def test_what_is_proposed_can_be_written(expression: str) -> None:
    text = f"""spine 1
import std.stems
def tried(x, y, groups, n) {{ return {expression} }}
block_type t(x, channels, groups = 2, n = 4) -> channels {{
    return conv(resize(tried(x, x, groups, n), like = x, mode = bilinear), channels, kernel = 1)
}}
network Net {{
    input image: 3 x 64 x 64
    stem s: resnet_stem channels 96
    block b: t level 2 after s channels 8
    output P: b
    defaults {{ act relu, norm batch_norm }}
}}
"""
    found = spinedsl.check(Source.from_text(text)).diagnostics
    assert [one.code.id for one in found if one.code.id != "W0706"] == []
