"""Soak: the laws on many random networks, edits, mistakes and texts, for so many minutes, and what came out.

Run by `make soak MINUTES=8`. A batch is decided by its number; how many are done stands in `tests/laws/soak.json`, so a
run goes on where the last one stopped, as long as nothing changes that a section's figures depend on. The figures are
also put into RELIABILITY.md, between its marks.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypedDict

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # `tests` is a name that tests may import from

from spinedsl.testing.mistakes import CODES  # noqa: E402
from tests.laws.sections import SECTIONS, batch  # noqa: E402

RESULTS = ROOT / "tests/laws/soak.json"
DOCUMENT = ROOT / "RELIABILITY.md"
MARKS = ("<!-- soak -->", "<!-- end of soak -->")


class Done(TypedDict):
    """What was done of a section: of which commit, until when, batches, examples and every failure."""

    commit: str
    date: str
    batches: int
    seconds: float
    counts: dict[str, int]
    failures: list[str]


def soak(minutes: float, workers: int, only: tuple[str, ...], state: dict[str, Done]) -> None:
    """Do batches until the time is over; the state is saved after each."""
    end = time.monotonic() + 60 * minutes
    following = {name: state[name]["batches"] for name in only}
    asked = {name: state[name]["seconds"] for name in only}
    with ProcessPoolExecutor(workers, get_context("spawn"), max_tasks_per_child=12) as pool:
        pending: set[Future[tuple[str, dict[str, int], float, str]]] = set()
        while pending or time.monotonic() < end:
            while time.monotonic() < end and len(pending) < workers:
                name = min(asked, key=lambda name: (_reached(name, state[name]), asked[name] / SECTIONS[name].share))
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
                section["date"] = datetime.now(UTC).date().isoformat()
                print(f"{name}: batch {section['batches']}, {seconds:.0f} s{': FAILED' if failure else ''}", flush=True)
                save(state)


def _reached(name: str, done: Done) -> bool:
    """A section has its goal: others come first."""
    return done["counts"].get("examples", 0) >= SECTIONS[name].goal


# ---- what is written down ----


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _fresh(name: str) -> Done:
    """Nothing done yet; with a plus where files that count are not as committed."""
    changed = _git("status", "--porcelain", "--", *SECTIONS[name].parts)
    commit = _git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")
    return {"commit": commit, "date": "", "batches": 0, "seconds": 0.0, "counts": {}, "failures": []}


def _stands(name: str, done: Done) -> bool:
    """Nothing that the figures depend on has changed since the commit that they are of."""
    difference = ["git", "diff", "--quiet", done["commit"], "--", *SECTIONS[name].parts]
    return subprocess.run(difference, cwd=ROOT, capture_output=True, check=False).returncode == 0


def load(only: tuple[str, ...]) -> dict[str, Done]:
    """What was done of each section; of those to go on with only what still stands."""
    saved: dict[str, Done] = json.loads(RESULTS.read_text(encoding="utf-8"))["sections"] if RESULTS.exists() else {}
    keeps = {name for name in saved if name not in only or _stands(name, saved[name])}
    return {name: saved[name] if name in keeps else _fresh(name) for name in SECTIONS}


def save(state: dict[str, Done]) -> None:
    """Write the results, whole or not at all, and the figures into the document."""
    results = {"python": sys.version.split()[0], "sections": state}
    temporary = RESULTS.with_suffix(".part")
    temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    temporary.replace(RESULTS)
    text = DOCUMENT.read_text(encoding="utf-8")
    start, end = text.index(MARKS[0]), text.index(MARKS[1])
    DOCUMENT.write_text(text[:start] + MARKS[0] + "\n\n" + figures(results) + "\n" + text[end:], encoding="utf-8")


def figures(results: dict[str, Any]) -> str:
    """The results as a table, beside the goals."""
    lines = [
        f"With Python {results['python']}:",
        "",
        "| tried | examples | goal | broke a law | processor minutes | commit, last day |",
        "|---|---|---|---|---|---|",
    ]
    for name, section in SECTIONS.items():
        done: Done = results["sections"][name]
        codes = sum(re.fullmatch("[EW][0-9]{4}", what) is not None for what in done["counts"])
        what = section.title + (f", of {codes} of {len(CODES)} codes" if codes else "")
        examples, failed = done["counts"].get("examples", 0), len(done["failures"])
        reached = "reached" if examples >= section.goal else "not reached"
        of = f"`{done['commit']}`, {done['date']}" if done["date"] else "-"
        minutes = done["seconds"] / 60
        lines.append(f"| {what} | {examples:,} | {section.goal:,}, {reached} | {failed} | {minutes:.1f} | {of} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="these sections")
    options = parser.parse_args()
    only = tuple(options.only)
    state = load(only)
    soak(options.minutes, options.workers, only, state)
    for section in state.values():
        for failure in section["failures"]:
            print(f"\n{failure}")
    return 1 if any(section["failures"] for section in state.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
