"""Presets: settings that a published recipe has, by name. What a file says itself comes before them.

Sources: Du et al., CVPR 2020, arXiv 1912.05027, sections 4.1 and 4.3 and appendix A, where no other is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinedsl.record import Record


class Preset(Record):
    """A recipe: what it is, what of it the settings cannot say, and the settings."""

    about: str
    notes: tuple[str, ...]
    values: Mapping[str, Mapping[str, Any]]


_DETECTION: dict[str, Mapping[str, Any]] = {
    "optimizer": {"name": "sgd", "rate": 0.28, "momentum": 0.9, "weight_decay": 4e-5},
    # Of the released code (tensorflow/tpu), whose box loss is 50 times Huber's of 0.1 over four times the positives:
    # that is 50 * 0.1 / 4 of smooth L1.
    "task": {"focal_alpha": 0.25, "focal_gamma": 1.5, "smooth_l1_beta": 0.1, "boxes_weight": 1.25},
}


def _protocol(epochs: int, scale: tuple[float, float]) -> Mapping[str, Mapping[str, Any]]:
    """The paper's detection recipe: a tenth and a hundredth of the rate in the last 30 and 10 epochs."""
    schedule = {"kind": "step", "warm_up": 5, "milestones": [epochs - 30, epochs - 10], "factor": 0.1}
    data = {"augment": {"flip": True, "scale": {"factor": list(scale)}}}
    return {**_DETECTION, "schedule": schedule, "run": {"epochs": epochs, "batch": 256}, "data": data}


_CLASSIFICATION: dict[str, Mapping[str, Any]] = {
    # The rate is that of the official yaml (tensorflow/tpu), for a batch of 4096.
    "optimizer": {"name": "sgd", "rate": 1.6, "momentum": 0.9, "weight_decay": 1e-4},
    "schedule": {"kind": "cosine", "warm_up": 5},
    "run": {"epochs": 200, "batch": 4096},
}

PRESETS: Mapping[str, Preset] = {
    "paper-A": Preset(
        "detection, protocol A: 250 epochs, ReLU",
        ("DropBlock, whose settings the paper does not give",),
        _protocol(250, (0.8, 1.2)),
    ),
    "paper-B": Preset("detection, protocol B: 350 epochs, ReLU", (), _protocol(350, (0.5, 2.0))),
    "paper-C": Preset(
        "detection, protocol C: 500 epochs, swish, stochastic depth",
        (
            "for SpineNet-143 and 190 images are scaled by 0.1 to 2.0",
            "swish and stochastic depth (keep 0.8) are the network's",
        ),
        _protocol(500, (0.5, 2.0)),
    ),
    "paper-classification": Preset(
        "classification: 200 epochs, batch 4096, cosine", ("images of 224x224",), _CLASSIFICATION
    ),
    "paper-classification-dagger": Preset(
        "the same with label smoothing, for networks with swish and stochastic depth",
        ("swish and stochastic depth are the network's",),
        {**_CLASSIFICATION, "task": {"smoothing": 0.1}},
    ),
    "small": Preset(
        "a few thousand images on a CPU: AdamW, cosine, a moving average",
        (),
        {
            "optimizer": {"name": "adamw", "rate": 2e-3, "weight_decay": 0.05, "clip": 5.0},
            "schedule": {"kind": "cosine", "warm_up": 1},
            "run": {"epochs": 20, "batch": 64, "average": 0.998},
        },
    ),
    "small-detector": Preset(
        "the same for boxes, of some hundred images or more: fewer at a time, for longer, flipped and scaled",
        (),
        {
            "optimizer": {"name": "adamw", "rate": 2e-3, "weight_decay": 0.05, "clip": 5.0},
            "schedule": {"kind": "cosine", "warm_up": 1},
            "run": {"epochs": 60, "batch": 16, "average": 0.998, "validate_every": 5},
            "data": {"augment": {"flip": True, "scale": {"factor": [0.5, 2.0]}}},
        },
    ),
}
