"""Traffic of operations, by hand, and what a row waits for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spinedsl.analysis import Work, work_by_row
from spinedsl.cli.stats import roofline
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Operand
from spinedsl.timing import peak as peaks
from spinedsl.timing.peak import Peak
from tests.building import INPUT, Definition, op, single
from tests.cli.running import NET, run

C, H, W = INPUT.channels, INPUT.height, INPUT.width


def _kept(x: Operand) -> Operand:
    """A convolution, and what is done while its result is written."""
    normed = op("batch_norm", op("conv", x, channels=16, kernel=3, path="conv"), path="norm")
    return op("multiply_scalar", op("relu", normed), value=2)


CASES: dict[str, tuple[Definition, int, int]] = {
    "a convolution reads its maps and kernel and writes its result": (
        lambda x: op("conv", x, channels=16, kernel=3, path="conv"),
        9 * C * 16 * H * W,
        (C + 16) * H * W + 9 * C * 16,
    ),
    "what is done on the way moves nothing": (_kept, 9 * C * 16 * H * W, (C + 16) * H * W + 9 * C * 16),
    "an addition reads two and writes one": (lambda x: op("add", x, op("relu", x)), 0, 3 * C * H * W),
    "a pool writes a quarter": (
        lambda x: op("max_pool", x, kernel=2, stride=2),
        0,
        C * H * W + C * H * W // 4,
    ),
    "softmax is no step on the way": (lambda x: op("softmax", x), 0, 2 * C * H * W),
    "a name for the same numbers moves none": (lambda x: op("dropout", x), 0, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_bytes_and_multiply_adds_by_hand(name: str) -> None:
    definition, adds, numbers = CASES[name]
    work, output = work_by_row(flatten(single(definition))).values()
    assert output == []
    assert (sum(one.multiply_adds for one in work), sum(one.bytes for one in work)) == (adds, 4 * numbers)


def test_a_row_waits_for_what_takes_longer() -> None:
    work = Work(multiply_adds=100, bytes=10)
    assert work.seconds(100.0, 1.0) == 10.0
    assert work.seconds(1.0, 100.0) == 100.0
    assert work.bound_by_work(1.0, 100.0)
    assert not work.bound_by_work(100.0, 1.0)


def test_rows_are_placed_by_the_peaks_of_the_machine() -> None:
    graph = flatten(single(CASES["what is done on the way moves nothing"][0]))
    slow, fast = (roofline(graph, Peak(rate, 1e6)) for rate in (1.0, 1e15))
    assert [row["bound"] for row in slow["rows"]] == ["processor", None], "the output does nothing"
    assert [row["bound"] for row in fast["rows"]] == ["memory", None]
    row, _ = slow["rows"]
    assert row["seconds"] == slow["seconds"] == row["multiply_adds"]
    assert row["intensity"] == row["multiply_adds"] / row["bytes"]


def test_the_table_and_its_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peaks, "measured_peak", lambda: Peak(2e9, 1e9))
    (tmp_path / "net.spine").write_text(NET)
    status, out, _ = run(capsys, "stats", str(tmp_path / "net.spine"), "--roofline")
    assert status == 0
    head, _, columns, *rows, _, total = out.splitlines()
    assert head == "Net at 3 x 16 x 16; a core does 2 G multiply-adds and moves 1 GB a second: 2.0 a byte"
    assert columns.split("  ")[-1].strip() == "waits for"
    assert [row.split()[0] for row in rows] == ["s", "b", "C2"]
    assert rows[-1].split()[-1] == "-", "an output moves nothing"
    status, out, _ = run(capsys, "stats", str(tmp_path / "net.spine"), "--roofline", "--json")
    found: dict[str, Any] = json.loads(out)
    assert found["peak"] == {"multiply_adds": 2e9, "bytes": 1e9}
    assert f"{sum(row['multiply_adds'] for row in found['rows']):,}" in total
