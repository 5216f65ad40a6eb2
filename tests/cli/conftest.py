"""What tests of the command line share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import NET, without_clocks
from tests.search.spaces import SPACES

USING = ("eval", "predict", "gallery", "export", "quantize")  # commands that need trained networks


@pytest.fixture
def net(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network and its weights, and, for commands that use them, trained ones; where commands run."""
    import numpy as np

    import spinedsl
    from spinedsl.ops.graph import flatten
    from tests.building import weights_for
    from tests.data.making import data_sets

    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.spine").write_text(NET)
    np.savez(tmp_path / "w.npz", **weights_for(flatten(spinedsl.program("net.spine"))))  # type: ignore[arg-type]
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if "weights put" in str(name):
        (tmp_path / "net.onnx").write_bytes(*spinedsl.compile("net.spine", to="onnx").values())
    if str(name).startswith("search"):
        from spinedsl import search

        search.run("net.spine", budget=2, study="s.db")
        if name == "search rank":
            values: dict[str, Any] = {"name": "AroundSpineNet49", "engine": "random", "budget": 6, "study": "values.db"}
            search.run(SPACES, lambda one: float(one.costs.parameters), **values)
    without_clocks(monkeypatch)
    data_sets(tmp_path)
    if name in USING:
        from tests.inference.making import used

        used(tmp_path)
    return tmp_path
