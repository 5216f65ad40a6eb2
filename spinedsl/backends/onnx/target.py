"""The target: what a model is written for, which decides the operators that it may use.

In: an opset and a precision. Out: the format version that goes with it. Facts are those of ONNX's own table of versions
(`onnx.helper.OP_SET_ID_VERSION_MAP`), against which a test holds them.
"""

from __future__ import annotations

from spinedsl.backends import DEFAULT_OPSET, OPSETS
from spinedsl.ops.types import SINGLE_LEAST, SINGLE_MOST
from spinedsl.record import Record

_FORMATS = {13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}

HALF_MOST = 65_504.0  # the largest number of float16
HALF_LEAST = 2.0**-24  # the smallest above 0


class Target(Record):
    """What a model is written for.

    Args:
        opset: the version of ONNX's operators, one of `OPSETS`. An operator that it lacks is made of others.
        half: tensors, input and outputs are float16 instead of float32.
        batch: images at once, where the batch is not open.
    """

    opset: int = DEFAULT_OPSET
    half: bool = False
    batch: int = 1

    def __post_init__(self) -> None:
        """Refuse what no model can be.

        Raises:
            ValueError: the opset is none of `OPSETS`, or a batch has no image.
        """
        if self.opset not in OPSETS:
            raise ValueError(f"expected an opset from {OPSETS[0]} to {OPSETS[-1]}, got {self.opset}")
        if self.batch < 1:
            raise ValueError(f"a batch has at least one image, got {self.batch}")

    @property
    def most(self) -> float:
        """The largest number that its tensors hold."""
        return HALF_MOST if self.half else SINGLE_MOST

    @property
    def least(self) -> float:
        """The smallest number above 0 that its maps tell from 0."""
        return HALF_LEAST if self.half else SINGLE_LEAST

    @property
    def layout(self) -> str:
        """How NumPy calls the numbers of its tensors."""
        return "<f2" if self.half else "<f4"

    @property
    def ir_version(self) -> int:
        """The lowest version of the format that has the opset, so that old runtimes load the model."""
        return _FORMATS[self.opset]
