"""Agreement: one network by independent witnesses, on the same weights and images.

In: a `Program`. Out: a `Report` of how far PyTorch, ONNX Runtime and OpenVINO are from the reference interpreter, for
each output and each size of the input.
"""

from spinedsl.agreement.compare import agree
from spinedsl.agreement.inputs import lively_weights, usual_sizes
from spinedsl.agreement.report import Difference, Failure, Missing, Report, Size
from spinedsl.agreement.witnesses import WITNESSES, Witness

__all__ = [
    "WITNESSES",
    "Difference",
    "Failure",
    "Missing",
    "Report",
    "Size",
    "Witness",
    "agree",
    "lively_weights",
    "usual_sizes",
]
