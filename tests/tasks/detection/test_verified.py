"""`--detect --verify`: boxes are compared too, and a wrong way from heads to boxes is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import spinedsl
from spinedsl import api
from spinedsl.backends import Options
from spinedsl.backends.onnx import boxes as nodes
from spinedsl.ops.detection import Limits
from spinedsl.record import replace
from spinedsl.tasks.detection.verified import verified
from tests.training.finding import NETWORKS


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("to", ["onnx", "torch"])
@pytest.mark.parametrize("given", [{}, {"score": 0.999}, {"top": 7, "max_detections": 9, "score": 0.0}])
def test_boxes_are_compared_whatever_the_limits_leave(
    kind: str, to: Any, given: dict[str, float], tmp_path: Path
) -> None:
    (tmp_path / "net.spine").write_text(NETWORKS[kind], encoding="utf-8")
    program = spinedsl.program(tmp_path / "net.spine")
    found = verified(program, Options(detect=True, **given), to)  # type: ignore[arg-type]
    assert found.odd == ()
    assert found.boxes > 20


def test_what_is_written_says_it(tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(NETWORKS["points"], encoding="utf-8")
    (data,) = spinedsl.compile(tmp_path / "net.spine", to="onnx", detect=True, verify=True).values()
    assert b"and finds the same boxes as are decoded from its heads, " in data


@pytest.mark.parametrize("name", ["overlap", "score", "most"])
def test_a_model_that_keeps_others_is_a_disagreement(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.spine").write_text(NETWORKS["points"], encoding="utf-8")
    right = nodes.find_boxes
    wrong: dict[str, Any] = {"overlap": 0.9, "score": 0.7, "most": 100}

    def other(graph: Any, target: Any, what: Any, limits: Limits) -> None:
        right(graph, target, what, replace(limits, **{name: wrong[name]}))

    monkeypatch.setattr("spinedsl.backends.onnx.find_boxes", other)
    limit = {"max_detections": 5} if name == "most" else {}
    with pytest.raises(api.Disagreement) as raised:
        spinedsl.compile(tmp_path / "net.spine", to="onnx", detect=True, verify=True, **limit)  # type: ignore[arg-type]
    assert "boxes are not those of its heads" in str(raised.value.report)
