"""`spine draw` as its users meet it: formats, several files, what to compare with, and what is said of wrong use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spinedsl.cli import main
from tests.draw.drawn import EXAMPLES

CONVNEXT, FIRST, SPINENET, RETINANET = (
    str(EXAMPLES / f"{name}.spine") for name in ("convnext", "tutorial/1_first_network", "spinenet", "retinanet")
)
FAMILY, EDITS = (str(EXAMPLES / "tutorial" / f"{name}.spine") for name in ("3_family", "6_edits"))
WRONG = str(EXAMPLES / "demo" / "three_mistakes.spine.txt")


def title_of(path: Path) -> str:
    """The title of a figure."""
    found = re.search("<title>(.*?)</title>", path.read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ([CONVNEXT], "ConvNeXtTiny"),
        ([FAMILY, "--network", "Small", "--network", "Large"], "Small, Large"),
        ([CONVNEXT, FIRST, SPINENET, "--network", "SpineNet49"], "ConvNeXtTiny, First, SpineNet49"),
        ([EDITS, "--network", "Permuted", "--against", "Plain"], "Plain (before), Permuted (after)"),
        ([CONVNEXT, "--against", CONVNEXT], "ConvNeXtTiny (before), ConvNeXtTiny (after)"),
        ([EDITS, "--network", "Wide", "--against", f"{FAMILY}:Large"], "Large (before), Wide (after)"),
        ([CONVNEXT, "--against", f"{EDITS}:Plain", "--widths", "channels"], "Plain (before), ConvNeXtTiny (after)"),
    ],
)
def test_what_is_drawn(arguments: list[str], title: str, tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    assert main(["draw", *arguments, "-o", str(path)]) == 0
    assert title_of(path) == title


@pytest.mark.parametrize("suffix", ["svg", "png", "html"])
@pytest.mark.parametrize("theme", ["auto", "dark"])
def test_formats(suffix: str, theme: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    assert main(["draw", CONVNEXT, "--theme", theme, "--color", "cost", "--input", "320x640", "-o", str(path)]) == 0
    start = {"svg": b"<svg", "png": b"\x89PNG", "html": b"<!doctype html>"}[suffix]
    assert path.read_bytes().startswith(start)


def test_standard_output_is_svg(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", CONVNEXT, "--color", "memory", "-o", "-"]) == 0
    assert "memory, 0 to" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([CONVNEXT, "-o", "x.jpg"], "`x.jpg` is none of .svg, .png, .html"),
        ([CONVNEXT, "-o", "."], "`.` is none of"),
        ([FAMILY, "-o", "x.svg"], "choose one"),
        ([FAMILY, "--network", "Smal", "-o", "x.svg"], "did you mean `Small`? (--network NAME)"),
        ([FAMILY, CONVNEXT, "-o", "x.svg"], "choose one"),
        ([FAMILY, CONVNEXT, "--network", "Nothing", "-o", "x.svg"], "none of the files has a network `Nothing`"),
        ([FAMILY, "--network", "Small", "--against", "Lage", "-o", "x.svg"], "`Large`? (--against FILE:NAME)"),
        ([CONVNEXT, FIRST, "--against", SPINENET, "-o", "x.svg"], "--against compares one network"),
        ([CONVNEXT, "--color", "red", "-o", "x.svg"], "there is no `red`"),
    ],
)
def test_wrong_use(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["draw", *arguments])
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [WRONG],
        [CONVNEXT, WRONG],
        [WRONG, WRONG],
        [CONVNEXT, "--against", WRONG],
        [CONVNEXT, "--against", "nothing.spine"],
    ],
)
def test_mistakes_are_said_and_nothing_is_written(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.svg"
    assert main(["draw", *arguments, "-o", str(path)]) == 1
    assert "error[" in capsys.readouterr().err
    assert not path.exists()


def test_no_font_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from spinedsl.cli import draw
    from spinedsl.draw import NoFont

    def fail(svg: str) -> bytes:
        raise NoFont

    monkeypatch.setattr(draw, "to_png", fail)
    assert main(["draw", CONVNEXT, "-o", str(tmp_path / "x.png")]) == 2
    assert "pip install 'spinedsl[draw]'" in capsys.readouterr().err
