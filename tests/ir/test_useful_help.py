"""What is proposed about a value helps: what stands below is found, and what is no number or no comment is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinedsl import driver
from spinedsl.diagnostics import nearest_file
from spinedsl.diagnostics.repairs import apply
from spinedsl.source import Source

TEXT = """\
import std.stems
import std.blocks
def f(x, n = 1, m = 2) {
    let a = x * n + m
    return relu(a)
}
network N(n = 1, m = 2) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    let a = 3
    let b = 2
    stem s: resnet_stem channels 32
    block b3: bottleneck(expansion = 4) level 3 after s channels 16
    output P3: b3
}
"""
BELOW = "stands below: put it above"


@pytest.mark.parametrize(
    ("old", "new", "code", "help_"),
    [
        ("let a = 3", "let a = b", "E0201", f"`b` {BELOW}"),
        ("network N(n = 1", "network N(n = m", "E0201", f"`m` {BELOW}"),
        ("def f(x, n = 1", "def f(x, n = m", "E0201", f"`m` {BELOW}"),
        ("let a = x * n + m", "let a = y\n    let y = x", "E0201", f"`y` {BELOW}"),
        ("let a = 3", "let a = a", "E0201", "give it a value above, as in `let a = …`, or make it a parameter"),
        ("expansion = 4", "expansion = relu", "E0502", "give a number, as in `expansion = 4`"),
        ("expansion = 4", "expansion = same", "E0502", "give a number, as in `expansion = 4`"),
        ("expansion = 4", "expansion = -4", "E0403", "the nearest that can be is `1`"),
        ("channels 32", "channels -32", "E0403", "did you mean `32`?"),
        ("channels 32", "channels 32 -- c", "E0201", "a comment begins with `#`"),
        ("let b = 2\n", "let b = 2\n    -- two words\n", "E0101", "a comment begins with `#`"),
        ("level 3", "level P3", "E0201", "a level is a number: `level 3`"),
        ("level 3", "level L_3", "E0201", "a level is a number: `level 3`"),
    ],
)
def test_what_is_proposed(old: str, new: str, code: str, help_: str) -> None:
    source = Source.from_text(TEXT.replace(old, new, 1))
    (found, *_) = [one for one in driver.analyse(source).diagnostics if one.code.id.startswith("E")]
    (fix,) = found.fixes
    assert (found.code.id, fix.text) == (code, help_)
    if fix.edits:
        assert all(one.code.id.startswith("W") for one in driver.analyse(apply(source, fix.edits)).diagnostics)


def test_a_list_of_fractions_is_told_in_words() -> None:
    text = TEXT.replace("= 3\n", "= n * 2\n") + "network M = N(n = [1 / 3, 1 / 7])\n"
    messages = [found.message for found in driver.analyse(Source.from_text(text)).diagnostics]
    assert "`n` expects a number, got a list of 2 numbers" in messages


@pytest.mark.parametrize(
    ("name", "there", "near"),
    [
        ("permuted.spine", ["net.spine"], None),
        ("nett.spine", ["other.spine", "net.spine"], "net.spine"),
        ("net.spin", ["net.spine"], "net.spine"),
        ("net", ["net.spine"], "net.spine"),
    ],
)
def test_an_ending_is_no_likeness(name: str, there: list[str], near: str | None, tmp_path: Path) -> None:
    assert nearest_file(name, there) == near
    for other in there:
        (tmp_path / other).write_text(TEXT, encoding="utf-8")
    (tmp_path / "main.spine").write_text(f'import "{name}"\n', encoding="utf-8")
    (found,) = driver.read(tmp_path / "main.spine").then(driver.analyse).diagnostics
    assert ("did you mean" in found.fixes[0].text) == (near is not None)
