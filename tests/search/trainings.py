"""A space of small classifiers, images for them, and a configuration that trains one in a moment."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.search.spaces import NET
from tests.training.running import Squares

SPACE = (
    NET.replace("import std.blocks\n", "import std.blocks\nimport std.heads\n")
    .replace("network Net {", "network Net(classes = 3) {")
    .replace("3 x 64 x 64", "3 x 16 x 16")
    .replace("widths { level 2..5: 16 }", "widths { level 2..5: 8 }")
    .replace(
        "    output P4: b4\n", "    output P4: b4\n    head logits: pooled_classifier(classes = classes) from P4\n"
    )
    + """
space Small of Net {
    permute b2..b3
    parents b2..b3: 2 of all
    types b2..b4: residual, bottleneck
    orphans absorb else drop
}
"""
)
CONFIG = """\
[data]
train = "images/train"
validation = "images/val"

[optimizer]
rate = 0.05

[run]
steps = 6
batch = 6
validate_every = 2
recalibrate = 2
device = "cpu"
threads = 1
workers = 0
"""


def laid_out(folder: Path, config: str = CONFIG) -> Path:
    """The space, the images and the configuration in a folder; the path of the space."""
    for split, seed in (("train", 0), ("val", 1)):
        images = Squares(12, seed)
        for index in range(len(images)):
            pixels, label = images.read(index)
            path = folder / "images" / split / images.classes[label] / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    (folder / "train.toml").write_text(config)
    (folder / "space.spine").write_text(SPACE)
    return folder / "space.spine"
