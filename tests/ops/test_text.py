"""The text form: every operation, its value and type, and only the attributes that say something."""

from __future__ import annotations

from fractions import Fraction

import pytest

from spinedsl.ops.program import Operand, Ref
from spinedsl.ops.text import shown, to_text
from spinedsl.ops.types import Value
from tests.building import Network, op

TEXT = """\
network Net  net.spine:1
input   image 3x32x48 (level 0)
divisor 16
output  P 3x16x24 (level 1)

block b: block level 1 from image  -> 3x16x24 (level 1)  net.spine:1
    b.conv        = conv(image, channels=3, kernel=3, stride=2, padding=symmetric)  -> 3x16x24 (level 1)  net.spine:1
    b.batch_norm  = batch_norm(b.conv, momentum=0.99)                               -> 3x16x24 (level 1)  net.spine:1
    b.max_pool    = max_pool(image, kernel=3, stride=2)                             -> 3x16x24 (level 1)  net.spine:1
    b.add         = add(b.batch_norm, b.max_pool)                                   -> 3x16x24 (level 1)  net.spine:1
    b [b.relu]    = relu(b.add)                                                     -> 3x16x24 (level 1)  net.spine:1

output P: level 1 from b  -> 3x16x24 (level 1)  net.spine:1
"""


def definition(x: Ref) -> Operand:
    y = op("batch_norm", op("conv", x, channels=3, kernel=3, stride=2, padding="symmetric"), momentum=Fraction(99, 100))
    return op("relu", op("add", y, op("max_pool", x, kernel=3, stride=2)))


def test_text() -> None:
    assert to_text(Network().block("b", definition).output("P", "b").program()) == TEXT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (7, "7"),
        ("same", "same"),
        (Fraction(3), "3"),
        (Fraction(1, 1000), "0.001"),
        (Fraction(-16667, 100_000), "-0.16667"),
        (Fraction(25, 2), "12.5"),
        (Fraction(1, 6), "1/6"),
        ((1, Fraction(1, 2)), "[1, 0.5]"),
    ],
    ids=str,
)
def test_values(value: Value, text: str) -> None:
    assert shown(value) == text
