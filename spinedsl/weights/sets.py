"""Sets: a file may hold several sets of tensors, such as a model and its moving average.

In: sets by name. Out: the one that is meant, or a diagnostic that lists them: which is meant is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.diagnostics import Outcome, nearest, one_of
from spinedsl.weights.tensors import Tensors, Weights, nowhere

Key: TypeAlias = str | None  # names a set; None where there is one alone
WHOLE = ""  # the set that is the file itself


def choose(path: Path, sets: Mapping[str, Tensors], key: Key) -> Outcome[Weights]:
    """The set that is meant: the one of that name, or the only one."""
    if key is not None and key in sets:
        return Outcome(Weights(str(path), sets[key], key=key))
    if key is None and len(sets) == 1:
        ((name, tensors),) = sets.items()
        return Outcome(Weights(str(path), tensors, key=name))
    names = [name for name in sets if name]
    if key is None:
        found = say.SEVERAL_SETS.at(nowhere(path), path=path, count=len(sets))
        notes = (f"`{name}`: {_size(tensors)}" for name, tensors in sets.items())
        return Outcome(None, (found.with_notes(*notes).repaired(key=names[0]),))
    known = one_of(names, conjunction="and") if names else "one set of tensors, without a name"
    found = say.NO_SUCH_SET.at(nowhere(path), path=path, key=key, known=known)
    near = nearest(key, names)
    return Outcome(
        None,
        (
            found.with_fix(
                f"did you mean `{near}`?" if near else "leave out the key" if not names else f"choose {one_of(names)}"
            ),
        ),
    )


def _size(tensors: Tensors) -> str:
    numbers = sum(array.size for array in tensors.values())
    return f"{counted(len(tensors), 'tensor')}, {counted(numbers, 'number')}"
