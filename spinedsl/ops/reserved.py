"""Attributes of PyTorch's modules: names that no submodule, parameter or stored number may have.

The list is written down, because compiling never imports torch; a test holds it against the torch that is installed.
"""

from __future__ import annotations

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
