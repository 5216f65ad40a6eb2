"""What the ONNX backend takes."""

from spinedsl.backends import AXES, DEFAULT_OPSET, EXTERNAL, OPSETS, OPTIMISE, RUNTIMES
from spinedsl.backends.option import FINDING, VERIFY, Declared, Option

DECLARED = Declared(
    "ONNX",
    packages=("onnx", "numpy"),
    options=(
        Option("weights", "weights"),
        Option("seed", "whole"),
        Option(
            "dynamic", "names",
            "axes that stay open, any of batch,height,width; sizes divide as the network's divisor says",
            metavar="AXES", choices=AXES, what="axis",
        ),
        Option(
            "opset", "choice",
            f"version of its operators, {OPSETS[0]} to {OPSETS[-1]} (default {DEFAULT_OPSET}); old runtimes need old"
            " ones",
            metavar="N", choices=tuple(OPSETS), what="version",
        ),
        Option("batch", "count", "images at once (default 1)", metavar="N", what="images"),
        Option("half", "flag", "tensors, input and outputs are float16"),
        Option(
            "external_data", "choice",
            "keep the tensors in a second file beside the model: always, never, or auto (above 2 GB)",
            metavar="WHEN", choices=EXTERNAL, what="choice",
        ),
        Option(
            "optimise", "choice",
            "level of exact passes: 0 as written, 1 with norms folded and less to compute (default), 2 what else pays"
            " --for a runtime",
            metavar="N", choices=OPTIMISE, what="level", usual=1,
        ),
        Option(
            "runtime", "choice", f"with -O2, what will run the model: {' or '.join(RUNTIMES)}", metavar="RUNTIME",
            choices=RUNTIMES, what="runtime",
        ),
        *FINDING,
        VERIFY,
    ),
    instead={"adapter": "hosts take PyTorch modules", "inference": "an ONNX model only runs: `-O1` folds its norms"},
)  # fmt: skip
