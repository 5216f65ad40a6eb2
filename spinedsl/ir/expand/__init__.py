"""Expand definitions: the one evaluator of the language.

In: a definition and the values of its parameters, under one network's `defaults`. Out: an `ops.Module`, or `POISON`
with the reason reported. An expansion is a pure function of these, so equal uses share one module, in one network and
across networks, and a mistake in it is reported once.

`values` says what there is, `context` what the expansions of one network share; `arithmetic`, `expressions`,
`functions` of numbers, `operations`, `calls` and `statements` are the evaluator, each adding to the one before.
"""

from spinedsl.ir.expand.attributes import check_value, count_of
from spinedsl.ir.expand.calls import complete
from spinedsl.ir.expand.context import Context, Work
from spinedsl.ir.expand.functions import Functions
from spinedsl.ir.expand.statements import Expansion, always_returns, expand, promised_channels, told_by
from spinedsl.ir.expand.values import Block, Environment, Held, Result, in_words

__all__ = [
    "Block",
    "Context",
    "Environment",
    "Expansion",
    "Functions",
    "Held",
    "Result",
    "Work",
    "always_returns",
    "check_value",
    "complete",
    "count_of",
    "expand",
    "in_words",
    "promised_channels",
    "told_by",
]
