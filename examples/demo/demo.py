"""The demonstration: SpineNet-49 from one file to PyTorch and ONNX, both run on a photograph, and a file with mistakes.

Run it with `make demo`, or `python examples/demo/demo.py` where spinedsl, torch, onnxruntime and pillow are installed.
It works in a temporary folder and leaves nothing behind. Exit status 0 only if both agree and the mistakes are found.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image

import spinedsl
from spinedsl.analysis.costs import costs
from spinedsl.cli import main as command_line
from spinedsl.ops.graph import flatten

HERE = Path(__file__).resolve().parent
NETWORK = "SpineNet49"
AGREE = 1e-5  # largest scaled difference that counts as the same result
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours, as trained backbones expect

Array = NDArray[np.float32]
Result = TypeVar("Result")


def main() -> int:
    """Show everything; the exit status."""
    with tempfile.TemporaryDirectory(prefix="spine-demo-") as folder, contextlib.chdir(folder):
        for file in (HERE.parent / "spinenet.spine", HERE / "photo.jpg"):
            shutil.copy(file, folder)
        # Here it ends in .txt, so that `spine check examples/` has nothing to complain of.
        shutil.copy(HERE / "three_mistakes.spine.txt", Path("three_mistakes.spine"))
        agree = compile_and_compare()
        found = show_mistakes()
    print("\nNext:  .venv/bin/spine new mine.spine    a small network, to change into your own")
    print("       make learned                      train three networks on real images (docs/training.md); hours")
    return 0 if agree and found else 1


def compile_and_compare() -> bool:
    """Compile SpineNet-49 twice, run both, print the comparison; whether they agree."""
    heading("1. SpineNet-49, from one file to PyTorch and to ONNX")
    spine("check", "spinenet.spine")
    torch_time = spine("compile", "spinenet.spine", "--network", NETWORK, "--to", "torch", "-o", "model.py")
    onnx_time = spine("compile", "spinenet.spine", "--network", NETWORK, "--to", "onnx", "-o", "model.onnx")

    heading("2. Both on one photograph, with the same weights (seed 0)")
    image = read_photo(Path("photo.jpg"))
    model = load_module(Path("model.py"), NETWORK)()
    model.reset(0)
    model.eval()
    session = open_session(Path("model.onnx"))
    ours, torch_run = timed(lambda: run_torch(model, image))
    theirs, onnx_run = timed(lambda: run_onnx(session, image))
    worst = print_outputs(model.feature_info, ours, theirs)

    program = flatten(spinedsl.program("spinenet.spine", network=NETWORK))
    lines = Path("model.py").read_text(encoding="utf-8").count("\n")
    megabytes = Path("model.onnx").stat().st_size / 1e6
    print_table(
        ("", "PyTorch", "ONNX Runtime"),
        [
            ("written", f"model.py, {lines} lines", f"model.onnx, {megabytes:.1f} MB"),
            ("time to compile", f"{torch_time:.2f} s", f"{onnx_time:.2f} s"),
            ("time to run", f"{torch_run:.2f} s", f"{onnx_run:.2f} s"),
        ],
    )
    trainable = sum(parameter.numel() for parameter in model.parameters())
    threads = torch.get_num_threads()
    print(f"trainable parameters  {costs(program).parameters:>15,}  (in the PyTorch module: {trainable:,})")
    print(f"multiply-adds         {costs(program).multiply_adds:>15,}  (one image of 640 x 640)")
    print(f"CPU, {threads} thread{'s' * (threads != 1)}; the faster of two runs; compile times with all imports")
    agree = worst <= AGREE and trainable == costs(program).parameters
    print(
        "They agree."
        if agree
        else f"They do NOT agree: {worst:.1e} is more than {AGREE:.0e}, or the parameters differ."
    )
    return agree


def show_mistakes() -> bool:
    """Print a file with three mistakes and its messages; whether they are found."""
    heading("3. A file with three mistakes")
    rows = Path("three_mistakes.spine").read_text(encoding="utf-8").splitlines()
    for number, row in enumerate(rows, start=1):
        print(f"{number:>4}  {row}".rstrip())
    print()
    status = run_command("check", "three_mistakes.spine")
    print(f"(exit status {status})")
    return status == 1


# ---- running ----


def run_command(*arguments: str) -> int:
    """Run `spine` with these arguments, shown as it is typed."""
    print(f"$ spine {shlex.join(arguments)}", flush=True)
    return command_line(arguments)


def spine(*arguments: str) -> float:
    """A command that must succeed; the seconds that it took."""
    start = perf_counter()
    status = run_command(*arguments)
    if status:
        sys.exit(f"spine failed with exit status {status}")
    return perf_counter() - start


def load_module(path: Path, name: str) -> type[Any]:
    """The class `name` of a Python file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type[Any] = getattr(module, name)
    return found


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """ONNX Runtime with as many threads as PyTorch has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def read_photo(path: Path) -> Array:
    """A photograph as (1, 3, height, width), its colours normalised."""
    with Image.open(path) as photo:
        pixels = np.asarray(photo.convert("RGB"), dtype=np.float32) / 255
    mean, deviation = (np.array(colour, dtype=np.float32) for colour in (MEAN, DEVIATION))
    normalised = (pixels - mean) / deviation
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], dtype=np.float32)


def run_torch(model: torch.nn.Module, image: Array) -> dict[str, Array]:
    """The PyTorch module's outputs by name."""
    with torch.inference_mode():
        return {name: value.numpy() for name, value in model(torch.from_numpy(image)).items()}


def run_onnx(session: onnxruntime.InferenceSession, image: Array) -> dict[str, Array]:
    """The ONNX model's outputs by name."""
    (entry,) = session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    return {name: np.asarray(value) for name, value in zip(names, session.run(names, {entry.name: image}), strict=True)}


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """A result, and the seconds of the second of two runs: the first one warms up."""
    run()
    start = perf_counter()
    result = run()
    return result, perf_counter() - start


# ---- printing ----


def print_outputs(info: Sequence[Mapping[str, Any]], ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> float:
    """Compare the outputs, fine to coarse; the largest scaled difference."""
    assert list(ours) == list(theirs), "the outputs have other names or another order"
    rows, worst = [], 0.0
    for entry, (name, a) in zip(info, ours.items(), strict=True):
        b = theirs[name]
        assert a.shape == b.shape, f"{name}: {a.shape} and {b.shape}"
        level = entry["reduction"].bit_length() - 1
        largest = float(np.abs(a - b).max())
        scaled = largest / float(np.abs(b).max())
        worst = max(worst, scaled)
        rows.append((name, str(level), " x ".join(map(str, a.shape)), f"{largest:.1e}", f"{scaled:.1e}"))
    print_table(("output", "level", "shape", "max |a-b|", "max |a-b| / max |b|"), rows)
    return worst


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they have to be, the first to the left."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, ["-" * width for width in widths], *rows):
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([first.strip().ljust(widths[0]), *rest]).rstrip())
    print()


def heading(text: str) -> None:
    """A title, underlined."""
    print(f"\n{text}\n{'=' * len(text)}\n")


if __name__ == "__main__":
    sys.exit(main())
