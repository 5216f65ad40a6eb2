"""Soak: the laws on many random networks, edits, mistakes and texts, for so many minutes, and what came out.

Run by `make soak MINUTES=8`. A batch is a seed of Hypothesis; how many are done stands in `tests/laws/soak.json`, so a
run of the same commit goes on where the last one stopped, and one of another begins anew. The figures are also put
into RELIABILITY.md, between its marks.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypedDict

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # `tests` is a name that tests may import from

from hypothesis import strategies as st  # noqa: E402

from spinedsl import driver, edit  # noqa: E402
from spinedsl.diagnostics import Severity  # noqa: E402
from spinedsl.source import Source  # noqa: E402
from spinedsl.testing import STANDARD, Mistake, edits, mistakes, networks, texts  # noqa: E402
from spinedsl.testing import laws as the_laws  # noqa: E402
from spinedsl.testing.fuzz import Breach, Failure, smallest  # noqa: E402
from spinedsl.testing.mistakes import CODES  # noqa: E402
from tests.texts import MISTAKEN, VALID, text_of  # noqa: E402

RESULTS = ROOT / "tests/laws/soak.json"
DOCUMENT = ROOT / "RELIABILITY.md"
MARKS = ("<!-- soak -->", "<!-- end of soak -->")
EDITED = ("tutorial/3_family.spine", "tutorial/5_own_block.spine", "permuted.spine")


class Section(TypedDict):
    """What was done of one kind: examples by what they are counted as, and every failure."""

    batches: int
    seconds: float
    counts: dict[str, int]
    failures: list[str]


def _breach(law: str, error: Exception, source: Source) -> Breach:
    return Breach(Failure(law, f"{type(error).__name__}: {error}", source, "Net"))


def _of_networks(counts: Counter[str]) -> tuple[st.SearchStrategy[Any], Callable[[Any, str], None]]:
    def attempt(text: str, only: str) -> None:
        source = STANDARD.source(text)
        every = {name: partial(law, source) for name, law in the_laws.TEXT_LAWS.items()}
        every |= {name: partial(law, source, "Net") for name, law in the_laws.NETWORK_LAWS.items()}
        for name, law in every.items():
            if only not in ("", name):
                continue
            try:
                law()
            except Exception as error:
                raise _breach(name, error, source) from error
        counts["networks, every law"] += 1

    return networks(), attempt


def _of_edits(counts: Counter[str]) -> tuple[st.SearchStrategy[Any], Callable[[Any, str], None]]:
    files = [(ROOT / "examples" / name) for name in EDITED]
    sources = [Source.from_text(text_of(path), path.name, str(path)) for path in files]
    named = [(source, next(iter(driver.networks_of(source).value or {}))) for source in sources]
    drawn = st.one_of(*(st.tuples(st.just(source), st.just(name), edits(source, name)) for source, name in named))

    def attempt(case: tuple[Source, str, edit.Edits], only: str) -> None:
        source, name, changes = case
        edited = edit.apply(source, changes, base=name, name="Edited__")
        for law in ("compiled", "counted"):
            try:
                the_laws.NETWORK_LAWS[law](edited, "Edited__")
            except Exception as error:
                raise _breach(law, error, edited) from error
        counts["edited networks"] += 1

    return drawn, attempt


def _of_mistakes(counts: Counter[str]) -> tuple[st.SearchStrategy[Any], Callable[[Any, str], None]]:
    def attempt(mistake: Mistake, only: str) -> None:
        source = STANDARD.source(mistake.text)
        try:
            got = [d.code.id for d in driver.analyse(source).diagnostics if d.severity is Severity.ERROR]
            the_laws.require(got == [mistake.code], f"expected {mistake.code}, got {got}")
            the_laws.repaired(source)
        except Exception as error:
            raise _breach("refused", error, source) from error
        counts["planted mistakes"] += 1
        counts[mistake.code] += 1

    return mistakes(), attempt


def _of_texts(counts: Counter[str]) -> tuple[st.SearchStrategy[Any], Callable[[Any, str], None]]:
    def attempt(text: str, only: str) -> None:
        source = Source.from_text(text)
        for name, law in the_laws.TEXT_LAWS.items():
            try:
                law(source)
            except Exception as error:
                raise _breach(name, error, source) from error
        counts["mutated texts"] += 1

    return texts([text_of(path) for path in [*VALID, *MISTAKEN]]) | texts(), attempt


# Each kind: how it is drawn and tried, how many examples a batch has, and its share of the time.
SECTIONS: dict[
    str, tuple[Callable[[Counter[str]], tuple[st.SearchStrategy[Any], Callable[[Any, str], None]]], int, int]
] = {
    "networks": (_of_networks, 20, 5),
    "mistakes": (_of_mistakes, 60, 2),
    "texts": (_of_texts, 150, 2),
    "edits": (_of_edits, 10, 1),
}


def batch(name: str, number: int) -> tuple[str, dict[str, int], float, str]:
    """One batch, in a process of its own: counts, seconds, and the smallest failure in words."""
    started = time.monotonic()
    make, examples, _ = SECTIONS[name]
    counts: Counter[str] = Counter()
    failure = smallest(*make(counts), number, examples)
    said = "" if failure is None else f"{failure.law}: {failure.message}\n{failure.source.text}"
    return name, dict(counts), time.monotonic() - started, said


def soak(minutes: float, workers: int, state: dict[str, Section]) -> None:
    """Do batches until the time is over; the state is saved after each."""
    end = time.monotonic() + 60 * minutes
    following = {name: section["batches"] for name, section in state.items()}
    asked = {name: section["seconds"] for name, section in state.items()}
    with ProcessPoolExecutor(workers, get_context("spawn"), max_tasks_per_child=12) as pool:
        pending: set[Future[tuple[str, dict[str, int], float, str]]] = set()
        while pending or time.monotonic() < end:
            while time.monotonic() < end and len(pending) < workers:
                name = min(asked, key=lambda name: asked[name] / SECTIONS[name][2])
                asked[name] += 20  # about; what it took is known later
                pending.add(pool.submit(batch, name, following[name]))
                following[name] += 1
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                name, counts, seconds, failure = future.result()
                section = state[name]
                section["batches"] += 1
                section["seconds"] = round(section["seconds"] + seconds, 1)
                asked[name] += seconds - 20
                section["counts"] = dict(sorted((Counter(section["counts"]) + Counter(counts)).items()))
                section["failures"] += [failure] if failure else []
                print(f"{name}: batch {section['batches']}, {seconds:.0f} s{': FAILED' if failure else ''}", flush=True)
                save(state)


# ---- what is written down ----


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def commit() -> str:
    """The commit that is tried; with a plus where files of it are changed."""
    changed = [line for line in _git("status", "--porcelain", "--", "spinedsl", "grammar").splitlines() if line]
    return _git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def load() -> dict[str, Section]:
    """The state of this commit, or an empty one."""
    empty: dict[str, Section] = {
        name: {"batches": 0, "seconds": 0.0, "counts": {}, "failures": []} for name in SECTIONS
    }
    if not RESULTS.exists():
        return empty
    saved = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {**empty, **saved["sections"]} if saved["commit"] == commit() else empty


def save(state: dict[str, Section]) -> None:
    """Write the results, whole or not at all, and the figures into the document."""
    today = datetime.now(UTC).date().isoformat()
    results = {"commit": commit(), "date": today, "python": sys.version.split()[0], "sections": state}
    temporary = RESULTS.with_suffix(".part")
    temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    temporary.replace(RESULTS)
    text = DOCUMENT.read_text(encoding="utf-8")
    start, end = text.index(MARKS[0]), text.index(MARKS[1])
    DOCUMENT.write_text(text[:start] + MARKS[0] + "\n\n" + figures(results) + "\n" + text[end:], encoding="utf-8")


def figures(results: dict[str, Any]) -> str:
    """The results as a table."""
    sections: dict[str, Section] = results["sections"]
    lines = [
        f"Of {results['date']}, commit `{results['commit']}`, Python {results['python']}:",
        "",
        "| tried | examples | broke a law | processor minutes |",
        "|---|---|---|---|",
    ]
    for section in sections.values():
        codes = sum(re.fullmatch("[EW][0-9]{4}", name) is not None for name in section["counts"])
        for what, count in section["counts"].items():
            if re.fullmatch("[EW][0-9]{4}", what):
                continue
            more = f", of {codes} of {len(CODES)} codes" if codes else ""
            failed = len(section["failures"])
            lines.append(f"| {what}{more} | {count:,} | {failed} | {section['seconds'] / 60:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    state = load()
    soak(options.minutes, options.workers, state)
    for section in state.values():
        for failure in section["failures"]:
            print(f"\n{failure}")
    return 1 if any(section["failures"] for section in state.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
