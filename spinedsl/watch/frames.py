"""Frames: what the page shows after each save of a file, or of one that it imports.

In: the path of a file. Out: a `Frame` for every state in which it is found. A file that has mistakes, or is gone,
leaves the figure as it was. Changes are found by asking for times, sizes and inodes: it works with every editor and
every kind of disk, and costs nothing worth mentioning for a handful of files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event
from typing import TypeAlias

from spinedsl import driver
from spinedsl.compare import Side, compare
from spinedsl.compare.words import headline
from spinedsl.diagnostics import Diagnostic, Severity, one_of
from spinedsl.draw import lay_out, to_svg
from spinedsl.draw.page import captions
from spinedsl.ir.typed import InputSize
from spinedsl.lower import lower
from spinedsl.record import Record

POLL = 0.05  # seconds between looks
SETTLE = 0.1  # that a file may be gone or empty while an editor saves it
NO_FIGURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"></svg>'
Prints: TypeAlias = dict[Path, "tuple[int, ...] | None"]  # None: there is no such file


class Frame(Record):
    """What the page shows. Frames and figures are counted, so that nobody shows one twice."""

    number: int = 0
    figure: int = 0
    svg: str = NO_FIGURE
    title: str = ""
    subtitle: str = ""
    said: str = ""  # one line
    diagnostics: tuple[Diagnostic, ...] = ()
    problem: str = ""  # what is wrong besides: no such network
    stale: bool = False  # the figure is that of an earlier state

    @property
    def broken(self) -> bool:
        """There is no figure of the file as it is."""
        return bool(self.problem) or any(said.severity is Severity.ERROR for said in self.diagnostics)

    @property
    def shows(self) -> object:
        """What somebody sees of it."""
        return self.figure, self.stale, self.problem, [(said.code, said.message) for said in self.diagnostics]


class Watcher:
    """Makes a frame of a file whenever it, or one that it imports, was saved."""

    def __init__(self, path: Path, network: str | None = None, size: tuple[int, int] | None = None) -> None:
        self.path, self.network = path, network
        self.size = InputSize(*size) if size is not None else None
        self.frame = Frame()
        self.files: tuple[Path, ...] = (path,)
        self.good: Side | None = None

    def run(self, publish: Callable[[Frame], None], stop: Event, poll: float = POLL) -> None:
        """Publish a frame at once, and one after each save, until told to stop."""
        seen: Prints = {}
        while not stop.is_set():
            now = prints(self.files)
            if now != seen:
                now = self.settled(now, seen, stop)
                before, frame = self.frame, self.look()
                # Which files it imports is known by now: these are looked at once more, in case they changed meanwhile.
                if now.keys() == seen.keys() or not before.number or frame.shows != before.shows:
                    publish(frame)
                seen = now
            stop.wait(poll)

    def settled(self, now: Prints, seen: Prints, stop: Event) -> Prints:
        """The same a moment later where a file is gone or empty: an editor may be about to put it back."""
        if all(now[path] and _bytes(now[path]) for path in now if seen.get(path)):
            return now
        stop.wait(SETTLE)
        return prints(self.files)

    def look(self) -> Frame:
        """The next frame: the file as it is now."""
        start = time.perf_counter()
        read = driver.read(self.path)
        outcome = read.then(lambda source: driver.analyse(source, self.size))
        analysis = outcome.value
        problem = ""
        side: Side | None = None
        if analysis is not None:
            self.files = tuple(dict.fromkeys((self.path, *driver.reads(analysis))))
            chosen = driver.choose_network(analysis.networks, self.network)
            if not isinstance(chosen, str):
                problem = _choice(self.network, chosen) if outcome.ok or chosen else ""
            elif chosen in analysis.checked:
                side = Side(analysis.source, analysis.networks[chosen], lower(analysis.checked[chosen]))
        self.frame = self.next(side, outcome.diagnostics, problem, start)
        return self.frame

    def next(self, side: Side | None, said: tuple[Diagnostic, ...], problem: str, start: float) -> Frame:
        """The frame after this one; without a side the figure stays."""
        last = self.frame
        if side is None:
            words = "mistakes: the figure is the last good one" if last.figure else "mistakes"
            return Frame(
                last.number + 1,
                last.figure,
                last.svg,
                last.title,
                last.subtitle,
                words,
                said,
                problem,
                bool(last.figure),
            )
        words = f"{side.name}: {side.costs.parameters:,} parameters, {side.costs.multiply_adds:,} multiply-adds"
        same = False
        if self.good is not None:
            difference = compare(self.good, side)
            same = not difference.changes and not difference.reasons
            words += f"; {headline(difference)}"
        self.good = side
        figure = lay_out(side.program)
        svg = to_svg(figure, in_page=True)
        title, subtitle = captions(figure)
        number = last.figure if svg == last.svg else last.figure + 1
        words += f" ({(time.perf_counter() - start) * 1000:.0f} ms)" if not same or number != last.figure else ""
        return Frame(last.number + 1, number, svg, title, subtitle, words, said, problem)


def prints(paths: Iterable[Path]) -> Prints:
    """What tells one state of a file from another, without reading it."""
    return {path: _print(path) for path in paths}


def _print(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


def _bytes(found: tuple[int, ...] | None) -> int:
    return found[0] if found is not None else 0


def _choice(asked: str | None, known: tuple[str, ...]) -> str:
    if not known:
        return "there is no network that can be drawn as it stands"
    if asked is None:
        return f"there are {len(known)} networks, choose one by --network: {one_of(known, limit=40)}"
    return f"there is no network `{asked}` now: there is {one_of(known, conjunction='and', limit=40)}"
