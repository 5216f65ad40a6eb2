"""Tiers and changes of known edits, one by one, each proved by loading state dicts and comparing outputs."""

from __future__ import annotations

import pytest
import torch

from spinedsl.compare import Difference, Tier, compare, derive, out_of_reach, side
from spinedsl.compare.machine import mapping
from spinedsl.compare.words import to_text
from spinedsl.source import Source
from tests.compare.test_laws import hold, module_of, outputs_of, state_of

NET = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs
import std.heads

block_type mix(x, channels, stride = 1) -> channels {
    let wide = act(norm(conv(x, channels * 2, kernel = 3, stride = stride)))
    return norm(conv(wide, channels, kernel = 1))
}
block_type spare(x, channels) -> channels { return x }

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm(momentum = 0.9, epsilon = 1e-3) }
    widths { level 2: 4, level 3: 6, level 4: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 4
    block a: residual level 2 after s
    block b: mix level 3 from a
    block c: mix level 4 from a, b
    block d: mix level 3 from b, c
    output P3: endpoint from d channels 4
    output P4: endpoint from c channels 4
}
"""


def difference(*replacements: tuple[str, str], old: str = NET) -> Difference:
    """The network against itself with some text replaced."""
    new = old
    for was, now in replacements:
        assert was in new
        new = new.replace(was, now)
    return compare(*(side(Source.from_text(text, name)) for text, name in ((old, "old.spine"), (new, "new.spine"))))


TIERS = [
    (Tier.NONE, [("block b: mix", "# a comment\n    block b:   mix")], ""),
    (Tier.NONE, [("{ return x }", "{ return act(x) }")], ""),
    (Tier.NONE, [("from b, c", "from c, b")], "inputs  from b, c -> from c, b"),
    (Tier.NONE, [("level 4: 8 }", "level 4: 4 + 4, level 6: 9 }")], "+ widths level 6  added  9"),
    (Tier.NONE, [("resample spinenet", "resample spinenet(alpha = 0.5)")], "~ resample    spinenet -> spinenet(alpha"),
    (Tier.NONE, [("norm(conv(wide", "norm(conv(identity(wide)")], "~ mix    old.spine:8 -> new.spine:8"),
    (Tier.NONE, [("conv(wide, channels", "conv(wide, channels, padding = 0")], "~ mix"),
    (Tier.NONE, [("join activated_sum", "join activated_sum\n    rules { sizes any }")], "+ rules sizes"),
    (Tier.NONE, [("{ act relu", "{ conv(init_scale = 2), act relu")], "note: fresh weights start elsewhere: "),
    (Tier.NUMERIC, [("act relu", "act swish")], " more: swish, was relu"),
    (Tier.NUMERIC, [("epsilon = 1e-3", "epsilon = 1e-5")], "epsilon 0.00001, was 0.001"),
    (Tier.NUMERIC, [("momentum = 0.9", "momentum = 0.5")], "momentum 0.5, was 0.9 (training only)"),
    (Tier.NUMERIC, [("{ act relu", "{ conv(padding = symmetric), act relu")], "padding symmetric, was same"),
    (Tier.WEIGHTS, [("level 4: 8", "level 4: 12")], "~ c  channels  8 -> 12"),
    (Tier.WEIGHTS, [("b: mix", "b: residual")], "~ b  type  mix -> residual"),
    (Tier.WEIGHTS, [("from a, b", "from b")], "~ c  inputs  from a, b -> from b"),
    (Tier.WEIGHTS, [("from b, c", "from b, c repeat 2")], "~ d  repeat  none -> 2"),
    (Tier.WEIGHTS, [("let wide", "let broad"), ("conv(wide", "conv(broad")], "tensors only renamed: renaming is all"),
    (Tier.WEIGHTS, [("block c", "block x"), ("b, c", "b, x"), ("from c", "from x")], "~ x  renamed  c -> x"),
    (Tier.WEIGHTS, [("norm batch_norm(momentum = 0.9, epsilon = 1e-3)", "norm layer_norm")], "unexpected"),
    (Tier.INTERFACE, [("P4", "C4")], "output P4: dropped"),
    (Tier.INTERFACE, [("from d channels 4", "from d channels 8")], "output P3: 8 channels, was 4"),
    (Tier.INTERFACE, [("d channels", "X channels"), ("c channels", "d channels"), ("X channels", "c channels")],
     "output P3: level 4 (stride 16), was level 3 (stride 8)"),
    (Tier.INTERFACE, [("3 x 64 x 64", "3 x 64 x 128")], "input: 3 x 64 x 128, was 3 x 64 x 64"),
    (Tier.INTERFACE, [("input image", "input photo")], "named `photo`, was `image`"),
    (Tier.INTERFACE, [("level 4 from", "level 5 from"), ("level 4: 8", "level 5: 8")], "divide by 32, before by 16"),
]  # fmt: skip


@pytest.mark.parametrize(("tier", "replacements", "said"), TIERS)
def test_tiers(tier: Tier, replacements: list[tuple[str, str]], said: str) -> None:
    found = difference(*replacements)
    text = to_text(found)
    assert found.tier is tier, text
    assert said in text
    assert tier.name in text
    hold(found)
    if tier is Tier.NUMERIC and "training only" not in text:
        state = state_of(found.old)
        before, after = outputs_of(found.old, state), outputs_of(found.new, state)
        assert any(not torch.equal(before[name], after[name]) for name in before)
    assert to_text(found, colour=True).count("\x1b[") > 3


SHAPED = """\
spine 1

stem_type down(x, channels) { return conv(x, channels, kernel = 3, stride = 2, padding = symmetric) }
head_type top(maps) { return adaptive_average_pool(maps[0], 7) }

network Net {
    input image: 3 x 63 x 63
    rules { sizes fixed }
    stem s: down channels 8
    output P1: s
    head H: top from P1
}
"""
POOL = "adaptive_average_pool(maps[0], 7)"
EVEN, ANY = ("3 x 63 x 63", "3 x 64 x 64"), ("sizes fixed", "sizes any")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([], [("padding = symmetric", "padding = 0")], "output P1: 31 x 31, was 32 x 32"),
        ([], [(POOL, "adaptive_average_pool(maps[0], 5)")], "output H: 5 x 5, was 7 x 7"),
        ([(POOL, "reshape(maps[0], 2, 4)")], [("2, 4", "4, 2")], "output H: 4 x 2 channels, was 2 x 4"),
        ([(POOL, "reshape(maps[0], 2, 4)")], [("2, 4", "8")], "output H: 8 channels, was 2 x 4"),
        ([], [EVEN, (POOL, "adaptive_average_pool(maps[0], 5)")], "output H: 5 x 5, was 7 x 7"),
        ([EVEN, ANY, (POOL, "pad(maps[0], 1)")], [(", 1)", ", 2)")], "output H: 34 x 32, was 33 x 32"),
        ([EVEN, ANY, (POOL, "pad(maps[0], 1)")], [("64 x 64", "32 x 32"), (", 1)", ", 2)")],
         "output H: +2 x +0 beside its level, was +1 x +0 beside its level"),
        ([EVEN, ANY, (POOL, "maps[0]")], [("64 x 64", "32 x 32"), ("return maps[0]", "return pad(maps[0], 1)")],
         "output H: +1 x +0 beside its level, was as large as its level"),
    ],
)  # fmt: skip
def test_the_shape_of_an_output_is_part_of_the_interface(
    before: list[tuple[str, str]], after: list[tuple[str, str]], text: str
) -> None:
    found = difference(*after, old=difference(*before, old=SHAPED).new.source.text)
    assert found.tier is Tier.INTERFACE
    assert text in to_text(found)
    hold(found)


@pytest.mark.parametrize(
    ("before", "after", "tier"),
    [
        ([], [("symmetric", "1")], Tier.NONE),
        ([], [("symmetric", "same")], Tier.NONE),
        ([EVEN], [("symmetric", "1")], Tier.NONE),
        ([EVEN], [("symmetric", "same")], Tier.NUMERIC),
        ([EVEN], [("fixed", "any")], Tier.NONE),
        ([ANY], [("symmetric", "1")], Tier.NONE),
        ([ANY], [("symmetric", "same")], Tier.NUMERIC),
        ([ANY, ("stride = 2", "stride = 1"), ("P1", "P0")], [("symmetric", "same")], Tier.NONE),
        ([ANY, ("kernel = 3", "kernel = 1")], [("symmetric", "same")], Tier.NONE),
        ([ANY, ("kernel = 3", "kernel = 1")], [("symmetric", "0")], Tier.NONE),
    ],
)
def test_what_pads_alike_for_all_inputs_gives_the_same_numbers(
    before: list[tuple[str, str]], after: list[tuple[str, str]], tier: Tier
) -> None:
    found = difference(*after, old=difference(*before, old=SHAPED).new.source.text)
    assert found.tier is tier, to_text(found)
    hold(found)


def test_wrong_inputs_of_numbers_are_said_by_the_output() -> None:
    """The same operations on the same tensors, fed by another block of the same type."""
    plain = NET.replace("level 4: 8", "level 4: 6").replace("from a, b", "from a, b").replace("P4: endpoint", "P4: out")
    text = plain.replace("network Net", "output_type out(x, channels) -> channels { return x }\n\nnetwork Net")
    text = text.replace("from c channels 4", "from c channels 6")
    text = text.replace("    output P3", "    block e: mix level 4 from a, b\n    output P3").replace(
        "    output P4", "    head H: separable_tower(outputs = 2, depth = 1) from e, c channels 6\n    output P4"
    )
    found = difference(("P4: out from c", "P4: out from e"), old=text)
    assert [(reason.tier, reason.about) for reason in found.reasons] == [(Tier.NUMERIC, "output P4")]
    hold(found)


def test_renaming_a_block_comes_with_the_names_of_its_tensors() -> None:
    found = difference(("block b", "block m"), ("from a, b", "from a, m"), ("from b, c", "from m, c"))
    assert [(change.how, change.name) for change in found.changes] == [("renamed", "m")]
    names = mapping(found.tensors)
    assert names["b.wide.conv.weight"] == "m.wide.conv.weight"
    assert names["d.from_b.reduce.conv.weight"] == "d.from_m.reduce.conv.weight"
    assert found.tensors.convertible
    state = state_of(found.old)
    converted = {names.get(name, name): tensor for name, tensor in state.items()}
    assert converted.keys() == module_of(found.new).state_dict().keys()
    before, after = outputs_of(found.old, state), outputs_of(found.new, converted)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_block_is_renamed_although_defaults_changed_what_it_computes() -> None:
    renames = (("block b", "block m"), ("from a, b", "from a, m"), ("from b, c", "from m, c"))
    found = difference(*renames, ("act relu", "act swish"))
    assert [(change.how, change.name) for change in found.changes] == [("changed", "defaults act"), ("renamed", "m")]
    assert found.tensors.convertible
    other = {reason.about: reason.text for reason in found.reasons if reason.tier is Tier.NUMERIC}
    assert set(other.values()) == {"swish, was relu"}
    assert {name.partition(".")[0] for name in other} >= {"s", "a", "m", "c", "d", "P3", "P4"}
    assert "d.from_m.reduce.act" in other
    hold(found)
    found = difference(*renames, ("kernel = 3", "kernel = 5"))
    assert ("renamed", "m") in [(change.how, change.name) for change in found.changes]
    hold(found)


def test_a_tensor_that_is_not_the_same_is_not_renamed() -> None:
    found = difference(("block b: mix", "block m: residual"), ("from a, b", "from a, m"), ("from b, c", "from m, c"))
    assert {change.how for change in found.changes if change.name in ("b", "m")} == {"added", "dropped"}
    assert not any(name.startswith("b.") for name in found.tensors.renamed)
    assert not found.tensors.convertible


def test_an_optimizer_goes_by_position() -> None:
    rows = ("    block c: mix level 4 from a, b\n", "    block b: mix level 3 from a\n")
    text = NET.replace("from a, b", "from a, s")
    moved = text.replace(rows[1], "").replace("    block d", f"{rows[1]}    block d")
    assert moved != text
    found = compare(*(side(Source.from_text(part, "net.spine")) for part in (text, moved)))
    assert found.tier is Tier.NONE
    assert [change.how for change in found.changes] == ["moved"]
    assert "optimizer" in found.notes[0]
    orders = [list(dict(module_of(one).named_parameters())) for one in (found.old, found.new)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


@pytest.mark.parametrize(
    ("replacements", "text"),
    [
        ([("act relu", "act swish")], "with {\n    defaults { act swish }\n}"),
        ([("level 4: 8", "level 4..5: 8")], "with {\n    widths { level 5: 8 }\n}"),
        ([("block c", "block x"), ("b, c", "b, x"), ("from c", "from x")],
         ("with {\n    drop c\n    block d from b, x\n    output P4 from x\n"
          "    add block x: mix level 4 from a, b right after b\n}")),
    ],
)  # fmt: skip
def test_edits(replacements: list[tuple[str, str]], text: str) -> None:
    found = difference(*replacements)
    edits = derive(found.old, found.new)
    assert edits is not None
    assert edits.to_text() == text


@pytest.mark.parametrize(
    ("replacements", "why"),
    [
        ([("let wide", "let broad"), ("conv(wide", "conv(broad")], "the definition `mix` is not the same in both"),
        ([("mix", "mine")], "the old file has no definition `mine`"),
        ([("network Net {", "network Net(width = 8) {"), ("level 4: 8", "level 4: width")],
         "the old network has no parameter `width`"),
        ([("network Net {", "network Net(width = 8) {"), ("level 4: 8", "level 4: 2 * width"), ("mix", "mine")],
         "the old file has no definition `mine`, the old network has no parameter `width`"),
    ],
)  # fmt: skip
def test_why_no_edits_are_found(replacements: list[tuple[str, str]], why: str) -> None:
    found = difference(*replacements)
    assert derive(found.old, found.new) is None
    assert out_of_reach(found) == why
