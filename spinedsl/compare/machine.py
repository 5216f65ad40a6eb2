"""A difference for programs: JSON, and GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from spinedsl.compare.breaking import NotCompared, Verdict
from spinedsl.compare.model import Difference, Tensors, Tier
from spinedsl.compare.words import reason_lines
from spinedsl.diagnostics.machine import annotation
from spinedsl.edit import Edits
from spinedsl.record import names, values

COUNTER, TRACKED = ".num_batches_tracked", ".running_mean"  # PyTorch's batch norm counts steps beside its statistics


def plain(difference: Difference, edits: Edits | None = None) -> dict[str, Any]:
    """A difference as JSON has it."""
    old, new = difference.costs
    tensors = difference.tensors
    found: dict[str, Any] = {
        "old": {"file": difference.old.source.name, "network": difference.old.name},
        "new": {"file": difference.new.source.name, "network": difference.new.name},
        "tier": difference.tier.word,
        "reasons": [
            {"tier": reason.tier.word, "about": reason.about, "text": reason.text} for reason in difference.reasons
        ],
        "changes": [dict(zip(names(type(change)), values(change), strict=True)) for change in difference.changes],
        "costs": {
            name: {"old": getattr(old, name), "new": getattr(new, name)}
            for name in ("parameters", "statistics", "multiply_adds")
        },
        "tensors": {
            "missing": {name: list(shape) for name, shape in tensors.missing.items()},
            "unexpected": {name: list(shape) for name, shape in tensors.unexpected.items()},
            "reshaped": {name: {"old": list(was), "new": list(now)} for name, (was, now) in tensors.reshaped.items()},
            "renamed": dict(tensors.renamed),
        },
        "notes": list(difference.notes),
    }
    return found | ({"edits": edits.to_text()} if edits is not None else {})


def to_json(found: object) -> str:
    """Text of what `plain` gives."""
    return json.dumps(found, indent=2)


def mapping(tensors: Tensors) -> dict[str, str]:
    """Old to new names of the tensors of a state dict, PyTorch's counters of steps among them."""
    counters = {
        was.removesuffix(TRACKED) + COUNTER: now.removesuffix(TRACKED) + COUNTER
        for was, now in tensors.renamed.items()
        if was.endswith(TRACKED)
    }
    return {**tensors.renamed, **counters}


def verdicts_plain(verdicts: Iterable[Verdict], tier: Tier, left_out: Iterable[NotCompared] = ()) -> dict[str, Any]:
    """All networks of a file as JSON has them; `tier` is the one that breaks."""
    found = tuple(verdicts)
    worst = max((verdict.tier for verdict in found), default=Tier.NONE)
    return {
        "tier": worst.word,
        "asked": tier.word,
        "breaking": worst >= tier,
        "networks": [
            {
                "network": verdict.network,
                "tier": verdict.tier.word,
                "text": verdict.text,
                "difference": plain(verdict.difference) if verdict.difference is not None else None,
            }
            for verdict in found
        ],
        "not_compared": [{"network": one.network, "text": one.text} for one in left_out],
    }


def to_github(verdicts: Iterable[Verdict], tier: Tier, left_out: Iterable[NotCompared] = ()) -> str:
    """An annotation for each network that changed, an error from `tier` up, else a notice; one for each left out."""
    lines = []
    for verdict in verdicts:
        if verdict.tier is Tier.NONE:
            continue
        texts = [f"{verdict.network}: {verdict.text}"]
        if verdict.difference is not None:
            texts += reason_lines(verdict.difference, verdict.tier)
        properties = {
            "file": verdict.place.file,
            "line": verdict.place.line,
            "title": f"{verdict.tier.name} {verdict.network}",
        }
        lines.append(annotation("error" if verdict.tier >= tier else "notice", properties, texts))
    for one in left_out:
        properties = {"file": one.place.file, "line": one.place.line, "title": f"not compared {one.network}"}
        lines.append(annotation("notice", properties, [f"not compared: {one.text}"]))
    return "\n".join(lines)
