"""Try every stray, and print how many were answered right and which were not: `python -m tests.syntax.strays`."""

from __future__ import annotations

import sys
from collections import Counter

from tests.syntax.strays import answer, base, strays


def main() -> None:
    source, wrong, tried = base(), Counter[str](), 0
    for stray in strays(source):
        tried += 1
        if (found := answer(stray, source)) != "":
            wrong[f"{stray.what}, {stray.place}, {stray.row!r}: {found}"] += 1
    right = tried - wrong.total()
    last = f"{right:,} of {tried:,} strays are one error at their place: {right / tried:.2%}"
    sys.stdout.write("\n".join([*sorted(wrong), last, ""]))


if __name__ == "__main__":
    main()
