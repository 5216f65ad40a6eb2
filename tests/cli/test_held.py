"""`spine stats --memory`: curves of what is alive, in text, JSON and a picture."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from spinedsl.brief import unit_of
from spinedsl.cli import main
from tests.texts import ROOT

SPINENET = str(ROOT / "examples/spinenet.spine")
WORDS = ["stats", SPINENET, "--network", "SpineNet49", "--memory"]


def test_both_orders_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    written, best = found["written"], found["best"]
    assert (written["peak_bytes"], best["peak_bytes"]) == (111_411_200, 59_392_000)
    assert best["proved"]
    assert best["bound_bytes"] == best["peak_bytes"]
    assert len(written["curve"]) == len(best["curve"]) == len(best["rows"])
    assert max(written["curve"]) == max(row["written_bytes"] for row in found["rows"]) == written["peak_bytes"]
    assert max(row["best_bytes"] for row in found["rows"]) == best["peak_bytes"]


def test_as_a_table_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "held.svg"
    assert main([*WORDS, "-o", str(target)]) == 0
    out = capsys.readouterr().out
    assert "at once: 106.2 MiB as written, 56.6 in the best order; no order holds less" in out
    bars = {line.split()[0]: line.split()[-1] for line in out.split("\n") if line.endswith(("#", "-"))}
    assert max(map(len, bars.values())) == 40
    assert len(bars) == 23
    lines = [one for one in ET.parse(target).findall(".//{*}path") if one.get("stroke-width") == "2"]
    assert len(lines) == 2


def test_small_networks_are_told_in_kib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """11 KiB are not 0.0 MiB: in the table, in its last line and in the picture."""
    file, target = tmp_path / "small.spine", tmp_path / "held.svg"
    text = """spine 1
stem_type enter(x, channels) -> channels { return conv(x, channels, kernel = 1, stride = 4) }
network Small {
    input image: 3 x 64 x 64
    stem s: enter channels 2
    output C2: s
}
"""
    file.write_text(text)
    assert main(["stats", str(file), "--memory", "-o", str(target)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Small at 3 x 64 x 64, KiB\n")
    assert "at once: 50.0 KiB as written, 50.0 in the best order; no order holds less" in out  # 48 of the image
    assert "as written: 50.0 KiB" in target.read_text()
    assert main(["stats", str(file)]) == 0
    (row,) = (line for line in capsys.readouterr().out.split("\n") if line.startswith("s "))
    assert "2.00" in row.split()
    assert [unit_of(most) for most in (0, 4095, 4096 * 1024 - 1, 4096 * 1024, 2**40)] == [
        (1024, "KiB"), (1024, "KiB"), (1024, "KiB"), (2**20, "MiB"), (2**20, "MiB"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--memory --roofline", "--memory and --roofline print a table each"),
        ("-o held.svg", "--output is for the curves of --memory"),
        ("--memory -o -", "name a file for the picture"),
        ("--memory -o held.png", "`held.png` is none of .svg"),
    ],
)
def test_what_does_not_go_together(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", SPINENET, "--network", "SpineNet49", *words.split()]) == 2
    assert says in capsys.readouterr().err
