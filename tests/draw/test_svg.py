"""What the SVG says: words, colours, marks; the same text each time, and nothing in it that was not escaped."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from spinedsl.cli.draw import marked
from spinedsl.compare import compare, side
from spinedsl.compare.marks import markings
from spinedsl.draw import Figure, Mark, Marking, lay_out, to_html, to_svg
from spinedsl.draw.colours import STEPS, THEMES, step_of
from spinedsl.draw.words import COSTS, mebibytes, rounded
from spinedsl.source import Source
from tests.draw.drawn import SVG, difference, example, renamed

NET = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 8, level 3: 12, level 4: 16 }
    resample spinenet(alpha = 0.5)
    join activated_sum
    stem s: resnet_stem channels 8
    block a: residual level 2 after s
    block b: mine level 3 from a
    block c: bottleneck level 4 from a, b
    output P4: endpoint from c channels 8
}
"""
GOLDEN = Path(__file__).parent / "golden"


def spinenet() -> Figure:
    """The figure of SpineNet-49."""
    return lay_out(example("spinenet.spine", "SpineNet49"))


def edited() -> Figure:
    """The tutorial's edited network beside what it was."""
    return marked(difference("Plain", "Permuted"))


def titles(svg: str) -> dict[str, str]:
    """What hovering shows, by its first line."""
    found = [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}title")]
    return {text.partition("\n")[0]: text for text in found}


def class_of(svg: str, first: str) -> str:
    """The class of the shape or line whose words begin so."""
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        title, path = group.find(f"{SVG}title"), group.find(f"{SVG}path")
        if title is not None and path is not None and (title.text or "").startswith(first):
            return path.attrib["class"] + (" dashed" if "stroke-dasharray" in path.attrib else "")
    raise AssertionError(first)


# ---- goldens ----


@pytest.mark.parametrize("name", ["marked", "heat", "several"])
def test_figures_are_as_they_were(name: str) -> None:
    if name == "marked":
        svg = to_svg(edited())
    elif name == "heat":
        figure = lay_out(example("tutorial/2_scales.spine", "Scales"), widths="channels")
        svg = to_svg(figure, "dark", "multiply-adds")
    else:
        programs = [example("tutorial/3_family.spine", network) for network in ("Small", "Large")]
        svg = to_svg(lay_out(*programs), "light")
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(svg, encoding="utf-8")
    assert svg == path.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {"marked.svg", "heat.svg", "several.svg"}


# ---- words ----


@pytest.mark.parametrize("theme", THEMES)
def test_svg_is_well_formed_and_the_same_each_time(theme: str) -> None:
    figure = spinenet()
    svg = to_svg(figure, theme)
    assert svg == to_svg(spinenet(), theme)
    root = ET.fromstring(svg)
    texts = [element.text for element in root.iter(f"{SVG}text")]
    (panel,) = figure.panels
    assert [text for text in texts if text in panel.boxes] == list(panel.boxes)
    assert [text for text in texts if text and re.fullmatch("P[3-7]", text)] == ["P4", "P3", "P5", "P7", "P6"]
    assert {"resnet_stem", "bottleneck", "residual", "output", "stem", "orphan, absorbed as it is"} <= set(texts)
    assert {element.tag for element in root.iter()} == {
        SVG + tag for tag in ("svg", "title", "style", "path", "rect", "text", "g")
    }


def test_what_is_only_absorbed_is_dashed() -> None:
    svg = to_svg(spinenet())
    assert class_of(svg, "b11: ") == "orphan"
    assert class_of(svg, "b11 to b14").endswith(" dashed")
    assert svg.count('class="orphan"') == 2  # with that of the legend
    assert re.search(r"^\.orphan\{.*stroke-dasharray", svg, re.MULTILINE)


def test_blocks_say_what_they_are_and_what_feeds_them() -> None:
    words = titles(to_svg(spinenet()))
    assert words["b15: bottleneck"].split("\n") == [
        "b15: bottleneck",
        "level 7, 1024 channels, shape 1024 x 5 x 5",
        "1,941,504 parameters, 370,278,400 multiply-adds",
        "feature map 100 KiB, receptive field 2,003 pixels",
        "from b5: level 4 to 7, resampled by spinenet",
        "from b14: level 5 to 7, resampled by spinenet",
        "output P7: by endpoint, 256 x 5 x 5, 262,656 parameters, 6,553,600 multiply-adds",
    ]


@pytest.mark.parametrize(
    ("file", "network", "size"),
    [
        ("spinenet.spine", "SpineNet49", None),
        ("classifier.spine", "Classifier", (200, 335)),
        ("fpn.spine", "ResNet50FPN", None),
    ],
)
def test_bands_say_how_large_their_maps_are(file: str, network: str, size: tuple[int, int] | None) -> None:
    program = example(file, network, size)
    root = ET.fromstring(to_svg(lay_out(program)))
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    said = {int(texts[at][6:]): texts[at + 1] for at in range(len(texts)) if re.fullmatch(r"level \d+", texts[at])}
    maps = {row.level: f"{row.type.height} x {row.type.width}" for row in program.rows if row.level is not None}
    assert maps == {level: words for level, words in said.items() if level in maps}


def test_arrows_say_which_operations_are_inserted() -> None:
    words = titles(to_svg(spinenet()))
    assert words["b5 to b15"].split("\n") == [
        "b5 to b15",
        "level 4 to 7, resampled by spinenet",
        "conv 1x1, 128 channels + batch_norm + relu",
        "conv 3x3, stride 2, 128 channels + batch_norm + relu",
        "max_pool 3x3, stride 2, 2 times",
        "conv 1x1, 1024 channels + batch_norm",
        "412,160 parameters, 271,974,400 multiply-adds",
    ]
    assert "upsample by 4, nearest" in words["b10 to b13"]
    assert words["b11 to b14"].endswith("absorbed: added in the join as it is")
    assert words["s to b0"].endswith("direct, as it is")


def test_counts_have_three_digits_and_no_exponent() -> None:
    counts = (0, 999, 1000, 9_994, 28_261_990_400, 99_960_000, 999_499, 999_600, 1_880_000_000_000, 5 * 10**15)
    said = ["0", "999", "1.00 k", "9.99 k", "28.3 G", "100 M", "999 k", "1.00 M", "1.88 T", "5000 T"]
    assert [rounded(count) for count in counts] == said
    assert [mebibytes(count) for count in (12, 102_400, 2**20, 26_214_400)] == [
        "0.012 KiB",
        "100 KiB",
        "1.00 MiB",
        "25.0 MiB",
    ]


def test_heads_say_what_they_give_and_read() -> None:
    words = titles(to_svg(lay_out(example("retinanet.spine", "RetinaNet49"))))
    assert "gives boxes_P3: 36 x 80 x 80" in words["boxes: retina_tower"]
    assert "from b13: read through output P3" in words["boxes: retina_tower"]
    assert words["b13 to boxes"].endswith("read through output P3")


# ---- colours ----


def test_themes_differ_in_their_style_sheet_alone() -> None:
    figure = spinenet()
    texts = {theme: re.sub(r"<style>.*</style>", "", to_svg(figure, theme), flags=re.DOTALL) for theme in THEMES}
    assert len(set(texts.values())) == 1
    sheets = {theme: to_svg(figure, theme).partition("<style>")[2].partition("</style>")[0] for theme in THEMES}
    assert "prefers-color-scheme" not in sheets["light"] + sheets["dark"]
    light, dark = sheets["auto"].split("@media (prefers-color-scheme: dark) {")
    assert light.strip() == sheets["light"].strip()
    assert dark.strip().removesuffix("}").strip() == sheets["dark"].strip()


def test_every_class_in_use_has_a_colour() -> None:
    for figure, colour in ((spinenet(), "level"), (spinenet(), "memory"), (edited(), "level")):
        svg = to_svg(figure, "dark", colour)
        known = set(re.findall(r"^\.([\w-]+)\{", svg, re.MULTILINE)) | {"arrow"}
        used = {name for names in re.findall(r' class="([^"]*)"', svg) for name in names.split()}
        assert used <= known


@pytest.mark.parametrize("cost", COSTS)
def test_heat_follows_the_cost(cost: str) -> None:
    figure = spinenet()
    svg = to_svg(figure, "light", cost)
    (panel,) = figure.panels
    heats = {name: int(class_of(svg, f"{name}: ").partition("heat-")[2]) for name in panel.boxes}
    costs = {name: panel.facts.cost(name, cost) for name in panel.boxes}
    assert max(heats.values()) == STEPS - 1
    ordered = sorted(panel.boxes, key=lambda name: costs[name])
    assert [heats[name] for name in ordered] == sorted(heats.values())
    assert f"{cost}, 0 to " in svg


def test_heads_do_not_cool_the_backbone() -> None:
    """The scale ends at the costliest row beside them"""
    figure = lay_out(example("retinanet.spine", "RetinaNet49"))
    svg = to_svg(figure, "light", "multiply-adds")
    (panel,) = figure.panels
    heats = {name: int(class_of(svg, f"{name}: ").partition("heat-")[2]) for name in panel.boxes}
    backbone = {
        name: panel.facts.cost(name, "multiply-adds") for name in heats if name.startswith("b") and name != "boxes"
    }
    assert heats["scores"] == heats["boxes"] == heats[max(backbone, key=lambda name: backbone[name])] == STEPS - 1
    assert len({heats[name] for name in backbone}) > 5
    assert f"multiply-adds, 0 to {max(backbone.values()) / 1e9:.2f} G; heads more" in svg


def test_the_heat_scale_is_linear() -> None:
    assert [step_of(cost, 90) for cost in (0, 9, 10, 45, 80, 90)] == [0, 0, 1, 4, 8, 8]
    assert step_of(0, 0) == 0


def test_the_legend_has_the_narrowest_and_the_widest() -> None:
    program = example("spinenet.spine", "SpineNet49")
    channels = [row.type.channels for row in program.rows if row.kind in ("stem", "block")]
    root = ET.fromstring(to_svg(lay_out(program, widths="channels")))
    said = [element.text or "" for element in root.iter(f"{SVG}text")]
    counts = [text for text in said if text.endswith(" channels")]
    assert counts == [f"{min(channels)} channels", f"{max(channels)} channels"]


# ---- marks ----


def test_an_edit_is_marked_where_it_was_made() -> None:
    figure = edited()
    before, after = figure.panels
    assert dict(before.marks.rows) == {}
    assert {name: mark.kind for name, mark in after.marks.rows.items()} == {
        "b2": "changed", "b3": "changed", "x1": "added", "b4": "changed", "P3": "changed", "P5": "changed",
    }  # fmt: skip
    assert after.marks.rows["b2"].note == "level 5, was 4"
    assert after.marks.rows["b4"].note == "from x1, b2, was from b2, b3"
    assert after.marks.rows["b3"].note == "bottleneck, was residual; level 4, was 5; channels 128, was 32"
    assert dict(before.marks.arrows) == {("b3", "b4"): Mark("dropped")}
    assert set(after.marks.arrows) == {("b1", "x1"), ("b3", "x1"), ("x1", "b4")}


def test_marks_are_drawn_and_said() -> None:
    svg = to_svg(edited())
    assert class_of(svg, "x1: ") == "added"
    assert class_of(svg, "b3 to b4") == "line-dropped dashed"
    assert class_of(svg, "b3 to x1") == "line-added"
    assert "added" in titles(svg)["x1: residual"].split("\n")[1]
    texts = [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]
    assert [text for text in texts if text in ("added", "dropped", "changed")] == ["added", "dropped", "changed"]


def test_dropped_moved_and_reconnected_rows_are_found() -> None:
    before, after = markings(difference("Permuted", "Wide"))
    back, forth = markings(difference("Wide", "Permuted"))
    assert set(before.rows) == set() == set(forth.rows) - {name for name in after.rows if name != "x2"}
    assert back.rows["x2"].kind == "dropped"
    assert "moved, now below" in after.rows["b1"].note + after.rows["b0"].note
    assert markings(difference("Wide", "Wide")) == (Marking(), Marking())


def test_a_renamed_block_is_neither_dropped_nor_added() -> None:
    figure = marked(renamed())
    before, after = figure.panels
    assert before.marks.rows["b9"] == Mark("renamed", "now farthest", "now farthest")
    assert after.marks.rows["farthest"] == Mark("renamed", "was b9", "was b9")
    assert {mark.kind for panel in figure.panels for mark in panel.marks.rows.values()} == {"renamed"}
    assert not before.marks.arrows
    assert not after.marks.arrows
    assert (before.boxes["b9"].tag, after.boxes["farthest"].tag) == ("now farthest", "was b9")
    assert (before.boxes["b12"].tag, after.boxes["b12"].tag) == ("P4 now Fourth", "Fourth was P4")
    svg = to_svg(figure)
    assert class_of(svg, "farthest: ") == class_of(svg, "b9: ") == class_of(svg, "b12: ") == "renamed"
    assert "renamed" in [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]
    assert "added" not in [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


OWN = """\
block_type mine(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride)))
}

network"""


@pytest.mark.parametrize(
    ("old", "new", "rows", "arrows"),
    [
        ("act relu", "act swish", {"a", "b", "c"}, {("a", "b"), ("a", "c"), ("b", "c")}),
        ("norm batch_norm", "norm group_norm(groups = 1)", {"a", "b", "c"}, {("a", "b"), ("a", "c"), ("b", "c")}),
        ("kernel = 3", "kernel = 5", {"b"}, set()),
        ("alpha = 0.5", "alpha = 1.0", set(), {("a", "b"), ("a", "c"), ("b", "c")}),
        ("from a, b", "from b, a", {"c"}, set()),
        ("level 3: 12", "level 3: 16", {"b"}, set()),
        ("spine 1", "spine 1  # a comment", set(), set()),
    ],
)
def test_what_a_change_reaches_is_marked(old: str, new: str, rows: set[str], arrows: set[tuple[str, str]]) -> None:
    text = NET.replace("network", OWN, 1)
    assert old in text
    was, now = (side(Source.from_text(one), network="Net") for one in (text, text.replace(old, new)))
    before, after = markings(compare(was, now))
    assert (before.rows, before.arrows) == ({}, {})
    assert {name for name in after.rows if name in ("a", "b", "c")} == rows
    assert set(after.arrows) == arrows
    assert all(mark.kind == "changed" and mark.note for mark in [*after.rows.values(), *after.arrows.values()])


NARROW = """\
resample_type narrow(x, source, target, alpha = 1) -> target.in_channels {
    let down = target.level - x.level
    var y = conv(x, target.in_channels, kernel = 1)
    if down > 0 { repeat down { y = max_pool(y, kernel = 3, stride = 2) } }
    if down < 0 { y = upsample(y, levels = -down) }
    return y
}

network"""


@pytest.mark.parametrize("change", [("kernel = 3", "kernel = 5"), ("kernel = 1", "kernel = 3"), ("var y", "var z")])
def test_arrows_say_that_what_resamples_them_changed(change: tuple[str, str]) -> None:
    """Of a definition that changed it is said wherever it is used, though no row says anything else."""
    text = NET.replace("mine", "residual").replace("network", NARROW, 1).replace("spinenet(alpha = 0.5)", "narrow")
    new = text.replace(*change) if change[1] != "var z" else re.sub(r"\by\b", "z", text)
    was, now = (side(Source.from_text(one), network="Net") for one in (text, new))
    _, after = markings(compare(was, now))
    assert set(after.arrows) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert all("the definition narrow changed" in mark.note for mark in after.arrows.values())
    assert not {"a", "b", "c"} & after.rows.keys()


def test_anything_can_be_marked() -> None:
    program = example("tutorial/1_first_network.spine", "First")
    marking = Marking({"a": Mark("dropped", "by hand"), "C4": Mark("added")}, {("a", "b"): Mark("changed", "why")})
    svg = to_svg(lay_out(program, markings=[marking]))
    assert class_of(svg, "a: ") == "dropped dashed"
    assert class_of(svg, "c: ") == "changed"
    assert class_of(svg, "a to b") == "line-changed"
    assert "dropped: by hand" in titles(svg)["a: residual"]
    assert "changed: why" in titles(svg)["a to b"]


# ---- escaping ----


@pytest.mark.parametrize(
    "payload", ["</title><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "]]>&amp;'"]
)
def test_nothing_gets_out_of_its_text(payload: str) -> None:
    program = example("tutorial/1_first_network.spine", "First")
    marking = Marking({"a": Mark("changed", payload)})
    figure = lay_out(program, titles=[payload], markings=[marking])
    svg = to_svg(figure)
    assert {element.tag for element in ET.fromstring(svg).iter()} <= {
        SVG + tag for tag in ("svg", "title", "style", "path", "rect", "text", "g")
    }
    assert payload in titles(svg)
    assert f"changed: {payload}" in titles(svg)["a: residual"]
    page = to_html(figure)
    assert page.count("<script>") == 1
    assert payload not in page
