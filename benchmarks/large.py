"""Write a model of over 2 GB, load it, and kill its writers: `python benchmarks/large.py --kills 100 --folder FOLDER`.

SpineNet-190 more than twice as wide is compiled once. ONNX Runtime loads it from the disk and has to give what the
reference interpreter gives, at 128 pixels. Then two versions of the model are written over each other by processes that
get SIGKILL at a random moment of the write. The model that is there afterwards must have its tensors beside it, whole.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from spinedsl import api
from spinedsl.agreement import Size, image
from spinedsl.cli.output import write_files
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.source import Source

ROOT = Path(__file__).resolve().parent.parent
WIDE = "network Wide = SpineNet190(width = {width}, size = 128)\n"
MOST = 1e-5  # of the largest value of an output


def compiled(width: str) -> tuple[dict[str, bytes], float]:
    """The files of the model, and how far ONNX Runtime is from the interpreter on it."""
    import onnxruntime

    text = (ROOT / "examples/spinenet.spine").read_text(encoding="utf-8") + WIDE.format(width=width)
    made = api.program(Source.from_text(text, "wide.spine"), network="Wide")
    files = api.emit(made, to="onnx")
    if len(files) == 1:  # a narrower one, to try this script
        files = api.emit(made, to="onnx", external_data="always")
    graph = flatten(made)
    given = image(made, Size(1, 128, 128), 0)
    expected = run(graph, seeded(graph.parameters, 0), given)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        path = Path(name) / "wide.onnx"
        assert write_files(str(path), files) == 0
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        outputs = dict(zip(made.outputs, session.run(list(made.outputs), {made.input_name: given}), strict=True))
    far = max(float(np.abs(outputs[n] - expected[n]).max() / np.abs(expected[n]).max()) for n in made.outputs)
    return files, far


def other(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """A second version: other tensors, under another name, which the model asks for."""
    (model, data), (first, second) = files.values(), files
    changed = bytes(64) + data[64:]
    name = f"{second.split('.')[0]}.{hashlib.sha256(changed).hexdigest()[:12]}.data"
    return {first: model.replace(second.encode(), name.encode()), name: changed}


def whole(path: Path, versions: Mapping[bytes, tuple[str, str]]) -> bool:
    """The model is one of the versions, and its tensors are beside it to the last bit."""
    asked = versions.get(path.read_bytes()) if path.exists() else None
    if asked is None:
        return False
    beside = path.with_name(asked[0])
    with beside.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == asked[1]


def torn(folder: Path, files: Mapping[str, bytes], kills: int, seed: int = 1) -> tuple[int, int]:
    """Kill so many writers: how many left a model torn, and how many had finished."""
    pick = random.Random(seed)  # noqa: S311  moments, not secrets
    path = folder / "wide.onnx"
    both = (dict(files), other(files))
    versions = {}
    for version in both:
        (model, data), (_, name) = version.values(), version
        versions[model] = (name, hashlib.sha256(data).hexdigest())
    start = time.perf_counter()
    write_files(str(path), both[0])
    usual = time.perf_counter() - start
    bad = finished = 0
    for turn in range(kills):
        pid = os.fork()
        if not pid:
            try:
                sys.stderr = sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
                write_files(str(path), both[(turn + 1) % 2])
                os._exit(0)
            finally:
                os._exit(1)  # whatever went wrong: the folder is the parent's
        time.sleep(pick.random() * usual * 1.1)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        finished += status == 0
        bad += not whole(path, versions)
        model = path.read_bytes() if path.exists() else b""
        for left in folder.iterdir():  # temporary files, and half of the time the tensors of the other version
            if left.name.startswith(".") or (
                pick.random() < 0.5 and left.name not in (path.name, *versions.get(model, ()))
            ):
                left.unlink()
    return bad, finished


FOLDER = Path(tempfile.gettempdir())


def main() -> int:
    """Print what was found; exit status 1 if a model was torn or differed."""
    global FOLDER  # noqa: PLW0603  where everything is written
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--width", default="3", help="of the network; the published one has 1.3")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write, with room for three models")
    options = parser.parse_args()
    FOLDER = options.folder
    start = time.process_time()
    files, far = compiled(options.width)
    size = sum(map(len, files.values()))
    print(f"{size / 2**30:.2f} GiB in {len(files)} files, {far:.1e} from the interpreter, "
          f"{time.process_time() - start:.0f} s of processor time", flush=True)  # fmt: skip
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        bad, finished = torn(Path(name), files, options.kills)
    print(f"{options.kills} writers killed, {finished} of them done: {bad} models torn")
    return 1 if bad or far > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
