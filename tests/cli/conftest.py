"""What tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import NET


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network and its weights, where commands run."""
    import numpy as np
    from PIL import Image

    import spinedsl
    from spinedsl.ops.graph import flatten
    from tests.building import weights_for

    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.spine").write_text(NET)
    np.savez(tmp_path / "w.npz", **weights_for(flatten(spinedsl.program("net.spine"))))  # type: ignore[arg-type]
    for number, name in enumerate(("cat/1.png", "cat/2.png", "dog/1.png")):
        picture = tmp_path / "pictures" / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2), number).save(picture)
    return tmp_path
