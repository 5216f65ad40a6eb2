"""The card of exported models, in Markdown: what they are, what they were made of and from, and how to run them.

In: the facts of an export. Out: the card and, beside it, a figure of the network. All that a reader needs to use a
model stands in it: lines of Python for each format that run with the format's runtime, NumPy and Pillow alone.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from spinedsl import __version__, analysis
from spinedsl.data.align import SIDE, TEMPLATE
from spinedsl.data.dataset import of_classes
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.diagnostics.plain import one_line
from spinedsl.draw import lay_out, to_svg
from spinedsl.inference.formats import FORMATS, Model, Wanted
from spinedsl.inference.parity import Parity, rows
from spinedsl.ops.graph import flatten
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.tasks import BOXES, TASKS
from spinedsl.toml import read_toml

MARK = "<!-- spinedsl: model card; `spine export` replaces it -->"
CLASSES = 20  # names of classes that a card lists


class Facts(Record, eq=False):
    """What a card is made of."""

    model: Model
    wanted: Mapping[str, Wanted]  # by format
    files: Mapping[str, bytes]
    models: Mapping[str, tuple[str, ...]]
    parity: tuple[Parity, ...]
    real: bool  # some of the pictures that were compared are real ones
    latency: Mapping[str, float]
    licence: str | None
    evaluation: Mapping[str, Any] | None = None  # an eval.json of this network


def card(facts: Facts) -> dict[str, bytes]:
    """The figure and the card, by name."""
    model = facts.model
    figure = to_svg(lay_out(model.program), "auto").encode()
    parts = (
        _head(facts), _use(facts), _preprocessing(facts),
        *([_limits(facts)] if model.trained.task.truth == BOXES else []),
        _data(facts), _metrics(facts), _agreement(facts), _cost(facts), _files(facts), _versions(facts),
    )  # fmt: skip
    text = "\n\n".join("\n".join(part) for part in parts) + "\n"
    return {f"{model.stem}.svg": figure, f"{model.stem}.md": text.encode("utf-8", "replace")}


def _head(facts: Facts) -> Iterator[str]:
    trained, stem = facts.model.trained, facts.model.stem
    task = TASKS[trained.task.kind]
    yield MARK
    yield f"# {_word(stem)}"
    yield ""
    yield f"{task.kind.capitalize()}: {task.about}. Trained to step {trained.about['step']} by spinedsl."
    yield ""
    figure = f"{quote(stem, errors='surrogateescape')}.svg"
    yield f"![The network {trained.program.name}: blocks in order, place by level]({figure})"
    yield ""
    yield from _table(
        ("", ""),
        ("network", f"`{trained.program.name}`, output `{trained.output}`"),
        ("digest", f"`{facts.model.digest}` (SHA-256 of network, weights, output and preprocessing)"),
        ("licence", _word(facts.licence) if facts.licence else "not stated"),
    )
    if trained.task.by_class:
        names = [_word(name) for name in trained.classes]
        more = f" and {len(names) - CLASSES:,} more" if len(names) > CLASSES else ""
        yield ""
        yield f"{of_classes(len(names))}, in the order of the output: {', '.join(names[:CLASSES])}{more}."


# ---- how to run it ----


def _use(facts: Facts) -> Iterator[str]:
    pre = facts.model.trained.preprocessing
    yield "## How to run it"
    yield ""
    colours = "`uint8` pixels, N x height x width x channels, in the order red, green, blue"
    yield f"In: {colours}; or grey with one channel."
    for name, names in facts.models.items():
        asked = facts.wanted[name]
        yield ""
        size = "of any size" if asked.inside else f"of {pre.height}x{pre.width} pixels, {pre.channels} channels"
        batch = f", {asked.batch} at once" if asked.batch else ""
        words = facts.model.deployed(asked).words
        yield f"{FORMATS[name].title}, images {size}{batch}. Out: {words}."
        yield ""
        yield "```python"
        yield from snippet(facts, name, names[0])
        yield "```"
    yield ""
    if facts.model.trained.about.get("aligned"):
        points = ", ".join(f"({x:g}, {y:g})" for x, y in zip(TEMPLATE[::2], TEMPLATE[1::2], strict=True))
        yield f"It was trained on aligned faces of {SIDE}x{SIDE} pixels: turn, scale and move each picture so that left"
        yield f"eye, right eye, nose and the corners of the mouth come as near as they can to {points}."
        yield ""
    yield "That is for pictures of 8 bits a channel. What is transparent lies on the background that training had."


def snippet(facts: Facts, name: str, file: str) -> list[str]:
    """Lines of Python that run a model on `picture.png`."""
    model, asked = facts.model, facts.wanted[name]
    trained, pre = model.trained, model.trained.preprocessing
    images, *results = model.deployed(asked).names
    array = "np.array(image)[None]" if asked.inside or pre.channels == 3 else "np.array(image)[None, ..., None]"
    array = f"np.repeat({array}, {asked.batch}, 0)" if asked.batch and asked.batch > 1 else array
    unpacked = ", ".join(results) if len(results) > 1 else f"({results[0]},)"
    named = json.dumps(file, ensure_ascii=False)
    imports, usage = (
        text.format(file=named, images=images, array=array, result=results[0], results=unpacked)
        for text in (FORMATS[name].imports, FORMATS[name].usage)
    )
    classes = trained.task.by_class and name == "onnx"
    lines = [
        f"import {'json, ' if classes else ''}numpy as np, {imports}",
        "from PIL import Image, ImageOps",
        'image = ImageOps.exif_transpose(Image.open("picture.png")).convert("RGBA")',
        f'image = Image.alpha_composite(Image.new("RGBA", image.size, {(*pre.background, 255)}), image).convert("RGB")',
        *([] if asked.inside else resizing(pre)),
        *usage.split("\n"),
    ]
    about = 'session.get_modelmeta().custom_metadata_map["spinedsl.trained"]'
    if classes:
        lines.append(f'classes = json.loads({about})["classes"]')
    if trained.task.truth == BOXES:
        return [*lines, *_boxes(results, pre, asked, classes=classes)]
    return [*lines, *_first(results[0], by_class=trained.task.by_class, classes=classes)]


def _first(result: str, *, by_class: bool, classes: bool) -> list[str]:
    """Lines that print what comes of the first image: a class, by its name if there are `classes`, or a vector."""
    if not by_class:
        return [f"print({result}[0])"]
    if classes:
        return [f"print(classes[{result}[0].argmax()], {result}[0].max())"]
    return [f"print({result}[0].argmax(), {result}[0].max())  # the number of the class, from 0"]


def _boxes(results: Sequence[str], pre: Preprocessing, asked: Wanted, *, classes: bool) -> list[str]:
    """Lines that print the boxes of the first image, in pixels of the picture."""
    boxes, scores, labels, count = results
    called = "classes[label]" if classes else "label"
    shown = f"print({called}, score, *box)  # left, top, right, bottom in pixels of the picture"
    return [
        *([] if asked.inside else returning(pre, boxes)),
        f"for box, score, label in zip({boxes}[0, : {count}[0]], {scores}[0], {labels}[0]):",
        f"    {shown}" if asked.inside else f"    if (box[:2] < box[2:]).all(): {shown}",
    ]


def returning(pre: Preprocessing, boxes: str) -> list[str]:
    """Lines of Python that turn boxes in pixels of the network's image into those of the picture, of `w` x `h`."""
    first, last = "np.array([0, 0, 0, 0])", "np.array([w, h, w, h])"
    scale = f"np.array([{pre.width} / w, {pre.height} / h] * 2)"
    shift = "0"
    if pre.resize == "crop":
        first, last = "np.array([left, top] * 2)", "np.array([left + kept_w, top + kept_h] * 2)"
        scale = f"np.array([{pre.width} / kept_w, {pre.height} / kept_h] * 2)"
        shift = f"{first} * -{scale}"
    elif pre.resize == "letterbox":
        scale = "np.array([new_w / w, new_h / h] * 2)"
        shift = f"np.array([({pre.width} - new_w) // 2, ({pre.height} - new_h) // 2] * 2)"
    return [f"{boxes} = (({boxes} - {shift}) / {scale}).clip({first}, {last})"]


def resizing(pre: Preprocessing) -> list[str]:
    """Lines of Python that make of the RGB image `image` one of the network's size, as `Preprocessing.fit` does."""
    width, height = pre.width, pre.height
    how = f"Image.Resampling.{pre.interpolation.upper()}"
    lines = ['image = image.convert("L")'] if pre.channels == 1 else []
    lines.append("w, h = image.size")
    box, size, after = ("0", "0", "w", "h"), (str(width), str(height)), []
    if pre.resize == "crop":
        lines.append(
            f"kept_w, kept_h = {pre.crop} * min(w, h * {width} / {height}), {pre.crop} * min(h, w * {height} / {width})"
        )
        lines.append("left, top = (w - kept_w) / 2, (h - kept_h) / 2")
        box = ("left", "top", "left + kept_w", "top + kept_h")
    elif pre.resize == "letterbox":
        lines.append(f"wide = {width} * h <= {height} * w")
        lines.append(f"new_w = {width} if wide else max(1, (2 * w * {height} + h) // (2 * h))")
        lines.append(f"new_h = max(1, (2 * h * {width} + w) // (2 * w)) if wide else {height}")
        size = ("new_w", "new_h")
        after = [
            f'whole = Image.new("RGB", ({width}, {height}), {pre.background})'
            + ('.convert("L")' if pre.channels == 1 else ""),
            f"whole.paste(image, (({width} - new_w) // 2, ({height} - new_h) // 2))",
            "image = whole",
        ]
    if pre.interpolation == "nearest":
        return [*lines, f"image = image.resize(({', '.join(size)}), {how}, ({', '.join(box)}))", *after]
    left, top, right, bottom = box
    lines.append(f"image = image.resize(({size[0]}, h), {how}, ({left}, 0, {right}, h))  # rows, then columns")
    lines.append(f"image = image.resize(({', '.join(size)}), {how}, (0, {top}, {size[0]}, {bottom}))")
    return [*lines, *after]


# ---- what it was made with ----


def _preprocessing(facts: Facts) -> Iterator[str]:
    pre = facts.model.trained.preprocessing
    crop = f", {pre.crop:g} of each side" if pre.resize == "crop" and pre.crop != 1 else ""
    inside = [FORMATS[name].title for name, asked in facts.wanted.items() if asked.inside]
    outside = [FORMATS[name].title for name, asked in facts.wanted.items() if not asked.inside]
    yield "## Preprocessing"
    yield ""
    yield from _table(
        ("", ""),
        ("size", f"{pre.height} x {pre.width} pixels (height x width), {pre.channels} channels, order {pre.order}"),
        ("resizing", f"{pre.resize}{crop}, {pre.interpolation}, as Pillow does it: along rows, then along columns"),
        ("mean", ", ".join(f"{number:g}" for number in pre.mean)),
        ("standard deviation", ", ".join(f"{number:g}" for number in pre.std)),
        ("background", ", ".join(map(str, pre.background))),
    )
    yield ""
    if inside:
        yield f"{' and '.join(inside)}: all of it is in the model, which resizes to the same bits as Pillow."
    if outside:
        yield f"{', '.join(outside)}: mean and standard deviation are in the model; the lines above resize."


def _limits(facts: Facts) -> Iterator[str]:
    """What a detector keeps of what it finds."""
    limits = facts.model.limits(next(iter(facts.wanted.values())))
    yield "## Thresholds"
    yield ""
    yield from _table(
        ("", ""),
        ("score that a box is above", f"{limits.score:g}"),
        ("overlap (IoU) above which the lower one of two boxes of a class goes", f"{limits.overlap:g}"),
        ("candidates of each level", f"{limits.top:,}"),
        ("boxes of an image at most, to which the outputs are filled up", f"{limits.most:,}"),
    )


def _data(facts: Facts) -> Iterator[str]:
    about = facts.model.trained.about
    document = read_toml(Source("", about["config"])).value
    named: Any = document.values.get("data", {}) if document is not None else {}
    data: Any = about["data"]
    yield "## Data"
    yield ""
    entries = [("training", f"{_path(str(named.get('train', '-')))}: {data['pictures']:,} pictures")]
    if named.get("validation"):
        entries.append(("validation", _path(str(named["validation"]))))
    entries.append(("classes" if facts.model.trained.task.by_class else "identities", f"{len(data['classes']):,}"))
    entries.append(("digest of the training data", f"`{_word(str(data['digest'])) or '-'}`"))
    yield from _table(("", ""), *entries)


def _metrics(facts: Facts) -> Iterator[str]:
    yield "## Metrics"
    yield ""
    if facts.evaluation is not None:
        yield from _evaluated(facts.evaluation)
        return
    figures: Mapping[str, Any] = facts.model.trained.about["figures"]
    if not figures:
        yield "None: the training had no validation data."
        return
    yield "Of the last validation during training, without intervals, which `spine eval` computes:"
    yield ""
    yield from _table(("figure", "value"), *((name, f"{value:.4f}") for name, value in figures.items()))


def _evaluated(found: Mapping[str, Any]) -> Iterator[str]:
    data = _path(str(found["data"]))
    yield f"On {found['images']:,} images of {data}; intervals of {found['level']:.0%} by bootstrap:"
    yield ""
    entries = []
    for name, one in found["figures"].items():
        numbers = ["-" if one[key] is None else f"{one[key]:.4f}" for key in ("value", "low", "high")]
        entries.append((_word(name), numbers[0], f"{numbers[1]} to {numbers[2]}"))
    yield from _table(("figure", "value", "interval"), *entries)
    if isinstance(found.get("threshold"), Mapping) and found["threshold"].get("value") is not None:
        yield ""
        yield f"Two images are taken for one identity from a cosine of {found['threshold']['value']:.4f} on."


def _agreement(facts: Facts) -> Iterator[str]:
    table = rows(facts.parity, facts.model.trained.task.kind)
    yield "## Agreement with PyTorch"
    yield ""
    yield "What the models give beside what PyTorch gives for the checkpoint, on the same pictures:"
    yield ""
    yield from _table(*(tuple(map(_word, row)) for row in table))
    if facts.model.trained.task.truth == BOXES and not any(one.boxes for one in facts.parity):
        yield ""
        yield "No box was found in them, by any score."
    if not facts.real:
        yield ""
        yield "No real picture was at hand."


def _cost(facts: Facts) -> Iterator[str]:
    program = facts.model.program
    total = analysis.costs(flatten(program))
    shape = program.input_type
    yield "## Cost"
    yield ""
    entries = [
        ("parameters", f"{total.parameters:,}, and {total.statistics:,} statistics of norms"),
        ("multiply-adds", f"{total.multiply_adds:,} an image of {shape.height}x{shape.width}, resizing aside"),
    ]
    for name, milliseconds in facts.latency.items():
        words = f"{milliseconds:.2f} ms, the median of 20 runs on one image of the network's size, on this machine"
        entries.append(
            (f"{FORMATS[name].title}, latency", f"{words} ({_word(platform.processor() or platform.machine())})")
        )
    yield from _table(("", ""), *entries)


def _files(facts: Facts) -> Iterator[str]:
    yield "## Files"
    yield ""
    found = []
    for name, names in facts.models.items():
        for file in names:
            data = facts.files[file]
            half = ", 16 bits" if facts.wanted[name].half else ""
            found.append(
                (_code(file), f"{FORMATS[name].title}{half}", f"{len(data):,}", f"`{hashlib.sha256(data).hexdigest()}`")
            )
    yield from _table(("file", "format", "bytes", "SHA-256"), *found)


def _versions(facts: Facts) -> Iterator[str]:
    trained: Mapping[str, Any] = facts.model.trained.about["versions"]
    yield "## Versions"
    yield ""
    yield f"Trained with {', '.join(f'{name} {_word(str(number))}' for name, number in trained.items())}."
    packages = dict.fromkeys(package for name in facts.models for package in FORMATS[name].packages)
    found = [f"{package} {number}" for package in packages if (number := _version(package))]
    yield f"Exported with {', '.join([f'spinedsl {__version__}', *found])}."


def _version(package: str) -> str:
    try:
        return version(package.replace("_", "-"))
    except PackageNotFoundError:
        return ""


# ---- Markdown ----


def _table(head: Sequence[str], *entries: Sequence[str]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for entry in entries:
        yield f"| {' | '.join(entry)} |"


def _path(text: str) -> str:
    """A path as a card shows it: of an absolute one its end, since the rest is about a machine or a person."""
    path = PurePath(text)
    return _word(PurePath("…", *path.parts[-2:]).as_posix() if path.is_absolute() and len(path.parts) > 3 else text)


def _code(text: str) -> str:
    """Text from outside as code, where that can hold it."""
    return f"`{text}`" if text == one_line(text) and not {*text} & {*"`|"} else _word(text)


def _word(text: str) -> str:
    """Text from outside, on one line, without a meaning in Markdown or HTML."""
    shown = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{letter}" if letter in "\\`*_[]|#!" else letter for letter in shown)
