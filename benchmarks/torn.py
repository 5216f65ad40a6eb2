"""Kill writers at every moment of a write and look at what they leave: `python -m benchmarks.torn --kills 1000`.

A process writes one file over and over, each time whole of one letter and longer or shorter than before; after a random
time it gets SIGKILL. The file must then be whole: one of the versions, of its right length.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import measured

ROOT = Path(__file__).resolve().parent.parent
# The versions: a letter, repeated as often as the version says.
WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from spinedsl.cli.output import write_whole
path, size, careless = Path({path!r}), {size}, {careless}
version = 0
print("ready", flush=True)
while True:
    version += 1
    data = bytes([97 + version % 26]) * (size + version % 26)
    if careless:
        path.write_bytes(data)
    else:
        assert write_whole(path, data) is None
"""


class Found(NamedTuple):
    """How many files were left torn, as they were before, as a newer version, and how many temporary ones stayed."""

    torn: int
    old: int
    new: int
    left_over: int


def whole(data: bytes, size: int) -> bool:
    """One of the versions that the writer writes, complete."""
    return bool(data) and data == data[:1] * len(data) and len(data) == size + data[0] - 97


def torn(folder: Path, kills: int, size: int, *, careless: bool = False, seed: int = 1) -> Found:
    """Kill so many writers of a file of about `size` bytes, half of them in what may be their first write."""
    pick = random.Random(seed)  # noqa: S311  moments, not secrets
    path = folder / "model.bin"
    counts = {"torn": 0, "old": 0, "new": 0}
    code = WRITER.format(root=str(ROOT), path=str(path), size=size, careless=careless)
    for _ in range(kills):
        path.write_bytes(b"a" * size)
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(pick.random() * (0.002 if pick.random() < 0.5 else 0.02))
            writer.send_signal(signal.SIGKILL)
        data = path.read_bytes()
        counts["torn" if not whole(data, size) else "old" if data[:1] == b"a" and len(data) == size else "new"] += 1
    left = [other for other in folder.iterdir() if other != path]
    for other in left:
        other.unlink()
    return Found(**counts, left_over=len(left))


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--size", type=int, default=2**20, help="bytes of the file")
    options = parser.parse_args()
    for careless in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            found = torn(Path(folder), options.kills if not careless else 50, options.size, careless=careless)
        how = "write in place, for comparison" if careless else "write_whole"
        said = f"{found.torn} torn, {found.old} old, {found.new} new, {found.left_over} temporary files left"
        print(f"{how}: {sum(found[:3])} kills, {said}")


if __name__ == "__main__":
    sys.exit(measured("torn", main))
