"""`spine space`: what is printed and written, and every way in which it is used wrongly."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from spinedsl import driver, search
from spinedsl.reading import read
from spinedsl.spaces import count
from tests.cli.running import run
from tests.search.spaces import NET

SPACES = str(Path(__file__).parents[2] / "examples" / "spaces.spine")
SPINENET = str(Path(__file__).parents[2] / "examples" / "spinenet.spine")


def test_every_space_of_a_file_has_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "space", SPACES)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "ScalePermuted", "Adjusted", "AroundSpineNet49", "WindowOfFour", "Neck",
    ]  # fmt: skip
    assert "15,897,070,781,839,228,211,822,592,000,000,000,000 decisions" in out
    assert err == "spine: --space NAME says more of one\n"


def test_a_space_is_derived_and_its_share_estimated(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "space", SPACES, "--space", "AroundSpineNet49", "--tried", "200", "--seed", "3")
    assert status == 0
    for part in ("10!", "5!", "C(2,2) C(3,2) C(4,2) C(5,2)^7", "4^10", "2^15"):
        assert part in out
    assert "of 200 decisions, drawn alike with seed 3, " in out
    again = run(capsys, "space", SPACES, "--space", "AroundSpineNet49", "--tried", "200", "--seed", "3")
    assert again[1] == out
    status, out, _ = run(capsys, "space", SPACES, "--space", "AroundSpineNet49", "--tried", "200", "--json")
    found = json.loads(out)
    low, high = found["interval"]
    assert low < found["share"] < high
    assert found["within"] <= found["read"] <= found["tried"] == 200


UNFIT = """\
spine 1
import std.blocks
import std.resample
import std.stems

block_type thirds(x, channels, stride = 1) -> channels {
    return conv(x, channels, kernel = 3, stride = stride, groups = 3)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..4: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual level 2 after s
    block b1: residual level 3 after b0
    block b2: residual level 3 from b0, b1
    output P3: b2
}

space Some of Net {
    types b1..b2: residual, thirds, bottleneck
}

space None of Net {
    types b1..b2: thirds
}
"""


def test_the_share_that_does_not_compile_is_told_and_the_rest_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unfit.spine"
    file.write_text(UNFIT)
    mistake = "E0501, `conv` cannot take these: 3 groups do not divide 16 input channels"
    status, out, err = run(capsys, "space", str(file), "--space", "Some")
    assert (status, err) == (0, "")
    assert out.splitlines()[2:] == [
        "all were gone through: 4 candidates, 4 different networks",
        "  5 do not compile",
        f"  the first that does not: {mistake} ({file}:7)",
    ]
    status, out, _ = run(capsys, "space", str(file), "--space", "Some", "--tried", "50", "--json")
    found = json.loads(out)
    assert found["within"] + found["others"]["unfit"] == found["tried"] == 50
    assert (found["mistake"]["code"], found["mistake"]["line"]) == ("E0501", 7)
    status, out, err = run(capsys, "space", str(file), "--space", "Some", "--sample", "5")
    assert (status, len(out.splitlines())) == (0, 6)
    assert " decisions were drawn for 5 candidates: " in err
    assert err.endswith(" do not compile\n")
    status, out, err = run(capsys, "space", str(file), "--space", "None")
    assert (status, out) == (1, "")
    assert "error[E1206]: space `None` has a candidate with a mistake, E0501: " in err


def test_a_small_space_is_gone_through(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "space", SPACES, "--space", "Neck")
    assert status == 0
    assert out.startswith("Neck, a space of Neck50: 200 decisions\n")
    assert "all were gone through: 200 candidates, " in out


def test_where_nothing_is_within_the_bounds_the_nearest_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["    types b2..b4: residual, bottleneck", "    keep parameters <= 10", "    keep multiply_adds >= 1T"]
    (tmp_path / "none.spine").write_text("\n".join([NET, "space None of Net {", *rows, "}", ""]))
    space = search.open_space(tmp_path / "none.spine")
    priced = [space.price(genome) for genome in count.genomes(space.space)]
    costs = [one.costs for one in priced if isinstance(one, search.Priced)]
    assert len(costs) == 8
    for tried in ([], ["--tried", "300"]):
        status, out, _ = run(capsys, "space", str(tmp_path / "none.spine"), "--space", "None", *tried)
        assert status == 0
        assert f"\n  `keep parameters <= 10`: the nearest has {min(one.parameters for one in costs):,}\n" in out
        most = max(one.multiply_adds for one in costs)
        assert f"\n  `keep multiply_adds >= 1T`: the nearest has {most:,}\n" in out


def test_numbers_of_one_are_told_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "two.spine").write_text(
        f"{NET}\nspace One of Net {{\n}}\n\nspace Others of Net {{\n    types b3: residual, bottleneck\n}}\n"
    )
    status, out, _ = run(capsys, "space", str(tmp_path / "two.spine"))
    assert (status, out) == (0, "One of Net      1 decision\nOthers of Net  2 decisions\n")
    status, out, _ = run(capsys, "space", str(tmp_path / "two.spine"), "--space", "One")
    assert out.splitlines() == [
        "One, a space of Net: 1 decision",
        "all were gone through: 1 candidate, 1 different network",
    ]


def test_candidates_are_written_and_compile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["space", SPACES, "--space", "Adjusted", "--sample", "3", "--seed", "1", "-o", str(tmp_path / "out")]
    status, out, err = run(capsys, *words)
    assert (status, err) == (0, f"spine: 3 candidates written to {tmp_path / 'out'}\n")
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == [f"Adjusted-1-000{number}.spine" for number in range(3)]
    texts = [file.read_text() for file in files]
    for file in files:
        source = read(file).value
        assert source is not None
        assert driver.analyse(source).ok
        assert run(capsys, "space", SPACES, "--space", "Adjusted", "--contains", str(file))[0] == 0
    assert run(capsys, *words)[:2] == (0, out)  # what spine wrote is replaced
    assert [file.read_text() for file in files] == texts
    files[0].write_text("mine\n")
    assert run(capsys, *words)[0] == 2
    assert run(capsys, *words, "--force")[0] == 0


def test_whether_a_network_lies_inside(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--contains", SPINENET, "--network", "SpineNet49")
    status, out, _ = run(capsys, "space", SPACES, "--space", "Adjusted", *words)
    assert (status, out[:40]) == (0, "SpineNet49 lies in Adjusted, with other ")
    status, out, err = run(capsys, "space", SPACES, "--space", "ScalePermuted", *words)
    assert (status, out) == (1, "")
    assert "error[E1207]: no block of space `ScalePermuted` can be `b3`" in err
    status, out, _ = run(capsys, "space", SPACES, "--space", "ScalePermuted", *words, "--json")
    assert status == 1
    assert json.loads(out)["inside"] is False


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--space", "Nope"], "there is no space `Nope` in it: choose `ScalePermuted`"),
        (["--sample", "3"], "it has 5 spaces: choose one by --space NAME"),
        (["--space", "Neck", "-o", "x"], "--output is of what --sample draws"),
        (["--space", "Neck", "--sample", "1", "--force"], "--force is of what -o writes"),
        (["--space", "Neck", "--network", "A"], "--network is of the file of --contains"),
        (["--space", "Neck", "--sample", "1", "--tried", "9"], "--tried is of the share that is estimated"),
        (["--space", "Neck", "--sample", "0"], "--sample 0 draws nothing"),
        (["--space", "Neck", "--contains", SPINENET], "choose a network of"),
        (["--space", "Neck", "--contains", SPINENET, "--network", "No"], "there is no network `No`"),
        (["--space", "Neck", "--contains", SPINENET, "--seed", "1"], "--seed is of what is drawn"),
        (["--space", "Neck", "--seed", "1"], "of space `Neck` are gone through; --tried N draws so many of them"),
        (["--seed", "1"], "it has 5 spaces: choose one by --space NAME"),
    ],
)
def test_wrong_use(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "space", SPACES, *words)
    assert (status, out) == (2, "")
    assert told in err


def test_a_file_without_a_space(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, err = run(capsys, "space", SPINENET)
    assert status == 2
    assert "has no search space: `spine docs spaces` says how one is written" in err
    text = Path(SPINENET).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert "spine space: <stdin> has no search space" in run(capsys, "space", "-")[2]
