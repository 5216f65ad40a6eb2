"""A small network, and how the command is run in the process of a test."""

from __future__ import annotations

import itertools

import pytest

from spinedsl.cli import main

NET = """\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 16 x 16
    defaults { act relu, norm batch_norm }
    widths { level 2: 8 }
    stem s: resnet_stem channels 8
    block b: residual  level 2  after s
    output C2: b
}

space Small of Net { types b: residual, bottleneck }
"""


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit status, and what came on both streams."""
    try:
        status = main(words)
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def without_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bench says the same each time: its clocks count, and memory and the core's peak are always the same."""
    from spinedsl.timing import measure, peak

    counting = measure.Clocks

    def clocks() -> measure.Clocks:
        return counting(itertools.count(1.0).__next__, itertools.count(1.0).__next__)

    monkeypatch.setattr(measure, "Clocks", clocks)
    monkeypatch.setattr(measure, "fastest", lambda clock: peak.Kernel(10**9, lambda: None))
    monkeypatch.setattr(peak, "measured_peak", lambda: peak.Peak(1e9, 1e9))
    monkeypatch.setattr(measure, "added_by", lambda work: (work(), 2**20))
