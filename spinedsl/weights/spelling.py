"""Spelling: what trainers and hosts put around the names of a network's tensors, and what they keep beside them.

In: parameters, tensors of a file, and a prefix if one is asked for. Out: the tensors under the network's own names, the
prefix that was taken away, and the names of tensors that belong to something else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from spinedsl.ops.primitives import Parameter
from spinedsl.record import Record, field
from spinedsl.weights.tensors import Tensors

# Modules that wrap others inside a network, as torch.compile, FSDP and checkpointing do.
_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
# Modules that hosts and trainers have beside a backbone: their tensors are no part of it.
BESIDE = frozenset(
    "head heads fc classifier cls_head bbox_head mask_head decode_head auxiliary_head neck rpn rpn_head roi_heads "
    "roi_head criterion loss loss_fn metrics anchor_generator n_averaged pixel_mean pixel_std mean std".split()
)


class Spelled(Record, eq=False):
    """Tensors under a network's names. `prefix` stood before each, `beside` are others of the file.

    Where several prefixes fit as well, `ways` says how many tensors fit by each.
    """

    tensors: Mapping[str, NDArray[Any]]
    prefix: str = ""
    beside: tuple[str, ...] = ()
    ways: Mapping[str, int] = field(
        default_factory=dict
    )  # where several prefixes fit as well: how many tensors fit by each


def spelled(
    parameters: Mapping[str, Parameter], tensors: Tensors, prefix: str | None = None, rows: Collection[str] = ()
) -> Spelled:
    """The tensors as the network names them.

    The prefix is the one by which most parameters find a tensor of their shape. Where two do as well, none is taken
    and both are among `ways`. `rows` are the rows that the network has or had, whose tensors never stand beside it.
    """
    plain = {_WRAPPERS.sub("", name) if name not in parameters else name: name for name in tensors}
    if len(plain) < len(tensors):
        plain = {name: name for name in tensors}  # two of them would be one
    if prefix is None:
        counts = _counts(parameters, {name: tensors[full] for name, full in plain.items()})
        best = [found for found, count in counts.items() if count == max(counts.values())]
        if len(best) > 1:
            return Spelled(tensors, ways={found: counts[found] for found in sorted(best)})
        prefix = best[0] if best else ""
    own = {name[len(prefix) :]: full for name, full in plain.items() if name.startswith(prefix)}
    beside = [full for name, full in plain.items() if not name.startswith(prefix)]
    known = {name.partition(".")[0] for name in parameters} | {*rows}
    foreign = [name for name in own if (first := name.partition(".")[0]) in BESIDE and first not in known]
    beside += [own.pop(name) for name in foreign]
    return Spelled({name: tensors[full] for name, full in own.items()}, prefix, tuple(beside))


def _counts(parameters: Mapping[str, Parameter], tensors: Tensors) -> Counter[str]:
    """How many parameters find a tensor of their shape, by the prefix before their names."""
    counts: Counter[str] = Counter()
    for name, array in tensors.items():
        for end in _ends(name):
            wanted = parameters.get(name[end:])
            if wanted is not None and wanted.shape == array.shape:
                counts[name[:end]] += 1
    return counts


def _ends(name: str) -> Sequence[int]:
    """Where a prefix of the name may end: before its first letter, and after each dot, slash or colon."""
    return [0, *(place + 1 for place, letter in enumerate(name) if letter in "./:")]


# ---- names that a person gives ----


class BadPattern(ValueError):
    """A pattern of names that cannot be applied."""


def renamed(tensors: Tensors, patterns: Sequence[tuple[str, str]]) -> dict[str, NDArray[Any]]:
    """The tensors under other names: of each, the first pattern that fits it.

    A `*` of the old name stands for any letters, and the new one has them at its own `*`s, in order. What becomes
    nothing is left out.

    Raises:
        BadPattern: a new name has other `*`s than the old one, fits nothing, or two tensors get one name.
    """
    compiled = []
    for old, new in patterns:
        if new and old.count("*") != new.count("*"):
            raise BadPattern(f"`{old}` has {old.count('*')} `*`, and `{new}` has {new.count('*')}")
        compiled.append((re.compile("(.*)".join(map(re.escape, old.split("*")))), new.split("*"), old))
    fitted: set[str] = set()
    found: dict[str, NDArray[Any]] = {}
    for name, array in tensors.items():
        target = name
        for pattern, parts, old in compiled:
            match = pattern.fullmatch(name)
            if match is not None:
                fitted.add(old)
                target = "".join(text for pair in zip(parts, (*match.groups(), ""), strict=False) for text in pair)
                target = target if parts != [""] else ""
                break
        if target in found:
            raise BadPattern(f"two tensors would be `{target}`")
        if target:
            found[target] = array
    if idle := [old for _, _, old in compiled if old not in fitted]:
        raise BadPattern(f"`{idle[0]}` is the name of no tensor in the file")
    return found
