"""Parts compared: added, dropped, of another network, given others, there more or less often, with shared weights.

In: two sides. Out: a change for each, and which rows are there or gone only because a whole copy is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from spinedsl.compare.model import Change, Difference
from spinedsl.compare.side import Side
from spinedsl.ops.program import Part

COPY = re.compile(r"rep[0-9]+\Z")


def part_changes(old: Side, new: Side) -> Iterator[Change]:
    """Every change of a part: those of the new network in its order, then those that are dropped."""
    before, after = (_facts(one.program.parts) for one in (old, new))
    for name, now in after.items():
        if name not in before:
            yield Change("part", name, "added", new=_summary(now))
            continue
        for what, text in now.items():
            if (was := before[name][what]) != text:
                yield Change("part", name, "changed", what, was, text)
    for name, facts in before.items():
        if name not in after:
            yield Change("part", name, "dropped", old=_summary(facts))


def without_copies(difference: Difference) -> list[Change]:
    """The changes, less rows and values that are there or gone only because the whole copy of a part is."""
    before, after = (_standing(one.program.parts) for one in (difference.old, difference.new))
    whole = {"added": after - before, "dropped": before - after}
    return [
        change
        for change in difference.changes
        if change.kind == "part" or _home(change) not in whole.get(change.how, frozenset())
    ]


def _standing(parts: Mapping[str, Part]) -> set[str]:
    """What the names of rows of parts begin with, and the names of parts that repeat."""
    return {*parts, *_facts(parts)}


def _home(change: Change) -> str:
    """The part that a row or a value is of."""
    return change.name.removeprefix("let ").rpartition(".")[0]


def _facts(parts: Mapping[str, Part]) -> dict[str, dict[str, str]]:
    """What is known of each part that stands in the network itself."""
    copies: dict[str, list[Part]] = {}
    repeated: set[str] = set()
    for prefix, part in parts.items():
        around, _, last = prefix.rpartition(".")
        if around in parts or "." in around or (around and not COPY.match(last)):
            continue  # it stands in another one
        copies.setdefault(around or prefix, []).append(part)
        repeated |= {around} if around else set()
    return {
        name: {
            "network": found[0].network,
            "inputs": f"from {', '.join(found[0].inputs.values())}",
            "repeat": str(len(found)) if name in repeated else "none",
            "weights": "shared" if name in repeated and found[0].weights == name else "its own",
        }
        for name, found in copies.items()
    }


def _summary(facts: Mapping[str, str]) -> str:
    """A part in a few words."""
    words = [facts["network"], facts["inputs"]]
    words += [f"{facts['repeat']} times"] if facts["repeat"] != "none" else []
    words += ["shared weights"] if facts["weights"] == "shared" else []
    return ", ".join(words)
