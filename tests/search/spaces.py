"""The spaces that tests of the search use."""

from __future__ import annotations

from pathlib import Path

SPACES = Path(__file__).parents[2] / "examples" / "spaces.spine"
