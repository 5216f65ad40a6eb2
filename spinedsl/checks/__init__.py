"""Check a typed network: one rule a file, all of them always, in the order of `CHECKS`.

A rule is a function from a `TypedNetwork` to diagnostics. It leaves alone what is unknown (`None`): that was said
before. To add one: a file here, its line in `CHECKS`, its code in the catalogue, and an input with its expected output
under `tests/mistakes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from spinedsl.checks.absorbed import absorbed
from spinedsl.checks.dead_input import dead_inputs
from spinedsl.checks.divisible import divisible
from spinedsl.checks.input_count import input_count
from spinedsl.checks.levels import levels
from spinedsl.checks.long_resample import long_resample
from spinedsl.checks.outputs import outputs
from spinedsl.checks.same_parents import same_parents
from spinedsl.checks.skipped_level import skipped_level
from spinedsl.checks.unread import unread
from spinedsl.checks.unused import unused
from spinedsl.diagnostics import Diagnostic, Outcome, Severity
from spinedsl.ir.typed import CheckedNetwork, TypedNetwork

CHECKS: tuple[Callable[[TypedNetwork], Iterable[Diagnostic]], ...] = (
    input_count,
    same_parents,
    absorbed,
    unused,
    dead_inputs,
    outputs,
    levels,
    divisible,
    skipped_level,
    long_resample,
    unread,
)


def check(typed: TypedNetwork) -> Outcome[CheckedNetwork]:
    """Every rule on one network. Warnings that the network allows are left out."""
    allowed = {allow.code.text for allow in typed.network.allowed}
    found = tuple(
        typed.network.seen(diagnostic)
        for rule in CHECKS
        for diagnostic in rule(typed)
        if not (diagnostic.severity is Severity.WARNING and diagnostic.code.id in allowed)
    )
    return Outcome(CheckedNetwork(typed), found)
