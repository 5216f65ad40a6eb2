"""Figures of a program in closed form: nothing is built, run or allocated."""

from spinedsl.analysis.costs import Costs, costs, costs_by_row, costs_of
from spinedsl.analysis.held import Held, held
from spinedsl.analysis.receptive import receptive_fields
from spinedsl.analysis.traffic import Work, work_by_row
from spinedsl.ops.memory import peak_activation_bytes, row_activation_bytes

__all__ = [
    "Costs",
    "Held",
    "Work",
    "costs",
    "costs_by_row",
    "costs_of",
    "held",
    "peak_activation_bytes",
    "receptive_fields",
    "row_activation_bytes",
    "work_by_row",
]
