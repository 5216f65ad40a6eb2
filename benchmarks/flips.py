"""Flip single bits of a weights file that we wrote, and count how many are refused.

    python -m benchmarks.flips                     # 10,000 flips, seed 0: a minute or two
    python -m benchmarks.flips --flips 1000 --seed 7

A third of the bits lie in the length and the opening of the header, over and over all of them; a third in the rest of
the header, a third in the numbers. The same flips are then tried on the same tensors as the safetensors library writes
them. Exit status 1 if any flip of ours was not refused as damage.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import safetensors.numpy

import spinedsl
from benchmarks.figures import measured
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.weights import read, to_bytes
from spinedsl.weights.sealed import OPENING

NETWORK = Path(__file__).parents[1] / "examples/spinenet_mobile.spine", "SpineNetMobile49XS"


def flip(path: Path, bit: int) -> None:
    """Turn a bit of a file over, in place."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def trial(path: Path, bits: list[int]) -> Counter[str]:
    """What is reported about each flip: a code, or nothing where the file is read."""
    said: Counter[str] = Counter()
    for bit in bits:
        flip(path, bit)
        outcome = read(path)
        said["read" if outcome.value is not None else outcome.diagnostics[0].code.id] += 1
        flip(path, bit)
    return said


def positions(path: Path, opening: int, count: int, seed: int) -> list[int]:
    """Bits of the opening of a header, of the rest of it, and of the numbers."""
    draw = random.Random(seed)  # noqa: S311  no secret
    start = 8 * (8 + opening)
    header = 8 * (8 + int.from_bytes(path.read_bytes()[:8], "little"))
    end = 8 * path.stat().st_size
    third = count // 3
    return [
        *(index % start for index in range(third)),
        *(draw.randrange(start, header) for _ in range(third)),
        *(draw.randrange(header, end) for _ in range(count - 2 * third)),
    ]


def main() -> int:
    """Print a line for each of the two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=10_000, help="how many bits (default 10000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of their places (default 0)")
    options = parser.parse_args()
    program = spinedsl.program(NETWORK[0], network=NETWORK[1])
    tensors = seeded(flatten(program).parameters, 0)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:  # noqa: S108
        ours, plain = Path(folder) / "ours.safetensors", Path(folder) / "plain.safetensors"
        ours.write_bytes(to_bytes(tensors))
        plain.write_bytes(safetensors.numpy.save(dict(tensors)))
        missed = 0
        for path, opening in ((ours, len(OPENING)), (plain, 0)):
            before = time.perf_counter()
            said = trial(path, positions(path, opening, options.flips, options.seed))
            seconds = time.perf_counter() - before
            print(f"{path.stem}: {options.flips} flips in {seconds:.0f} s: {dict(said.most_common())}")
            if path == ours:
                missed = options.flips - said["E0908"]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(measured("flips", main))
