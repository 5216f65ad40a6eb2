"""Schedule: operations in the order that holds the least at once.

Needs nothing. Promises the same bits: each operation reads what it read. `ops/order.py` finds the order.
"""

from __future__ import annotations

from spinedsl.ops.order import best_order, ordered
from spinedsl.passes.form import Form
from spinedsl.record import replace


def schedule(form: Form) -> Form:
    """With the operations in the order that holds the least."""
    graph = form.graph
    found = best_order(graph)
    if found.positions == tuple(range(len(graph.nodes))):
        return form
    return replace(form, graph=ordered(graph, found))
