"""Names that nothing uses: definitions that no network reaches, and parameters that nothing reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinedsl import driver
from spinedsl.source import Source

HEAD = "spine 1\nimport std.blocks\nimport std.stems\n"
NETWORK = """\
network Net{} {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    stem s: resnet_stem channels 32
    block b0: {}  level 3  after s  channels 64
    output C3: b0
}}
"""
PLAIN = (
    "block_type plain(x, channels, stride = 1{}) -> channels "
    "{{ return act(norm(conv({}, channels, kernel = 3, stride = stride))) }}\n"
)


def unused(text: str) -> list[str]:
    outcome = driver.analyse(Source.from_text(text, "net.spine"))
    assert outcome.ok, outcome.diagnostics
    return [found.span.text for found in outcome.diagnostics if found.code.id == "W0706"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (NETWORK.format("", "residual"), []),
        ("def spare(x) { return relu(x) }\n" + NETWORK.format("", "residual"), ["spare"]),
        # What only an unused definition calls is not used either; what a used one calls is.
        (
            "def inner(x) { return relu(x) }\ndef spare(x) { return inner(x) }\n" + NETWORK.format("", "residual"),
            ["inner", "spare"],
        ),
        ("def inner(x) { return relu(x) }\n" + PLAIN.format("", "inner(x)") + NETWORK.format("", "plain"), []),
        # A library has its definitions for others; their parameters have to be read all the same.
        ("def spare(x) { return relu(x) }\n", []),
        ("def spare(x, times = 2) { return relu(x) }\n", ["times"]),
        (PLAIN.format(", groups = 4", "x"), ["groups"]),
        # What a row fills in is taken by everyone, read or not.
        ("stem_type enter(image, channels, stride = 2) { return relu(image) }\n", []),
        ("resample_type any(x, source, target) { return x }\n", []),
        ("block_type any(x, channels, in_channels = channels) { return relu(x) }\n", []),
        # A plain number asks nothing of the inputs.
        ("block_type any(x, channels, in_channels = 2) { return relu(x) }\n", ["in_channels"]),
        ("def any(x, a, in_channels = a) { return relu(x) }\n", ["in_channels"]),
        # A default or a signature that reads a parameter reads it.
        ("def f(x, a = 2, b = a) { return conv(x, b, kernel = 1) }\n", []),
        ("def f(x, a = 2) -> a { return conv(x, 2, kernel = 1) }\n", []),
        # What is given to be called takes what all that are given there are called with.
        (
            "def open(x, narrow) { return x }\n"
            + PLAIN.format(", op = open", "op(x, 3)")
            + NETWORK.format("", "plain"),
            [],
        ),
        (NETWORK.format("(width = 3)", "residual"), ["width"]),
        (NETWORK.format("(width = 3)", "residual").replace("channels 64", "channels 16 * width"), []),
        (NETWORK.format("(width = 3)", "residual") + "network Twice = Net with { block b0 channels width }\n", []),
        (NETWORK.format("(width = 3)", "residual").replace("stem s", 'allow W0706 "later"\n    stem s'), []),
    ],
)
def test_names_that_nothing_uses(text: str, names: list[str]) -> None:
    assert unused(HEAD + text) == names


def test_of_a_file_with_an_error_none_is_told() -> None:
    """The error may be why: here a name is misspelt."""
    text = (
        HEAD
        + PLAIN.format(", groups = 4", "conv(x, channels, kernel = 1, groups = grups)")
        + NETWORK.format("", "plain")
    )
    assert [found.code.id for found in driver.analyse(Source.from_text(text)).diagnostics] == ["E0201"]


def test_imported_files_are_not_told_of(tmp_path: Path) -> None:
    (tmp_path / "own.spine").write_text("spine 1\ndef spare(x, times = 2) { return relu(x) }\n", encoding="utf-8")
    main = tmp_path / "net.spine"
    main.write_text(HEAD + 'import "own.spine"\n' + NETWORK.format("", "residual"), encoding="utf-8")
    assert driver.read(main).then(driver.analyse).diagnostics == ()
