"""Lint: a connection that is resampled over more than three levels."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork

FAR = 3


def long_resample(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Connections whose ends are more than three levels apart."""
    for row in typed.rows.values():
        for connection in row.inputs:
            source = typed.rows[connection.source.text]
            if connection.resample is None or source.level is None or row.level is None:
                continue
            distance = abs(row.level - source.level)
            if distance > FAR:
                yield (
                    say.LONG_RESAMPLE.at(connection.source.span, target=row.name, source=source.name, distance=distance)
                    .with_others(Label(source.span, f"`{source.name}` is at level {source.level}"))
                    .with_fix(*accept(typed, "go by way of a block between", "W0702"))
                )
