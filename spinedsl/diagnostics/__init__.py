"""What is reported about a file: rules and diagnostics as data, and the renderers. The rules themselves are `checks`.

In: a rule, a place and the facts of the case. Out: a `Diagnostic`; `render` turns a list of them into text. Mistakes of
users are returned in an `Outcome`, never raised.
"""

from spinedsl.diagnostics.model import (
    Default,
    Diagnostic,
    Diagnostics,
    Edit,
    Fix,
    Label,
    LintSetting,
    Outcome,
    Rule,
    Severity,
)
from spinedsl.diagnostics.order import in_order
from spinedsl.diagnostics.suggest import Nearest, nearest, nearest_file, one_of

__all__ = [
    "Default",
    "Diagnostic",
    "Diagnostics",
    "Edit",
    "Fix",
    "Label",
    "LintSetting",
    "Nearest",
    "Outcome",
    "Rule",
    "Severity",
    "in_order",
    "nearest",
    "nearest_file",
    "one_of",
]
