"""The data sets of [data]: opened and looked at, with all that is wrong with them.

In: a configuration. Out: data sets for training and, where there is one, for validation, or diagnostics.
"""

from __future__ import annotations

from spinedsl.data.check import check
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.section import Sets, open_sets
from spinedsl.data.seen import Hear
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.training.config import Config


def opened(config: Config) -> Outcome[Sets]:
    """The data sets of [data]; no image is looked at."""
    return open_sets(config.data)


def looked_at(
    config: Config, sets: Sets, outputs: int | None, hear: Hear | None = None,
    preprocessing: Preprocessing | None = None,
) -> list[Diagnostic]:  # fmt: skip
    """Every mistake in the images.

    `outputs` are those of a network that has a number for each class; by `preprocessing` boxes get into its image.
    """
    place = config.document.key(("network", "arguments"))
    batch, workers = config.run["batch"], config.run["workers"]
    found = check(
        sets.train, sets.validation, outputs=outputs, batch=batch, workers=workers, place=place, hear=hear,
        preprocessing=preprocessing,
    )  # fmt: skip
    return list(found)
