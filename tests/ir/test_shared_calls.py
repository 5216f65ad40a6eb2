"""What a `shared` call has to be the same in, each time that it runs."""

from __future__ import annotations

import pytest

from spinedsl.driver import analyse
from spinedsl.source import Source
from spinedsl.testing.laws import agreed

FILE = """spine 1
import std.stems

DEFINITIONS
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block a: cell level 2 after s channels 8
    output P2: a
}
"""
LOOP = """block_type cell(x, channels) -> channels {
    var y = x
    repeat i in 2 { y = y + shared helper(WHAT) }
    return y
}
"""
WIRED = {
    "in another order": (
        "let a = relu(x)\nlet b = silu(x)\nreturn b - a if turned else a - b",
        "a `multiply_scalar` of",
    ),
    "the result": ("let a = relu(x)\nlet b = silu(a)\nreturn a if turned else b", "one result"),
    "inside of another": ("let a = relu(x)\nreturn less(x, a) if turned else less(a, x)", "a `multiply_scalar` of"),
}
SOUND = {
    "lists of other lengths": ("y, [x, y] if i == 0 else [x, y, y]", "helper(x, maps)", "sum(maps)"),
    "the rest of lists": ("y, [x, y, x] if i == 0 else [x, y]", "helper(x, maps)", "x + sum(rest(maps))"),
    "the first maps of lists": ("y, [x, y] if i == 0 else [x, y, y]", "helper(x, maps)", "sum([maps[0], maps[1]])"),
    "other definitions": ("y, twice if i == 0 else again", "helper(x, f)", "f(x)"),
}
INNER = """
def less(x, y) { return x - y }
def twice(x) { return relu(x) }
def again(x) { return relu(x) }
"""


def source(what: str, head: str, body: str) -> Source:
    helper = "\n".join([f"def {head} {{", *body.split("\n"), "}"])
    return Source.from_text(FILE.replace("DEFINITIONS", INNER + helper + "\n" + LOOP.replace("WHAT", what)))


@pytest.mark.parametrize(("body", "what"), WIRED.values(), ids=WIRED)
def test_one_that_is_wired_otherwise_is_refused(body: str, what: str) -> None:
    (found,) = analyse(source("y, i == 1", "helper(x, turned)", body)).diagnostics
    assert found.code.id == "E0512"
    assert f"has {what}" in found.message


@pytest.mark.parametrize(("what", "head", "body"), SOUND.values(), ids=SOUND)
def test_one_that_does_the_same_is_right(what: str, head: str, body: str) -> None:
    *before, last = body.split("\n")
    agreed(source(what, head, "\n".join([*before, f"return conv({last}, x.channels, kernel = 1)"])), "Net")


SIZES = """spine 1
import std.stems

def smaller(x) { return conv(x, x.channels, kernel = 3, stride = 2) }
block_type turned(x, channels, stride = 1) -> channels { return conv(x, channels, kernel = 3, stride = stride) }
head_type finds(maps, channels) {
    each p in maps { yield conv(shared smaller(p), 2, kernel = 1) }
}
network Cell {
    input p: level 2
    block a: turned level 2 after p channels 8
    output q: a
}
network Net {
    input image: 3 x SIZE
    defaults { act relu, norm batch_norm }
    rules { sizes RULE }
    stem s: resnet_stem channels 8
    part n: shared Cell from s repeat 3
    block b3: turned level 3 after n channels 8
    output P2: n
    output P3: b3
    head f: finds from P2, P3 channels 8
}
"""


@pytest.mark.parametrize(("size", "rule"), [("64 x 128", "fixed"), ("74 x 61", "any")])
def test_windows_may_move_over_maps_of_several_sizes(size: str, rule: str) -> None:
    agreed(Source.from_text(SIZES.replace("SIZE", size).replace("RULE", rule)), "Net")


def test_windows_that_pad_otherwise_are_refused() -> None:
    (found,) = analyse(Source.from_text(SIZES.replace("SIZE", "74 x 61").replace("RULE", "fixed"))).diagnostics
    assert found.code.id == "E0512"
    assert "has `padding` of 0+1 by 0+1 in `conv` here, but `padding` of 1+1 by 0+1" in found.message


def test_copies_of_a_part_whose_maps_have_other_sizes_are_refused() -> None:
    text = SIZES.replace("kernel = 3, stride = stride", "kernel = 3, padding = 0")
    found = analyse(Source.from_text(text.replace("SIZE", "64 x 64").replace("RULE", "fixed"))).diagnostics
    assert any(one.code.id == "E0333" and "a map of 14x14 here, of 16x16 there" in one.message for one in found)
