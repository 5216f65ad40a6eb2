"""The nearest name to one that is not there, and lists of names in words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None if nothing is near."""
    names = list(known)
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    for cutoff in (0.75, 0.6):
        if found := get_close_matches(name, names, n=1, cutoff=cutoff):
            return found[0]
    return None


def one_of(names: Iterable[str], *, conjunction: str = "or", limit: int = 12) -> str:
    """`a`, `b` or `c`; long lists are cut."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) > limit:
        return ", ".join(quoted[:limit]) + f", and {len(quoted) - limit} more"
    if len(quoted) < 2:
        return "".join(quoted) or "none"
    return ", ".join(quoted[:-1]) + f" {conjunction} {quoted[-1]}"
