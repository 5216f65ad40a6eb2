"""Names that cannot name a part of a network: they are parameter names in every backend, used as they stand.

PyTorch makes each an attribute of a module, so Python's keywords and the attributes of `torch.nn.Module` are out.
"""

from __future__ import annotations

import keyword
import re

from spinedsl.ops.reserved import MODULE_ATTRIBUTES

_TAKEN_BY_ROWS = r"from_.*|rep_?[0-9_]+"


def why_reserved(name: str) -> str | None:
    """Why a row, an input or a `let` cannot have this name, or None if it can."""
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    if name in MODULE_ATTRIBUTES:
        return "modules of PyTorch have an attribute of that name"
    if name.startswith("_"):
        return "names that begin with `_` are private in PyTorch modules"
    return None


def why_reserved_let(name: str) -> str | None:
    """The same for a `let`, whose names also stand beside those that a row makes: `from_b2`, `rep0`."""
    if re.fullmatch(_TAKEN_BY_ROWS, name):
        return "rows name their parts `from_…` and `rep0`, `rep1`, …"
    return why_reserved(name)


def another_name(name: str) -> str:
    """A name much like this one that is free of all that."""
    plain = name.strip("_") or "value"
    if re.fullmatch(_TAKEN_BY_ROWS, f"{plain}_"):
        return f"my_{plain}"
    return f"{plain}_" if not plain[0].isdigit() else f"v{plain}"
