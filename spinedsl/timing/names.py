"""The names of engines, and the packages of each: known without NumPy, which `engines` needs."""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl import extras
from spinedsl.diagnostics import nearest, one_of
from spinedsl.diagnostics.plain import one_line

LISTED = (
    "torch", "torch-channels-last", "torch-inference", "torch-compiled", "onnxruntime-O0", "onnxruntime-O1",
    "onnxruntime-O2", "openvino", "openvino-bfloat16", "int8",
)  # fmt: skip  # as `engines.py` has them
NEEDS = {
    "torch": ("torch",),
    "onnxruntime": ("onnx", "onnxruntime"),
    "openvino": ("onnx", "openvino"),
    "int8": ("onnxruntime",),
}
UNASKED = ("torch-compiled", "int8")  # run only where they are asked for


def needs(name: str) -> tuple[str, ...]:
    """The packages of an engine."""
    return NEEDS[name.partition("-")[0]]


def unknown(name: str) -> str:
    """What to say of a name that is none."""
    near = nearest(name, LISTED)
    hint = f"did you mean `{near}`?" if near else f"there are {one_of(LISTED, conjunction='and')}"
    return f"no engine is called `{one_line(name)}`; {hint}"


def chosen(names: Sequence[str], *, int8: bool) -> list[str]:
    """The engines that run: those that are named, else all that are installed; `int8` where there is a model for it.

    Raises:
        MissingPackage: none is named, and none is installed.
    """
    found = list(dict.fromkeys(names))
    if not found:
        found = [name for name in LISTED if name not in UNASKED and not extras.missing(needs(name))]
        if not found:
            extras.require(*extras.ENGINES)
    return [*found, "int8"] if int8 and "int8" not in found else found


def left_out(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Engines that run by themselves where they are installed, and do not; and the packages that they lack."""
    left = [name for name in LISTED if name not in names and name not in UNASKED]
    return left, extras.missing(package for name in left for package in needs(name))
