"""Lists about persons: pairs of pictures as LFW has them, and five points of each face.

In: a data set, and the path of the list. Out: the data set with its pairs or points, and each line that is wrong.

A line of pairs is `name n m` (two pictures of one person) or `name n other m` (of two), with tabs or blanks between;
names with blanks need tabs. `n` is the number at the end of a picture's name, as in `name_0001.jpg`. A first line of
`folds n` says that each of so many folds has n pairs of the one kind and then n of the other; one number is that of a
single fold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.align import Points, wrong_points
from spinedsl.data.dataset import Dataset, Pair, line_of, nowhere
from spinedsl.data.listing import read_listing, read_rows
from spinedsl.diagnostics import Diagnostic, Nearest, Outcome, one_of
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible
from spinedsl.record import replace
from spinedsl.source import Source

POINTS = 5
_NUMBER = re.compile(r"[0-9]{1,9}")
_AT_END = re.compile(r"_?0*([0-9]{1,9})$")


def pairs_of(dataset: Dataset, path: Path, encoding: str = "") -> Outcome[Dataset]:
    """The data set with the pairs of a list."""
    listing = read_listing(path, encoding)
    if listing.value is None:
        return Outcome(dataset, listing.diagnostics)
    source = listing.value
    found = list(listing.diagnostics)
    lines = [(number, line) for number, line in enumerate(source.text.split("\n"), start=1) if line.strip()]
    head = [word for _, line in lines[:1] for word in line.split()]
    sizes = [int(word) for word in head] if head and all(map(_NUMBER.fullmatch, head)) and len(head) < 3 else []
    body = lines[1:] if sizes else lines
    read = _Pairs(dataset, source)
    pairs = [pair for number, line in body for pair in read.pair(number, line, found)]
    if sizes:
        folds, each = (sizes[0], sizes[1]) if len(sizes) == 2 else (1, sizes[0])
        if len(body) != 2 * folds * each:
            what = f"the first line speaks of {2 * folds * each:,} pairs, and there are {len(body):,}"
            label = f"{counted(folds, 'fold')} of {each:,} pairs of one person and {each:,} of two"
            found.append(say.BAD_PAIRS.at(line_of(source, lines[0][0]), what=what, label=label))
        first = {number: index for index, (number, _) in enumerate(body)}
        pairs = [replace(pair, fold=min(first[pair.line] // max(2 * each, 1), folds - 1)) for pair in pairs]
    if not pairs and not found:
        found.append(say.BAD_PAIRS.at(nowhere(str(path)), what=f"`{legible(str(path))}` has no pairs", label=""))
    return Outcome(replace(dataset, pairs=tuple(pairs), listing=source), tuple(found))


class _Pairs:
    """Reads lines of pairs: pictures by the person and the number at the end of their name."""

    def __init__(self, dataset: Dataset, source: Source) -> None:
        self.source, self.dataset = source, dataset
        self.pictures: dict[str, dict[str, list[int]]] = {name: {} for name in dataset.classes}
        self.nearest = Nearest(self.pictures)
        for index, sample in enumerate(dataset.samples):
            file = legible(os.path.basename(sample.path))  # noqa: PTH119
            person = self.pictures[dataset.classes[sample.label]]
            person.setdefault(file, []).append(index)
            number = _AT_END.search(os.path.splitext(file)[0])  # noqa: PTH122
            if number and number[1] != file:
                person.setdefault(number[1], []).append(index)

    def pair(self, line: int, text: str, found: list[Diagnostic]) -> Iterator[Pair]:
        """The pair of a line, if it is one."""
        place = line_of(self.source, line)
        words = [word.strip() for word in text.strip().split("\t")] if "\t" in text.strip() else text.split()
        if len(words) not in (3, 4):
            what = f"a pair is `name n m` or `name n other m`; this line has {counted(len(words), 'word')}"
            label = "names with blanks need tabs between" * (len(words) > 4)
            found.append(say.BAD_PAIRS.at(place, what=what, label=label))
            return
        sides = [(words[0], words[1]), (words[0] if len(words) == 3 else words[2], words[-1])]
        wrong = [one for person, number in dict.fromkeys(sides) for one in self.wrong(person, number)]
        if wrong:
            found += (say.BAD_PAIRS.at(place, what=what, label=label) for what, label in wrong)
            return
        (first,), (second,) = (self.pictures[person][_plain(number)] for person, number in sides)
        if first == second:
            what = "this pair is one picture and itself"
            found.append(say.BAD_PAIRS.at(place, what=what, label="expected two pictures"))
            return
        yield Pair(first, second, sides[0][0] == sides[1][0], 0, line)

    def wrong(self, person: str, number: str) -> Iterator[tuple[str, str]]:
        """Why there is no such picture, or more than one: what is wrong, and what there is."""
        if person not in self.pictures:
            near = self.nearest(person)
            label = f"did you mean `{near}`?" if near else "no folder is called so"
            yield f"there is no person `{one_line(person)}`", label
        elif _plain(number) not in self.pictures[person]:
            numbers = sorted(int(one) for one in self.pictures[person] if one.isdigit())
            has = one_of(map(str, numbers), conjunction="and", limit=8)
            label = f"there is {has}" if numbers else "a picture's name ends with its number, as in `name_0001.jpg`"
            yield f"`{one_line(person)}` has no picture {one_line(number)}", label
        elif len(several := self.pictures[person][_plain(number)]) > 1:
            names = one_of(map(self.dataset.called, several), conjunction="and", limit=4)
            what = f"`{one_line(person)}` has {len(several):,} pictures {one_line(number)}: {names}"
            yield what, "rename all but one, or take them out"


def _plain(number: str) -> str:
    return number.lstrip("0") or "0" if number.isdigit() else number


# ---- five points ----


def read_points(path: Path, encoding: str = "", *, settable: bool = True) -> Outcome[dict[str, Points]]:
    """Five points for each picture, by its whole path, and each line that is wrong.

    A line is the path of a picture, from where the list stands, and x and y of left eye, right eye, nose, left and
    right corner of the mouth. A first line may name the columns. `settable` is that of `read_listing`.
    """
    listing = read_listing(path, encoding, settable=settable)
    if listing.value is None:
        return Outcome(None, listing.diagnostics)
    source = listing.value
    rows = read_rows(source)
    found = [*listing.diagnostics, *rows.diagnostics]
    points: dict[str, Points] = {}
    lines: dict[str, int] = {}  # that have them
    for number, row in enumerate(rows.value or ()):
        if number == 0 and len(row.fields) > 1 and not any(map(_is_number, row.fields[1:])):
            continue  # names of columns
        reason = _wrong_in(row.fields)
        if reason:
            label = "expected a path and ten numbers"
            found.append(say.BAD_LANDMARKS.at(line_of(source, row.line), what=reason, label=label))
            continue
        place, own = place_of(path.parent / row.fields[0]), tuple(map(float, row.fields[1:]))
        line = lines.setdefault(place, row.line)
        if points.setdefault(place, own) != own:
            what = f"`{one_line(row.fields[0])}` has other points in line {line}"
            found.append(say.BAD_LANDMARKS.at(line_of(source, row.line), what=what, label="take one of the lines out"))
    return Outcome(points, tuple(found))


def place_of(path: str | Path) -> str:
    """What pictures and lines of a list are compared by: the whole path, however it is written."""
    return os.path.abspath(path)  # noqa: PTH100  which follows no links: a list names what stands there


def without_points(path: Path, lacking: Sequence[str]) -> Diagnostic:
    """A list does not have all pictures."""
    more = f" and {counted(len(lacking) - 1, 'other picture')}" if len(lacking) > 1 else ""
    what = f"there are no points of `{legible(lacking[0])}`{more}"
    found: Diagnostic = say.BAD_LANDMARKS.at(nowhere(str(path)), what=what, label="")
    return found


def points_of(dataset: Dataset, path: Path, encoding: str = "") -> Outcome[Dataset]:
    """The data set with the five points of each picture, by which it is aligned."""
    read = read_points(path, encoding)
    if read.value is None:
        return Outcome(dataset, read.diagnostics)
    points = read.value
    lacking = [sample.path for sample in dataset.samples if place_of(sample.path) not in points]
    if lacking:
        return Outcome(dataset, (*read.diagnostics, without_points(path, lacking)))
    held = tuple(points[place_of(sample.path)] for sample in dataset.samples)
    return Outcome(replace(dataset, landmarks=held), read.diagnostics)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _wrong_in(fields: Sequence[str]) -> str:
    """What is wrong with a row of points, or nothing."""
    if len(fields) != 1 + 2 * POINTS:
        return f"a face has {POINTS} points, x and y each; this row has {counted(len(fields) - 1, 'number')}"
    return wrong_points(list(fields[1:]))
