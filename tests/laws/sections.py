"""What a soak tries: kinds of examples, each with a goal, and batches of each that a number decides.

In: the number of a batch. Out: how many examples of it kept the laws, and the smallest that broke one, in words.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from random import Random
from typing import Any, TypeAlias

from hypothesis import strategies as st

from spinedsl import driver, edit
from spinedsl.diagnostics import Severity
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.syntax.parse import parse
from spinedsl.testing import STANDARD, Mistake, edits, mistakes, networks
from spinedsl.testing import laws as the_laws
from spinedsl.testing.definitions import HIGHEST as HIGHEST_STEP
from spinedsl.testing.fuzz import Breach, Failure, smallest
from spinedsl.testing.nested import files
from spinedsl.testing.networks import HIGHEST, HIGHEST_CHOICE, to_text
from spinedsl.testing.texts import mutated
from tests.laws import nested
from tests.texts import MISTAKEN, ROOT, VALID, text_of

EDITED = ("tutorial/3_family.spine", "tutorial/5_own_block.spine", "permuted.spine")
LARGE = 3000  # characters: mutations of larger files would take nearly all the time
SHARES = (70, 18, 10, 2)  # of a hundred texts: from small files with mistakes, pieces, networks and large files
ATTEMPTS = 3000  # to make a text shorter

Tried: TypeAlias = tuple[st.SearchStrategy[Any], Callable[[Any, str], None]]


class Section(Record):
    """A kind of examples: what they are called, how many a batch has, its share of the time, and the goal of a release.

    `parts` are the paths of what it tries: figures stand until one of them changes. `run` does a batch.
    """

    title: str
    examples: int
    share: float
    goal: int
    parts: tuple[str, ...]
    run: Callable[[int, int, Counter[str]], Failure | None]


# ---- by Hypothesis, which shrinks what fails ----


def _held(law: str, source: Source, network: str, trial: Callable[[], None]) -> None:
    try:
        trial()
    except Exception as error:
        raise Breach(Failure(law, f"{type(error).__name__}: {error}", source, network)) from error


def _networks(names: Sequence[str], counts: Counter[str]) -> Tried:
    """Random networks, and these laws of them."""

    def attempt(text: str, only: str) -> None:
        source = STANDARD.source(text)
        for name in names:
            if only in ("", name):
                _held(name, source, "Net", partial(the_laws.EVERY[name], source, "Net"))
        counts["examples"] += 1

    return networks(), attempt


def _nested(counts: Counter[str]) -> Tried:
    """Random networks of loops in loops: by the second reading and every engine."""

    def attempt(text: str, only: str) -> None:
        source = Source.from_text(text)
        for name in nested.MAIN:
            if only in ("", name):
                _held(name, source, "Net", partial(nested.LAWS[name], source, "Net"))
        counts["examples"] += 1

    return files(), attempt


def _edits(counts: Counter[str]) -> Tried:
    files = [(ROOT / "examples" / name) for name in EDITED]
    sources = [Source.from_text(text_of(path), path.name, str(path)) for path in files]
    named = [(source, next(iter(driver.load(source).networks))) for source in sources]
    drawn = st.one_of(*(st.tuples(st.just(source), st.just(name), edits(source, name)) for source, name in named))

    def attempt(case: tuple[Source, str, edit.Edits], only: str) -> None:
        source, name, changes = case
        edited = edit.apply(source, changes, base=name, name="Edited__")
        for law in ("compiled", "counted"):
            _held(law, edited, "Edited__", partial(the_laws.NETWORK_LAWS[law], edited, "Edited__"))
        counts["examples"] += 1

    return drawn, attempt


def _mistakes(counts: Counter[str]) -> Tried:
    def attempt(mistake: Mistake, only: str) -> None:
        source = STANDARD.source(mistake.text)

        def refused() -> None:
            got = [d.code.id for d in driver.analyse(source).diagnostics if d.severity is Severity.ERROR]
            the_laws.require(got == [mistake.code], f"expected {mistake.code}, got {got}")

        _held("refused", source, "Net", refused)
        _held("repaired", source, "Net", partial(the_laws.repaired, source))
        counts["examples"] += 1
        counts[mistake.code] += 1

    return mistakes(), attempt


def _shrinking(make: Callable[[Counter[str]], Tried]) -> Callable[[int, int, Counter[str]], Failure | None]:
    return lambda number, examples, counts: smallest(*make(counts), number, examples)


# ---- texts: too many for Hypothesis ----


@cache
def _seeds() -> tuple[tuple[str, ...], ...]:
    """Texts to mutate: small files with mistakes, definitions and networks of all files by themselves, large files."""
    mistaken = tuple(text for text in map(text_of, MISTAKEN) if len(text) <= LARGE)
    pieces: dict[str, None] = {}
    for path in VALID:
        tree = parse(Source.from_text(text_of(path))).value
        assert tree is not None
        for part in (*tree.definitions, *tree.networks):
            pieces[part.span.text] = None
    return mistaken, tuple(text for text in pieces if len(text) <= LARGE), tuple(map(text_of, VALID))


def _network(draw: Random) -> str:
    """A random network of one to three blocks."""

    def numbers(highest: Sequence[int]) -> Any:
        return tuple(draw.randrange(most + 1) for most in highest)

    own = [numbers((HIGHEST_STEP,) * 3)] if draw.randrange(2) else []
    return to_text(
        STANDARD, own, [numbers(HIGHEST) for _ in range(1 + draw.randrange(3))], numbers((HIGHEST_CHOICE,) * 9)
    )


def _texts(number: int, examples: int, counts: Counter[str]) -> Failure | None:
    """Mutated texts: both laws of each. The first that breaks one ends the batch."""
    draw = Random(number)
    mistaken, pieces, large = _seeds()
    kinds = draw.choices((mistaken, pieces, [_network(draw) for _ in range(20)], large), SHARES, k=examples)
    gc.freeze()  # what is there now stays: no need to look through it again
    for kind in kinds:
        text = mutated(draw.choice(kind), draw)
        if (law := broken(text)) is not None:
            return _smallest_of(text, law)
        counts["examples"] += 1
    return None


def broken(text: str) -> str | None:
    """The law that a text breaks, and how."""
    source = Source.from_text(text)
    for name, law in the_laws.TEXT_LAWS.items():
        try:
            law(source)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            return f"{name}: {type(error).__name__}: {error}"
    return None


def _smallest_of(text: str, said: str) -> Failure:
    """The smallest part of a text that breaks the same law."""
    law = said.partition(":")[0]
    least = shortest(text, lambda part: (broken(part) or "").partition(":")[0] == law)
    return Failure(law, (broken(least) or said).removeprefix(f"{law}: "), Source.from_text(least), "")


def shortest(text: str, holds: Callable[[str], bool], attempts: int = ATTEMPTS) -> str:
    """What is left of a text when everything is taken out without which it still holds: halves first, then less."""
    size = len(text) // 2
    while size:
        at = 0
        while at < len(text) and attempts:
            shorter = text[:at] + text[at + size :]
            attempts -= 1
            if holds(shorter):
                text = shorter
            else:
                at += size
        size //= 2
    return text


FRONT = (
    "grammar",
    *(f"spinedsl/{part}" for part in ("syntax", "ir", "checks", "diagnostics", "prelude", "ops/types.py")),
    *(f"spinedsl/{part}.py" for part in ("driver", "source", "record", "edit")),
)
WHOLE = ("grammar", "spinedsl", ":!spinedsl/cli", ":!spinedsl/draw", ":!spinedsl/watch", ":!spinedsl/compare")
NESTED = (*WHOLE, "tests/reading.py", "tests/laws/nested.py")
AGREED, ALL = ("agreed",), tuple(the_laws.EVERY)
SECTIONS: dict[str, Section] = {
    "texts": Section("mutated texts", 5000, 4, 1_000_000, FRONT, _texts),
    "mistakes": Section("planted mistakes", 100, 1, 10_000, FRONT, _shrinking(_mistakes)),
    "witnesses": Section("networks, three witnesses", 100, 4, 5_000, WHOLE, _shrinking(partial(_networks, AGREED))),
    "laws": Section("networks, every law", 25, 1, 500, WHOLE, _shrinking(partial(_networks, ALL))),
    "nested": Section("networks of loops in loops", 50, 4, 2_000, NESTED, _shrinking(_nested)),
    "edits": Section("edited networks", 20, 0.5, 200, WHOLE, _shrinking(_edits)),
}  # fmt: skip


def batch(name: str, number: int) -> tuple[str, dict[str, int], float, str]:
    """One batch: its section, counts, seconds of processor time, and the smallest failure in words."""
    started = time.process_time()
    section = SECTIONS[name]
    counts: Counter[str] = Counter()
    failure = section.run(number, section.examples, counts)
    said = "" if failure is None else f"{failure.law}: {failure.message}\n{failure.source.text}"
    return name, dict(counts), time.process_time() - started, said
