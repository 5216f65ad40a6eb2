"""Validation: what a network makes of the images that it is not trained on, as figures and as a sheet of pictures.

In: a module in whatever state it is to be looked at, and batches of images. Out: figures by name and, of the process
that leads, what is drawn of the first images.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from spinedsl.data.loader import Batch
from spinedsl.data.pictures import Pixels
from spinedsl.record import Record
from spinedsl.tasks import Shown
from spinedsl.tasks.pairs import listed
from spinedsl.training.devices import Place
from spinedsl.training.distributed import Group
from spinedsl.training.learner import images_of
from spinedsl.training.setup import Setup
from spinedsl.training.truth import TRUTHS


class Validated(Record, eq=False):
    """Figures, and the first images with what is drawn of them."""

    figures: dict[str, float]
    pictures: Pixels | None = None
    shown: tuple[Shown, ...] = ()


def validated(setup: Setup, group: Group, place: Place, module: nn.Module, batches: Iterable[Batch]) -> Validated:
    """Look at images, each process at its share of them; figures are those of all."""
    task, reading, values = setup.task, setup.network.reading, setup.config.task
    size = (setup.preprocessing.height, setup.preprocessing.width)
    wanted = setup.config.run["pictures"] if group.leads else 0
    found: list[Any] = []
    there: list[Any] = []
    pictures: list[Pixels] = []
    module.eval()
    with torch.no_grad():
        for batch in batches:
            images = images_of(batch, setup.preprocessing, place)
            with place.autocast():
                outputs = module(images)
            pieces = task.apart(task.decode(reading, outputs, size, values), TRUTHS[task.truth](batch, place.device))
            found += pieces[0]
            there += pieces[1]
            if sum(map(len, pictures)) < wanted:
                pictures.append(batch.pictures)
    everything = group.gathered((found, there))
    all_found, all_there = ([one for each in everything for one in each[at]] for at in (0, 1))
    pairs = getattr(setup.validation, "pairs", ())
    figures = task.metrics(all_found, all_there, listed(pairs) if pairs else None)
    if not pictures:
        return Validated(figures)
    pixels = np.concatenate(pictures)[:wanted]
    return Validated(figures, pixels, tuple(task.shown(found, there, len(pixels), tuple(setup.train.classes))))
