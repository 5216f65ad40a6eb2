"""What is said about a file: diagnostics as data, the catalogue of every code, and the renderers.

In: a place, a code of the catalogue and the facts of the case. Out: a `Diagnostic`; `render` turns a list of them into
text. Mistakes of users are returned in an `Outcome`, never raised.
"""

from spinedsl.diagnostics.model import (
    Code,
    Diagnostic,
    Diagnostics,
    Edit,
    Fix,
    Label,
    Outcome,
    Severity,
    first,
)
from spinedsl.diagnostics.order import in_order
from spinedsl.diagnostics.suggest import nearest, one_of

__all__ = [
    "Code",
    "Diagnostic",
    "Diagnostics",
    "Edit",
    "Fix",
    "Label",
    "Outcome",
    "Severity",
    "first",
    "in_order",
    "nearest",
    "one_of",
]
