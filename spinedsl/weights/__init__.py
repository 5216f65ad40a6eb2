"""Weights: tensors by name, from files, converted, matched with the parameters of a network, and back to bytes.

In: a path and the parameters of a graph. Out: float32 arrays, or a diagnostic that lists everything that does not fit.
"""

from spinedsl.weights.convert import Converted, convert
from spinedsl.weights.files import read
from spinedsl.weights.match import Fit, compare, match
from spinedsl.weights.sealed import to_bytes
from spinedsl.weights.tensors import Weights

__all__ = ["Converted", "Fit", "Weights", "compare", "convert", "match", "read", "to_bytes"]
