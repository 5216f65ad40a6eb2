"""Candidates of search spaces: how many a second, and that all of many hold what is promised of one.

    python -m benchmarks.candidates speed                  # made, checked and costed, beside compiling each in full
    python -m benchmarks.candidates hold --folder DIR      # 100,000 drawn, changed, crossed; goes on where it stopped

`hold` looks at each: its rows read rows above, its bounds hold, and its genome gives it again. One of `--every` is
written as a text, compiled, costed by the graph, and looked for in its space. Exit status 1 if one does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import spinedsl
from benchmarks.figures import ROOT, measured
from spinedsl import driver, search
from spinedsl.analysis import costs
from spinedsl.ops.graph import flatten
from spinedsl.source import Source

FILE = ROOT / "examples" / "spaces.spine"
SPACES = ("Adjusted", "AroundSpineNet49", "WindowOfFour", "ScalePermuted", "Neck")
EACH = 500  # of a section of `hold`, after which its count is written down


def speed(options: argparse.Namespace) -> int:
    """Candidates a second, in one process of CPU time."""

    def rate(what: str, number: int, act: Callable[[int], object], beside: float | None = None) -> float:
        started = time.process_time()
        for at in range(number):
            act(at)
        a_second = number / (time.process_time() - started)
        ratio = f"  {a_second / beside:6.1f}x" if beside is not None else ""
        print(f"  {what:58} {a_second:8,.0f} a second{ratio}")
        return a_second

    space = search.open_space(FILE, "AroundSpineNet49")
    print("AroundSpineNet49: candidates of 15 blocks in one process, by CPU time")
    whole = rate("written and compiled in full, costed by the graph", 100, lambda at: compiled(space, at))
    fresh = search.open_space(FILE, "AroundSpineNet49")
    rate("drawn, checked and costed, the first 3,000 of a process", 3000, lambda at: fresh.sample(1, at), whole)
    rate("drawn, checked and costed, from then on", options.number, lambda at: fresh.sample(2, at), whole)
    one = fresh.sample(3, 0)
    rate("a mutation, the same", options.number, lambda at: fresh.mutate(one.genome, 3, at), whole)
    rate("drawn, checked, costed and written as a text", 300, lambda at: fresh.text(fresh.sample(4, at)), whole)
    return 0


def compiled(space: search.Candidates, number: int) -> object:
    """The costs of a candidate by all stages of the compiler."""
    source = Source.from_text(space.text(space.sample(0, number)), "candidate.spine")
    return costs(flatten(spinedsl.program(source)))


def hold(options: argparse.Namespace) -> int:
    """The laws of candidates on many; what was done is kept in the folder."""
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "candidates.json"
    done: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    spaces = {name: search.open_space(FILE, name) for name in SPACES}
    wanted = options.number // len(SPACES)
    for name, space in spaces.items():
        while (begun := done.get(name, 0)) < wanted:
            for number in range(begun, min(begun + EACH, wanted)):
                if (wrong := why_not(space, number, deep=number % options.every == 0)) is not None:
                    print(f"{name}, number {number}: {wrong}")
                    return 1
            done[name] = min(begun + EACH, wanted)
            kept.write_text(json.dumps(done))
    looked = sum(-(-min(count, wanted) // options.every) for count in done.values())
    print(f"{sum(done.values()):,} of {sum(done.values()):,} candidates hold; {looked:,} were compiled and found again")
    return 0


def why_not(space: search.Candidates, number: int, *, deep: bool) -> str | None:
    """What is wrong with the candidate of a number: drawn, then changed, then crossed with one before, in turn."""
    one = space.sample(0, number)
    if number % 3 == 1:
        one = space.mutate(one.genome, 0, number)
    elif number % 3 == 2:
        one = space.crossover(one.genome, space.sample(0, number - 1).genome, 0, number)
    for slot, row in enumerate(one.candidate.rows):
        for above in (*row.parents, *row.absorbed) if row is not None else ():
            if above >= slot or one.candidate.rows[above] is None:
                return f"slot {slot} reads slot {above}"
    if not one.within or space.price(one.genome) != one:
        return "its genome does not give it again"
    if not deep:
        return None
    source = Source.from_text(space.text(one), "candidate.spine")
    analysis = driver.analyse(source).value
    if analysis is None or "Candidate" not in analysis.checked:
        return "it does not compile"
    if costs(flatten(spinedsl.program(source))) != one.costs:
        return "it costs something else"
    answer = search.contains(space, analysis.checked["Candidate"].typed)
    return None if answer.genome is not None else f"it lies outside: {answer.reasons[0].message}"


def main() -> int:
    """One of the two."""
    parser = argparse.ArgumentParser(description="candidates of search spaces")
    parser.add_argument("what", choices=("speed", "hold"))
    parser.add_argument("--number", type=int)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--folder", default=".")
    options = parser.parse_args()
    if options.number is None:
        options.number = 100_000 if options.what == "hold" else 10_000
    return hold(options) if options.what == "hold" else speed(options)


if __name__ == "__main__":
    sys.exit(measured("candidates", main))
