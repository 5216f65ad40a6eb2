"""Figures of a program in closed form: nothing is built, run or allocated."""

from spinedsl.analysis.costs import Costs, costs, costs_by_row

__all__ = ["Costs", "costs", "costs_by_row"]
