"""The nearest name to one that is not there, and lists of names in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

MAX_KNOWN = 300  # names that are looked at, the first ones first
MAX_LENGTH = 60  # of a name in a list
BEGINNING = 0.7  # what a name that only goes on counts for
ENOUGH = 0.6  # of their letters are the same, in the same order


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None if nothing is near. Of equal ones, the first."""
    from difflib import SequenceMatcher  # noqa: PLC0415  most files have no mistakes

    folded = name.casefold()
    letters = set(folded)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(folded)
    best, found = ENOUGH, None
    for candidate in islice(known, MAX_KNOWN):
        other = candidate.casefold()
        if other == folded:
            return candidate
        if len(folded) > 1 and other.startswith(folded) and best < BEGINNING:
            best, found = BEGINNING, candidate  # `eps` for `epsilon`
            continue
        longer = max(len(other), len(folded))
        # Cheap bounds first: most names are nothing like it.
        if abs(len(other) - len(folded)) * 2 > longer or len(letters & set(other)) * 2 < min(len(letters), len(other)):
            continue
        matcher.set_seq1(other)
        if matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, found = ratio, candidate
    return found


def nearest_file(name: str, known: Iterable[str]) -> str | None:
    """The same for names of files: an ending that both have is no likeness."""
    stem, dot, ending = name.rpartition(".")
    if not stem:
        return nearest(name, known)
    files = list(known)
    stems = {other.removesuffix(dot + ending): other for other in files if other.endswith(dot + ending)}
    near = nearest(stem, stems)
    return stems[near] if near is not None else nearest(name, (other for other in files if other not in stems.values()))


class Nearest:
    """`nearest` for many names: each is compared once, and of thousands only the first `most` are at all."""

    def __init__(self, known: Collection[str], most: int = 100) -> None:
        self._known, self._most = known, most
        self._found: dict[str, str | None] = {}

    def __call__(self, name: str) -> str | None:
        """The known name most like it, or nothing."""
        if name not in self._found and len(self._found) < self._most:
            self._found[name] = nearest(name, self._known)
        return self._found.get(name)


def one_of(names: Iterable[str], *, conjunction: str = "or", limit: int = 12) -> str:
    """`a`, `b` or `c`; long lists are cut."""
    rest = iter(names)
    quoted = [f"`{name if len(name) <= MAX_LENGTH else name[: MAX_LENGTH - 1] + '…'}`" for name in islice(rest, limit)]
    if more := sum(1 for _ in rest):
        return ", ".join(quoted) + f", and {more} more"
    if len(quoted) < 2:
        return "".join(quoted) or "none"
    return ", ".join(quoted[:-1]) + f" {conjunction} {quoted[-1]}"
