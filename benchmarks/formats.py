"""Export to ExecuTorch and LiteRT where they are installed: `python -m benchmarks.formats --cache FOLDER`.

Their packages are large and bring much that nothing else here needs. Each is installed in an environment of its own
below the cache, once, with the PyTorch of this one; there the tests of exports run with it, and the lines of its cards.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.environments import environment
from benchmarks.figures import measured

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("tests/inference/test_export.py", "tests/inference/test_card.py")
PACKAGES = {"executorch": ("executorch",), "litert": ("litert-torch", "ai-edge-litert")}
NEEDED = ("lark", "jinja2", "numpy", "pillow", "safetensors", "onnx", "onnxruntime", "rich", "pytest", "hypothesis")


def main() -> int:
    """Run the tests with each package; exit status 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="where the environments are")
    cache: Path = parser.parse_args().cache
    failed = []
    for name, packages in PACKAGES.items():
        torch = f"torch=={version('torch').partition('+')[0]}"
        python = environment(cache, f"formats-{name}", [torch, *packages, *NEEDED])
        words = [
            str(python),
            "-W",
            "ignore",
            "-m",
            "pytest",
            "-W",
            "ignore",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            name,
            *TESTS,
        ]
        if subprocess.run(words, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "every format agrees")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(measured("formats", main))
