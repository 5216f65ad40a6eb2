"""Weights: tensors by canonical name, from files, matched with the parameters of a network, and back to bytes.

In: a path and the parameters of a graph. Out: float32 arrays, or a diagnostic that lists everything that does not fit.
"""

from spinedsl.weights.files import read, to_bytes
from spinedsl.weights.match import match

__all__ = ["match", "read", "to_bytes"]
