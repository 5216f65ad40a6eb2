"""Studies that tests of the report read: small, and of one space."""

from __future__ import annotations

from pathlib import Path

from spinedsl import search
from tests.search.spaces import SPACES

SPACE = "AroundSpineNet49"
SCRIPT = "<script>window.pwned = 1</script>"
HANDLER = "\"'><img src=1 onerror=window.pwned=1>"


def study_of(place: Path, engine: str = "evolution", seed: int = 0, budget: int = 30) -> search.Study:
    """A search for depth that is kept."""
    return search.run(SPACES, "depth", name=SPACE, engine=engine, seed=seed, budget=budget, study=place)


def failing(candidate: search.Measured) -> float:
    """A fitness that some candidates have none of."""
    if candidate.slot % 5 == 3:
        return float("nan")
    return float(candidate.costs.parameters)
