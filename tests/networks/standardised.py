"""Narrow networks of timm whose kernels are standardised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn


def bit_resnet50(timm: Any) -> nn.Module:
    """A ResNet-50 of BiT. What a block reads is normalised first, and its projection follows."""
    layers = timm.layers
    found: nn.Module = timm.models.resnetv2.ResNetV2(
        layers=[3, 4, 6, 3],
        channels=(64, 128, 256, 512),
        stem_chs=16,
        stem_type="fixed",
        norm_layer=partial(layers.GroupNormAct, num_groups=8),
        conv_layer=partial(layers.StdConv2d, eps=1e-8),
    )
    for block in found.modules():
        if isinstance(block, timm.models.resnetv2.PreActBottleneck):
            for name, module in [*block.named_children()]:
                if name != "norm1":
                    delattr(block, name)
                    setattr(block, name, module)
    return found


def normfree(timm: Any, name: str, **narrow: Any) -> nn.Module:
    """A network of NormFreeNet's, by its name there, with fewer channels."""
    nfnet = timm.models.nfnet
    found: nn.Module = nfnet.NormFreeNet(replace(nfnet.model_cfgs[name], **narrow))
    return found


def makers(timm: Any) -> dict[str, Callable[[], nn.Module]]:
    """Each network by its file's name."""
    f0 = {"channels": (32, 64, 192, 192), "stem_chs": 16, "group_size": 16, "num_features": 384}
    resnet = {"channels": (64, 128, 256, 512), "stem_chs": 16}
    return {
        "bit_resnet50": lambda: bit_resnet50(timm),
        "nfnet_f0": lambda: normfree(timm, "dm_nfnet_f0", **f0),
        "nf_resnet26": lambda: normfree(timm, "nf_resnet26", **resnet),
    }
