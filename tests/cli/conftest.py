"""What tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import NET


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network and its weights, where commands run."""
    import numpy as np

    import spinedsl
    from spinedsl.ops.graph import flatten
    from tests.building import weights_for
    from tests.data.making import data_sets

    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.spine").write_text(NET)
    np.savez(tmp_path / "w.npz", **weights_for(flatten(spinedsl.program("net.spine"))))  # type: ignore[arg-type]
    data_sets(tmp_path)
    return tmp_path
