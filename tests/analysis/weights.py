"""Weights with which every number of a map shows in all that depends on it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from spinedsl.ops.graph import Graph


def positive(graph: Graph) -> dict[str, np.ndarray[Any, Any]]:
    """Weights that cancel nothing and keep the maps near 1."""
    source = np.random.default_rng(0)
    return {
        name: source.uniform(0.5, 1.5, parameter.shape) / prod(parameter.shape[1:])
        for name, parameter in graph.parameters.items()
    }
