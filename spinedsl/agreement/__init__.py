"""Agreement: one network by independent witnesses, on the same weights and images.

In: a `Program`. Out: a `Report` of how far PyTorch, ONNX Runtime and OpenVINO are from the reference interpreter, for
each output and each size of the input.
"""

from spinedsl.agreement.compare import agree, shapes_of
from spinedsl.agreement.inputs import image, lively_weights, usual_sizes
from spinedsl.agreement.measured import Training, counted, counted_by_row, train, unconnected
from spinedsl.agreement.report import Difference, Failure, Missing, Overflow, Report, Size
from spinedsl.agreement.witnesses import FIXED, FUSED, INFERENCE, WITNESSES, Witness, fixed_of, witnesses_of

__all__ = [
    "FIXED",
    "FUSED",
    "INFERENCE",
    "WITNESSES",
    "Difference",
    "Failure",
    "Missing",
    "Overflow",
    "Report",
    "Size",
    "Training",
    "Witness",
    "agree",
    "counted",
    "counted_by_row",
    "fixed_of",
    "image",
    "lively_weights",
    "shapes_of",
    "train",
    "unconnected",
    "usual_sizes",
    "witnesses_of",
]
