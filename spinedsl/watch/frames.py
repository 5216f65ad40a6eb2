"""Frames: what the page shows after each save of a file, or of one that it imports.

In: the path of a file. Out: a `Frame` for every state in which it is found. A file that has mistakes, or is gone,
leaves the figure as it was. Changes are found by asking for times, sizes and inodes: it works with every editor and
every kind of disk, and costs nothing worth mentioning for a handful of files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import TypeAlias

from spinedsl import driver
from spinedsl.checks.switches import Switches
from spinedsl.compare import Side, compare
from spinedsl.compare.words import headline
from spinedsl.diagnostics import Diagnostic, Outcome, Severity, one_of
from spinedsl.draw import lay_out, to_svg
from spinedsl.draw.page import captions
from spinedsl.ir.typed import InputSize
from spinedsl.lower import lower
from spinedsl.prelude import FOLDER
from spinedsl.record import Record, replace

POLL = 0.05  # seconds between looks
SETTLE = 0.1  # that a file may be gone or empty while an editor saves it
NO_FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 400">'
    '<text x="300" y="200" text-anchor="middle" font-size="16" fill="#808890">no figure yet</text></svg>'
)
Prints: TypeAlias = dict[Path, "tuple[int, ...] | None"]  # None: there is no such file


class Frame(Record):
    """What the page shows. Frames and figures are counted, so that nobody shows one twice."""

    number: int = 0
    figure: int = 0
    svg: str = NO_FIGURE
    title: str = ""
    subtitle: str = ""
    status: str = ""  # one line
    diagnostics: tuple[Diagnostic, ...] = ()
    problem: str = ""  # what is wrong besides: no such network
    stale: bool = False  # the figure is that of an earlier state

    @property
    def broken(self) -> bool:
        """There is no figure of the file as it is."""
        return bool(self.problem) or any(one.severity is Severity.ERROR for one in self.diagnostics)

    @property
    def shows(self) -> object:
        """What somebody sees of it."""
        return self.figure, self.stale, self.problem, [(one.code, one.message) for one in self.diagnostics]


class Watcher:
    """Makes a frame of a file whenever it, or one that it imports, was saved.

    `switches` says anew for each frame which lints are on; `settings` are the files where that may be written.
    """

    def __init__(
        self,
        path: Path,
        network: str | None = None,
        size: tuple[int, int] | None = None,
        switches: Callable[[], Outcome[Switches]] = lambda: Outcome(driver.USUAL),
        settings: Sequence[Path] = (),
    ) -> None:
        self.path, self.network = path, network
        self.switches, self.settings = switches, tuple(settings)
        self.size = InputSize(*size) if size is not None else None
        self.frame = Frame()
        self.files: tuple[Path, ...] = (path, *self.settings)
        self.good: Side | None = None

    def run(self, publish: Callable[[Frame], None], stop: Event, poll: float = POLL) -> None:
        """Publish a frame at once, and one after each save, until told to stop."""
        seen: Prints = {}
        while not stop.is_set():
            now = prints(self.files)
            if now != seen:
                now = self.settled(now, seen, stop)
                # Once it is known which files it imports, all are looked at again, in case one changed meanwhile.
                before, again = self.frame, bool(seen) and now.keys() != seen.keys()
                for frame in self.looks():
                    if not again or frame.shows != before.shows:
                        publish(frame)
                seen = now
            stop.wait(poll)

    def settled(self, now: Prints, seen: Prints, stop: Event) -> Prints:
        """The same a moment later where a file is gone or empty: an editor may be about to put it back."""
        if all(now[path] and _bytes(now[path]) for path in now if seen.get(path)):
            return now
        stop.wait(SETTLE)
        return prints(self.files)

    @property
    def wanted(self) -> str | None:
        """The network to draw: the one that was asked for, else the one that was drawn last."""
        return self.network or (self.good.name if self.good is not None else None)

    def looks(self) -> Iterator[Frame]:
        """The next frame: the file as it is now. Then, if there is more to say of its other networks, one that does."""
        start, wanted = time.perf_counter(), self.wanted
        asked = self.switches()
        if asked.value is None:
            self.frame = self.next(None, asked.diagnostics, "", start)
            yield self.frame
            return
        switches = asked.value
        read = driver.read(self.path).then(lambda source: Outcome(driver.load(source)))
        outcome = read.then(lambda loaded: driver.analyse(loaded, self.size, wanted, switches))
        if self.network is None and outcome.value is not None and wanted not in (None, *outcome.value.networks):
            wanted = None  # it went: another takes its place
            outcome = read.then(lambda loaded: driver.analyse(loaded, self.size, None, switches))
        self.frame = self.next(*self.found(outcome, wanted), start)
        yield self.frame
        if read.value is None or len(read.value.networks) < 2 or wanted is None:
            return
        whole = driver.analyse(read.value, self.size, None, switches)
        if [one.message for one in whole.diagnostics] != [one.message for one in self.frame.diagnostics]:
            self.frame = replace(self.frame, number=self.frame.number + 1, diagnostics=whole.diagnostics)
            yield self.frame

    def found(
        self, outcome: Outcome[driver.Analysis], wanted: str | None
    ) -> tuple[Side | None, tuple[Diagnostic, ...], str]:
        """The network to draw, what is reported about the file, and whether there is no such network."""
        analysis = outcome.value
        if analysis is None:
            return None, outcome.diagnostics, ""
        self.files = tuple(dict.fromkeys((self.path, *files_of(analysis), *self.settings)))
        chosen = driver.choose_network(analysis.networks, wanted)
        if wanted is None and not isinstance(chosen, str) and chosen:
            chosen = chosen[0]
        if not isinstance(chosen, str):
            return None, outcome.diagnostics, _choice(self.network, chosen) if outcome.ok or chosen else ""
        if chosen not in analysis.checked:
            return None, outcome.diagnostics, ""
        program = lower(analysis.checked[chosen])
        return Side(analysis.source, analysis.networks[chosen], program), outcome.diagnostics, ""

    def next(self, side: Side | None, diagnostics: tuple[Diagnostic, ...], problem: str, start: float) -> Frame:
        """The frame after the one at hand; without a side the figure stays."""
        last = self.frame
        if side is None:
            words = "mistakes: the figure is the last good one" if last.figure else "mistakes"
            return replace(
                last,
                number=last.number + 1,
                status=words,
                diagnostics=diagnostics,
                problem=problem,
                stale=bool(last.figure),
            )
        others = (
            ""
            if self.network or len(known := side.network.unit.networks) < 2
            else f" (one of {len(known)}, --network chooses)"
        )
        words = f"{side.name}{others}: {side.costs.parameters:,} parameters, {side.costs.multiply_adds:,} multiply-adds"
        if self.good is not None:
            words += f"; {headline(compare(self.good, side))}"
        self.good = side
        figure = lay_out(side.program)
        svg = to_svg(figure, in_page=True)
        title, subtitle = captions(figure)
        number = last.figure if svg == last.svg else last.figure + 1
        words += f" ({(time.perf_counter() - start) * 1000:.0f} ms)"
        return Frame(last.number + 1, number, svg, title, subtitle, words, diagnostics, problem)


def files_of(analysis: driver.Analysis) -> tuple[Path, ...]:
    """The files that a file is made from, itself first; also those that it imports in vain. The prelude is left out."""
    found: dict[Path, None] = {}
    for unit in (analysis.unit, *analysis.unit.all_imports()):
        origin = unit.file.source.origin
        if not origin or Path(origin).is_relative_to(FOLDER):
            continue
        found[Path(origin)] = None
        found |= {
            Path(os.path.normpath(Path(origin).parent / import_.path)): None
            for import_ in unit.file.imports
            if isinstance(import_.path, str)
        }
    return tuple(found)


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
    return f"there is no network `{asked}` now: there is {one_of(known, conjunction='and', limit=40)}"
