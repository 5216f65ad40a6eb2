"""Pictures and labels: read, checked, changed at random, and put together as batches.

In: files as people have them. Out: a `Dataset` of `uint8` pixels and labels, every mistake in it, and the batches of
each step of a run, which follow from the step alone.

    opened = spinedsl.data.open_dataset("flowers/train")      # a Dataset, and the mistakes in its list
    print(spinedsl.data.check(opened.value))                  # every picture decoded, every mistake
    pixels, label = opened.value.read(0)                      # uint8, height x width x 3
    numbers = spinedsl.data.Preprocessing(224, 224).apply(pixels)
"""

from spinedsl.extras import require

require("numpy", "PIL")

from spinedsl.data.augment import Augmentation, augmentation
from spinedsl.data.boxes import BoxSet, open_boxes
from spinedsl.data.boxes.placed import Placed
from spinedsl.data.check import check
from spinedsl.data.dataset import Dataset, Pair, Sample
from spinedsl.data.digest import Fingerprint, difference, fingerprint
from spinedsl.data.draws import Draws, Purpose
from spinedsl.data.loader import Batch, Loader, Recipe
from spinedsl.data.pictures import BadPicture, read_pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sampler import Plan, in_order, order
from spinedsl.data.section import Section, Sets, open_sets, read_section
from spinedsl.data.sources import Options, open_data, open_dataset
from spinedsl.data.workers import WorkerDied, usual_workers

__all__ = [
    "Augmentation",
    "BadPicture",
    "Batch",
    "BoxSet",
    "Dataset",
    "Draws",
    "Fingerprint",
    "Loader",
    "Options",
    "Pair",
    "Placed",
    "Plan",
    "Preprocessing",
    "Purpose",
    "Recipe",
    "Sample",
    "Section",
    "Sets",
    "WorkerDied",
    "augmentation",
    "check",
    "difference",
    "fingerprint",
    "in_order",
    "open_boxes",
    "open_data",
    "open_dataset",
    "open_sets",
    "order",
    "read_pixels",
    "read_section",
    "usual_workers",
]
