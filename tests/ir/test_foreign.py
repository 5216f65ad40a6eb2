"""Names of other frameworks lead to what is meant here."""

from __future__ import annotations

import pytest

from spinedsl.ir.library import language_callable
from spinedsl.ir.resolve import foreign
from spinedsl.prelude import home_of


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
