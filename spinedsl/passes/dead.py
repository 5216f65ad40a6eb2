"""Dead: operations that no output needs are left out, with their tensors.

Needs nothing. Promises the same bits. Rows that are gone have no value any more.
"""

from __future__ import annotations

from spinedsl.passes.form import Form, tidied


def dead(form: Form) -> Form:
    """Without what no output needs."""
    return tidied(form, form.graph.nodes)
