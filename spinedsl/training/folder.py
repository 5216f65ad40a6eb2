"""The folder of a run: what its checkpoints are called, and which of them is for use."""

from __future__ import annotations

from pathlib import Path

LAST, BEST = "last.safetensors", "best.safetensors"
# The checkpoints of a run that another one replaced before its end.
STOPPED, STOPPED_BEST = "stopped-at-{step}.safetensors", "stopped-at-{step}-best.safetensors"


def checkpoint_in(folder: Path) -> Path | None:
    """The best checkpoint of a run's folder, else the last; None where there is neither."""
    return next((folder / name for name in (BEST, LAST) if (folder / name).is_file()), None)
