"""The floor of coverage only rises: `python tests/floor.py .coverage.json`.

In: what coverage wrote. Exit status 1 where the tests take less of the core than `FLOOR`, as coverage counts with
branches; where they take clearly more, it says to raise it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FLOOR = 98.0  # of a hundred lines and branches
SLACK = 0.5  # what differs from run to run, since random networks are drawn


def verdict(lines: tuple[int, int], branches: tuple[int, int]) -> tuple[int, str]:
    """The exit status, and what to say, of so many taken of so many lines and branches."""
    share = 100 * (lines[0] + branches[0]) / (lines[1] + branches[1])
    said = (
        f"the tests take {share:.2f}% of the lines and branches of the core, of {branches[1]:,} branches alone "
        f"{100 * branches[0] / branches[1]:.2f}%; the floor is {FLOOR}%"
    )
    if share < FLOOR:
        return 1, said
    return 0, said if share < FLOOR + 2 * SLACK else f"{said}: raise it to {share - SLACK:.1f}%"


def main() -> int:
    """Compare the two."""
    totals = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["totals"]
    lines = totals["covered_lines"], totals["num_statements"]
    status, said = verdict(lines, (totals["covered_branches"], totals["num_branches"]))
    sys.stdout.write(f"== coverage: {said}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
