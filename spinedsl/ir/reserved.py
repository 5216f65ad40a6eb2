"""Names that cannot name a part of a network: they are parameter names in every backend, used as they stand.

PyTorch makes each an attribute of a module, so Python's keywords and the attributes of `torch.nn.Module` are out; the
list is written down, because checking a file never imports torch (a test holds it against the torch that is installed).
"""

from __future__ import annotations

import keyword
import re

MODULE_ATTRIBUTES = frozenset(
    """
    T_destination add_module append apply bfloat16 buffers call_super_init children clear compile copy cpu cuda double
    dump_patches eval extend extra_repr feature_info float forward fromkeys get get_buffer get_extra_state get_parameter
    get_submodule half insert ipu items keys load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters out_channels parameters pop popitem register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ reset set_extra_state set_submodule
    setdefault share_memory size_divisor state_dict to to_empty train training type update values xpu zero_grad
    """.split()
)
_TAKEN_BY_ROWS = re.compile(r"from_.*|rep_?[0-9_]+")


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
    if _TAKEN_BY_ROWS.fullmatch(name):
        return "rows name their parts `from_…` and `rep0`, `rep1`, …"
    return why_reserved(name)


def another_name(name: str) -> str:
    """A name much like this one that is free of all that."""
    plain = name.strip("_") or "value"
    return f"{plain}_" if not plain[0].isdigit() else f"v{plain}"
