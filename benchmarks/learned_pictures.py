"""The pictures of docs/training.md: curves of validation, and sheets of test images with what was predicted.

In: finished runs of `benchmarks.learned`. Out: `curves.svg`, `clothes.png` and `styles.png` in a folder.
"""

from __future__ import annotations

import csv
from io import BytesIO
from pathlib import Path

import numpy as np
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from PIL import Image

from benchmarks.learned import Case
from benchmarks.learned_figures import images, opened, outputs
from spinedsl.tasks import Shown
from spinedsl.training.pictures import sheet

WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 640, 300, 48, 40, 12  # of the curves, in pixels
LOW, HIGH, EACH = 86.0, 94.0, 2  # per cent
SHOWN = 16  # images of a sheet
COLOURS = {"permuted": "#0b6e99", "residual": "#c2571a"}


def draw(root: Path, folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "curves.svg").write_text(curves(root), encoding="utf-8")
    (folder / "clothes.png").write_bytes(small(clothes(root)))
    (folder / "styles.png").write_bytes(small(styles(root)))


def curves(root: Path) -> str:
    """Top-1 of the validation images of Fashion-MNIST over CPU minutes, for the first seed of both networks."""
    cases = [Case("fashion_mnist", network, 0) for network in COLOURS]
    lines = {case: _points(root, case) for case in cases}
    longest = max(x for points in lines.values() for x, _ in points)

    def at(x: float, y: float) -> str:
        right, up = x / longest, (min(max(y, LOW), HIGH) - LOW) / (HIGH - LOW)
        return f"{LEFT + right * (WIDTH - LEFT - 90):.1f},{ABOVE + (1 - up) * (HEIGHT - BELOW - ABOVE):.1f}"

    letters = 'font-family="sans-serif" font-size="12" fill="#555"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" {letters}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for percent in np.arange(LOW, HIGH + EACH, EACH):
        (x, y), end = at(0, percent).split(","), at(longest, percent)
        parts.append(f'<polyline points="{x},{y} {end}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{percent:g}%</text>')
    for minutes in range(0, int(longest) + 1, 5):
        x = at(minutes, LOW).split(",")[0]
        parts.append(f'<text x="{x}" y="{HEIGHT - BELOW + 18}" text-anchor="middle">{minutes}</text>')
    middle = LEFT + (WIDTH - LEFT - 90) / 2
    words = "CPU minutes; top-1 of the validation images, Fashion-MNIST"
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{words}</text>')
    for case, points in lines.items():
        colour = COLOURS[case.network]
        drawn = " ".join(at(x, y) for x, y in points)
        x, y = drawn.rpartition(" ")[2].split(",")
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{float(x) + 6:.1f}" y="{float(y) + 4:.1f}" fill="{colour}">{case.network}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _points(root: Path, case: Case) -> list[tuple[float, float]]:
    """CPU minutes and per cent of each validation."""
    about = case.kept(root)
    with (case.folder(root) / "validation.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    each = about["cpu_seconds"] / about["steps"] / 60
    return [(int(row["step"]) * each, 100 * float(row["top_1"])) for row in rows]


def clothes(root: Path) -> bytes:
    """The first test images, with what they were taken for."""
    case = Case("fashion_mnist", "permuted", 0)
    names = opened(case.folder(root) / "best.safetensors").classes
    found = outputs(root, case)
    guessed = found.values.argmax(1)[:SHOWN]
    right = (guessed == found.labels[:SHOWN]).tolist()
    shown = [Shown(names[int(one)], fine) for one, fine in zip(guessed, right, strict=True)]
    dataset = images(root, "fashion_mnist", classes=names)
    pixels = np.stack([dataset.read(number)[0] for number in range(SHOWN)])
    return sheet(pixels, shown)[0]


def styles(root: Path) -> bytes:
    """Test things in one style, and below each the nearest of all test things in the other one."""
    vectors = F.normalize(outputs(root, Case("drawing_styles", "permuted", 0)).values)
    dataset = images(root, "drawing_styles")
    first, second = vectors[0::2], vectors[1::2]  # two files for each thing, noto_1 and twemoji_2
    columns = SHOWN // 2
    probes = list(range(0, len(first), len(first) // columns))[:columns]
    cosines, nearest = (first[probes] @ second.T).max(1)
    pixels = [dataset.read(2 * number)[0] for number in probes]
    pixels += [dataset.read(2 * int(number) + 1)[0] for number in nearest]
    words = [dataset.classes[number] for number in probes]
    words += [f"{float(cosine):.2f} {dataset.classes[int(one)]}" for cosine, one in zip(cosines, nearest, strict=True)]
    right = [True] * columns + [int(one) == number for one, number in zip(nearest, probes, strict=True)]
    return sheet(np.stack(pixels), [Shown(*one) for one in zip(words, right, strict=True)])[0]


def small(png: bytes) -> bytes:
    """The same picture in few colours, as a smaller file."""
    held = BytesIO()
    Image.open(BytesIO(png)).quantize(64).save(held, "PNG", optimize=True)
    return held.getvalue()
