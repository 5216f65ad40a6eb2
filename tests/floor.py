"""The floor of coverage only rises: `python tests/floor.py .coverage.json`.

In: what coverage wrote. Exit status 1 where the tests take fewer branches than the floor in pyproject.toml, and where
they take so many more that the floor should rise.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

SLACK = 0.4  # of a hundred: what differs from run to run, since random networks are drawn
ROOT = Path(__file__).resolve().parent.parent


def verdict(covered: float, floor: float) -> tuple[int, str]:
    """The exit status, and what to say."""
    if covered < floor:
        return 1, f"the tests take {covered:.2f}% of the branches and lines of the core; the floor is {floor}%"
    if covered >= floor + SLACK + 0.1:
        return 1, f"the tests take {covered:.2f}%: raise fail_under in pyproject.toml to {covered - SLACK:.1f}"
    return 0, f"the tests take {covered:.2f}% of the branches and lines of the core; the floor is {floor}%"


def main() -> int:
    """Compare the two."""
    covered = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["totals"]["percent_covered"]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    status, said = verdict(covered, settings["tool"]["coverage"]["report"]["fail_under"])
    sys.stdout.write(f"== coverage: {said}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
