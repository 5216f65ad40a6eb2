"""The ONNX backend: a program and its weights become a model, directly, without tracing and without PyTorch.

In: a `Program` and tensors by canonical name. Out: the bytes of a `ModelProto` (`emit`), or its structure as text
(`to_text`).
"""

from spinedsl.backends.onnx.emit import emit
from spinedsl.backends.onnx.text import to_text

__all__ = ["emit", "to_text"]
