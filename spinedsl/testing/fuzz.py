"""Fuzz: the laws on a user's network, on random edits of it, and on random networks of its types.

In: a file without mistakes. Out: a `Report`: what was covered, and the smallest network that breaks a law, if one does.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from spinedsl import api, driver, edit
from spinedsl.diagnostics import Severity
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.testing import laws, networks
from spinedsl.testing.coverage import Covered
from spinedsl.testing.edits import NAME as EDITED
from spinedsl.testing.edits import edits
from spinedsl.testing.mistakes import CODES, plant
from spinedsl.testing.networks import NAME
from spinedsl.testing.space import Space

T = TypeVar("T")

OF_MISTAKES = ("refused", "repaired")
PLANTED = 5  # mistakes in each network of the file's types
SIDE = 64  # pixels, about: of the input, where the network takes another size than it says


class Failure(Record):
    """A law that does not hold, for which file and network, and what came instead."""

    law: str
    message: str
    source: Source
    network: str


class Report(Record):
    """What was tried, part by part, and the smallest failure if there is one."""

    tried: tuple[tuple[str, int], ...]
    covered: Covered
    failure: Failure | None


class Breach(Exception):
    """Unwinds to where Hypothesis shrinks."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def hold(source: Source, network: str, covered: Covered, planted: int = 0, only: str = "") -> None:
    """Try every law on a network, or `only` one, and plant so many mistakes: which, the text tells.

    Raises:
        Breach: a law does not hold.
    """
    turn = zlib.crc32(source.text.encode("utf-8", "backslashreplace"))
    for name, law in laws.EVERY.items():
        if only in ("", name):
            _try(name, source, network, partial(law, source, network))
    for step in range(planted) if only in ("", *OF_MISTAKES) else ():
        _try(OF_MISTAKES[0], source, network, partial(_refused, source, network, turn + step, covered))
    analysis = driver.analyse(source, only=network).value
    if not only and analysis is not None and network in analysis.checked:
        covered.see(analysis.checked[network].typed)


def _try(name: str, source: Source, network: str, law: Callable[[], None]) -> None:
    try:
        law()
    except ImportError:
        raise
    except Breach:
        raise
    except laws.Broken as broken:
        raise Breach(Failure(name, str(broken), source, network)) from broken
    except Exception as error:
        message = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise Breach(Failure(name, message, source, network)) from error


def _refused(source: Source, network: str, number: int, covered: Covered) -> None:
    """A mistake of the code of that number is refused with its code, and with no other."""
    code = CODES[number % len(CODES)]
    planted = plant(code, source, network, number // len(CODES) % 12)
    if planted is None:
        return
    wrong = Source.from_text(planted.text, source.name, source.origin)
    got = [d.code.id for d in driver.analyse(wrong).diagnostics if d.severity is Severity.ERROR]
    if got != [code]:
        message = f"a planted mistake of {code} is answered with {', '.join(got) or 'nothing'}"
        raise Breach(Failure("refused", message, wrong, network))
    _try("repaired", wrong, network, partial(laws.repaired, wrong))
    covered.codes[code] += 1


def smallest(
    strategy: st.SearchStrategy[T], attempt: Callable[[T, str], None], number: int, examples: int
) -> Failure | None:
    """Draw examples until one fails, and shrink that.

    `attempt` raises a `Breach`. Once one is found, it is asked for the law of that alone.
    """
    found: list[Failure] = []

    @seed(number)
    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet, print_blob=False, report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    @given(strategy)
    def tried(case: T) -> None:
        try:
            attempt(case, found[-1].law if found else "")
        except Breach as breach:
            found.append(breach.failure)
            raise

    try:
        tried()
    except Breach:
        return found[-1]  # Hypothesis ends with the smallest
    return None


def small(source: Source, network: str) -> tuple[Source, str]:
    """The network with a small input, where it takes one: numbers are the same at every size."""
    program = api.program(source, network=network)
    side = program.divisor * -(-SIDE // program.divisor) if not program.any_size else SIDE - 7
    if program.static_axes or program.input_type.height * program.input_type.width <= side * side:
        return source, program.name
    size = f"{program.input_name}: {program.input_type.channels} x {side} x {side}"
    name = f"{program.name}_small"
    smaller = edit.apply(source, edit.Edits([edit.Setting("input", (size,))]), base=program.name, name=name)
    return (smaller, name) if api.check(smaller, network=name).ok else (source, program.name)


def fuzz(
    source: Source,
    network: str | None = None,
    *,
    examples: int = 25,
    number: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> Report:
    """Run the laws: on the network, on `examples` random edits of it, and on as many networks of the file's types.

    `number` is the seed, `say` is told what begins.

    Raises:
        Mistakes: the file has mistakes.
        NetworkChoice: several networks and none chosen, or an unknown one.
    """
    base, name = small(source, api.program(source, network=network).name)
    space, covered = Space.of(source), Covered()
    tried: list[tuple[str, int]] = []
    for what, count, strategy, attempt in _parts(base, name, space, covered):
        wanted = examples if count is None else count
        if not wanted:
            continue
        before = covered.networks
        say(f"{what}: {wanted}")
        failure = smallest(strategy, attempt, number, wanted)
        tried.append((what, covered.networks - before))
        if failure is not None:
            return Report(tuple(tried), covered, failure)
    return Report(tuple(tried), covered, None)


def _free_name(base: Source) -> str:
    """What a random network beside a file is called: as always, unless an imported file has one of that name."""
    analysis, name = driver.analyse(base).value, NAME
    while analysis is not None and any(unit is not analysis.unit for unit in analysis.unit.with_network(name)):
        name += "_"
    return name


Part = tuple[str, int | None, st.SearchStrategy[Any], Callable[[Any, str], None]]


def _parts(base: Source, name: str, space: Space, covered: Covered) -> Iterator[Part]:
    """What is tried, how many of it, how it is drawn, and how it is tried."""

    def as_it_stands(_: None, only: str) -> None:
        hold(base, name, covered, only=only)

    def edited(changes: edit.Edits, only: str) -> None:
        if len(changes):
            hold(edit.apply(base, changes, base=name, name=EDITED), EDITED, covered, only=only)

    network = _free_name(base)

    def drawn(text: str, only: str) -> None:
        text = text.replace(f"network {NAME} {{", f"network {network} {{", 1)
        hold(space.source(text), network, covered, PLANTED, only)

    yield "the network as it stands", 1, st.none(), as_it_stands
    yield "random networks of its types", None, networks(space), drawn
    yield "random edits of it", None, edits(base, name, space=space), edited
