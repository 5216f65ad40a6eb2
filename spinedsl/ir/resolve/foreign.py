"""What PyTorch, Keras and papers call an operation, for the message that says what it is called here.

In: a name that nothing defines. Out: the name that is meant, in this language or in a module of the prelude, or words
that say how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from spinedsl.ir.library import language_callable
from spinedsl.prelude import home_of

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # between the words of `MaxPool`
_AXES = re.compile(r"_?[123]d$")

RENAMED: Mapping[str, str] = {
    "adaptive_avg_pool": "adaptive_average_pool", "avg_pool": "average_pool", "bn": "batch_norm", "cat": "concat",
    "concatenate": "concat", "conv_bn": "conv", "deconv": "conv_transpose", "dense": "linear",
    "depth_to_space": "pixel_shuffle", "drop_path": "stochastic_depth", "fc": "linear", "gap": "global_average_pool",
    "global_avg_pool": "global_average_pool", "gmp": "global_max_pool", "gn": "group_norm",
    "hardsigmoid": "hard_sigmoid", "hardswish": "hard_swish", "hardtanh": "hard_tanh", "leaky_re_lu": "leaky_relu",
    "ln": "layer_norm", "lrelu": "leaky_relu", "normalize": "l2_normalise", "p_re_lu": "prelu", "pow": "power",
    "re_lu": "relu", "re_lu6": "relu6", "se": "squeeze_excite", "space_to_depth": "pixel_unshuffle",
    "si_lu": "silu", "view": "reshape",
}  # fmt: skip
WRITTEN: Mapping[str, str] = {  # where one name does not do
    "abs": "the absolute value is `max(x, -x)`",
    "amax": "over the channels it is `channel_max(x)`, over the positions `global_max_pool(x)`",
    "channel_shuffle": "it is `reshape(transpose(reshape(x, groups, x.channels / groups)), x.channels)`",
    "chunk": "take each part by `slice`, as in `slice(x, n)` and `slice(x, n, start = n)`",
    "clamp": "bounds are `min(max(x, 0), 6)`",
    "clip": "bounds are `min(max(x, 0), 6)`",
    "depthwise_conv": "a depthwise convolution is `conv(x, x.channels, kernel = 3, groups = x.channels)`",
    "interpolate": "`upsample(x, 1)` doubles the size; `resize(x, like = y)` gives it the size of another map",
    "mean": "over the channels it is `channel_mean(x)`, over the positions `global_average_pool(x)`",
    "permute": "channels that are laid out change places by `transpose`; maps keep their order",
    "reflection_pad": "each side by its name, as in `pad(x, left = 1, right = 1, mode = reflect)`",
    "replication_pad": "each side by its name, as in `pad(x, left = 1, right = 1, mode = edge)`",
    "scaled_std_conv": "a scaled kernel is `conv(x, n, kernel = 3, weight = scaled)`",
    "sequential": "write one call around the other, or a `let` for each",
    "split": "take each part by `slice`: `slice(x, 64)` and `slice(x, x.channels - 64, start = 64)`",
    "std_conv": "a standardised kernel is `conv(x, n, kernel = 3, weight = standardised)`",
    "stack": "`concat` puts maps side by side, along the channels",
    "ws_conv": "a standardised kernel is `conv(x, n, kernel = 3, weight = standardised)`, or `weight = scaled`",
}  # fmt: skip

CHOICES: Mapping[str, str] = {"mirror": "reflect", "replicate": "edge", "standardized": "standardised"}  # of attributes


def here(name: str) -> str | None:
    """What is meant by a name from elsewhere: `Conv2d` is `conv`, `LeakyReLU` is `leaky_relu`, `bn` is `batch_norm`."""
    word = _plain(name)
    meant = RENAMED.get(word, word)
    if meant == name or (language_callable(meant) is None and home_of(meant) is None):
        return None
    return meant


def written(name: str) -> str | None:
    """How that is written which no operation of this language is: `mean(x)`, `split(x, 64)`."""
    return WRITTEN.get(_plain(name))


def _plain(name: str) -> str:
    """`AdaptiveAvgPool2d` as `adaptive_avg_pool`."""
    return _AXES.sub("", _WORDS.sub("_", name).lower())
