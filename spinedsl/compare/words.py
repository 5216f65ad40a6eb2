"""A difference in words: grouped, in columns, coloured on request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from spinedsl.compare.breaking import Verdict
from spinedsl.compare.model import Change, Difference, Reason, Tier
from spinedsl.compare.parts import without_copies
from spinedsl.compare.rows import grouped
from spinedsl.diagnostics.plain import counted

MARKS = {"added": "+", "dropped": "-", "changed": "~", "moved": "~", "renamed": "~"}
COLOURS = {"+": "32", "-": "31", "~": "33"}
TIERS = {Tier.NONE: "32", Tier.NUMERIC: "33", Tier.WEIGHTS: "35", Tier.INTERFACE: "31"}
LISTED = 12  # reasons of one tier, and rows that share a change
ARROW = "->"
Paint: TypeAlias = Callable[[str, str], str]  # a text and its style
HEADINGS = {
    "input": "input",
    "setting": "settings",
    "definition": "definitions",
    "part": "parts",
    "stem": "stems",
    "block": "blocks",
    "output": "outputs",
    "head": "heads",
    "task": "tasks",
}


def to_text(difference: Difference, *, colour: bool = False) -> str:
    """Everything of a difference, for people."""
    paint = _colours if colour else _plain
    lines = [paint(f"{difference.old.name} {ARROW} {difference.new.name}", "1")]
    changes = without_copies(difference)
    for kind, heading in HEADINGS.items():
        here = [change for change in changes if change.kind == kind]
        if here:
            lines += ["", paint(heading, "1"), *_rows(here, paint)]
    if not difference.changes:
        lines += ["", "no row, setting or definition in use says something else"]
    lines += ["", paint("costs", "1"), *_costs(difference), "", *_tier(difference, paint)]
    lines += [f"note: {note}" for note in difference.notes]
    return "\n".join(lines)


def verdict_text(verdict: Verdict, *, colour: bool = False) -> str:
    """One network of a file, with the reasons of its tier."""
    paint = _colours if colour else _plain
    lines = [f"{paint(verdict.tier.name.ljust(9), TIERS[verdict.tier])}  {verdict.network}: {verdict.text}"]
    if verdict.difference is not None:
        lines += [f"           {line}" for line in reason_lines(verdict.difference, verdict.tier)]
    return "\n".join(lines)


def _plain(text: str, style: str) -> str:
    return text


def _colours(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m"


# ---- changes ----


def cells(changes: Sequence[Change]) -> Iterator[tuple[str, str, str, str]]:
    """Of each change a mark, the names that it is of, what changed, and how."""
    for change, names in grouped(changes):
        what = change.what or (change.how if change.how != "changed" else "")
        yield MARKS[change.how], _names(names), what, _how(change)


def _rows(changes: Sequence[Change], paint: Paint) -> Iterator[str]:
    """Lines in three columns: a mark and a name, what, and how."""
    lines = list(cells(changes))
    widths = [max(len(line[column]) for line in lines) for column in (1, 2)]
    before = ""
    for mark, name, what, how in lines:
        shown = name if name != before else ""
        sign = paint(mark, COLOURS[mark]) if shown else " "
        yield f"  {sign} {shown.ljust(widths[0])}  {what.ljust(widths[1])}  {how}".rstrip()
        before = name


def _names(names: Sequence[str]) -> str:
    if len(names) <= 4:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} to {names[-1]} ({len(names)})"


def _how(change: Change) -> str:
    if not (change.old and change.new):
        return change.new or change.old
    return f"{change.old} {ARROW} {change.new}"


def _costs(difference: Difference) -> Iterator[str]:
    old, new = difference.costs
    for name, was, now in (
        ("parameters", old.parameters, new.parameters),
        ("multiply-adds", old.multiply_adds, new.multiply_adds),
    ):
        if was == now:
            yield f"    {name.ljust(13)}  {now:,}, as before"
        else:
            share = f"  ({(now - was) / was:+.1%})" if was else ""
            yield f"    {name.ljust(13)}  {was:,} {ARROW} {now:,}{share}"


# ---- the tier ----


def _tier(difference: Difference, paint: Paint) -> Iterator[str]:
    tier = difference.tier
    yield f"{paint(tier.name, TIERS[tier])}: {tier.means}"
    for below in sorted({reason.tier for reason in difference.reasons}, reverse=True):
        if below is not tier:
            yield f"{paint(below.name, TIERS[below])}: {below.means}"
        yield from (f"    {line}" for line in reason_lines(difference, below))


def reason_lines(difference: Difference, tier: Tier) -> Iterator[str]:
    """The reasons of one tier, those for tensors by their rows."""
    here = [reason for reason in difference.reasons if reason.tier is tier]
    if tier is Tier.WEIGHTS:
        yield from _tensors(difference, here)
        return
    same: dict[str, list[str]] = {}
    for reason in here:
        same.setdefault(reason.text, []).append(reason.about)
    lines = [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {text}" for text, names in same.items()
    ]
    yield from lines[:LISTED]
    yield from _more(len(lines) - LISTED)


def _tensors(difference: Difference, here: Sequence[Reason]) -> Iterator[str]:
    """Lines about tensors: renamed, missing, unexpected, of another shape."""
    tensors = difference.tensors
    if tensors.renamed:
        whole = ": renaming is all it takes (--mapping)" if tensors.convertible else ""
        yield f"{counted(len(tensors.renamed), 'tensor')} only renamed{whole}"
    missing = [name for name in tensors.missing if name not in tensors.renamed.values()]
    unexpected = [name for name in tensors.unexpected if name not in tensors.renamed]
    for word, names in (
        ("missing", missing),
        ("unexpected", unexpected),
        ("of another shape", list(tensors.reshaped)),
    ):
        if names:
            yield f"{counted(len(names), 'tensor')} {word}: {_by_row(names)}"
    few = [reason for reason in here if reason.about in tensors.reshaped][:3]
    yield from (f"    {reason.about}: {reason.text}" for reason in few)


def _by_row(names: Iterable[str]) -> str:
    counts = Counter(name.split(".")[0] for name in names)
    words = [f"{row} ({count})" for row, count in counts.items()]
    more = f" and {len(words) - LISTED} more rows" if len(words) > LISTED else ""
    return ", ".join(words[:LISTED]) + more


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield f"and {count} more"


def headline(difference: Difference) -> str:
    """A difference on one line."""
    if not difference.changes:
        return "as before" if difference.tier is Tier.NONE else difference.tier.name
    first, names = next(grouped(difference.changes))
    what = first.what or ("" if first.how == "changed" else first.how)
    more = len({(change.kind, change.name) for change in difference.changes}) - len(names)
    rest = f" and {more} more" if more else ""
    return f"{difference.tier.name}: {' '.join(filter(None, (_names(names), what, _how(first))))}{rest}"
