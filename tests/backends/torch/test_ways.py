"""Generated networks of every example by all ways that PyTorch has to record, copy and send a module."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

import spinedsl
from spinedsl import driver
from spinedsl.backends.torch import build, emit_module
from spinedsl.ops.program import Program
from spinedsl.source import Source
from tests.patience import HANG
from tests.texts import ROOT, text_of

EXAMPLES = sorted((ROOT / "examples").rglob("*.spine"))
SMALL = ROOT / "examples/tutorial/5_own_block.spine"

Way = Callable[[nn.Module, Tensor], Callable[[Tensor], Mapping[str, Tensor]]]


def pickled(module: nn.Module, image: Tensor) -> Any:
    return pickle.loads(pickle.dumps(module))


def saved(module: nn.Module, image: Tensor) -> Any:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


WAYS: dict[str, Way] = {
    "torch.jit.script": lambda module, image: cast(Any, torch.jit).script(module),
    "torch.jit.trace": lambda module, image: cast(Any, torch.jit).trace(module, (image,), strict=False),
    "torch.fx.symbolic_trace": lambda module, image: torch.fx.symbolic_trace(module),
    "torch.export": lambda module, image: torch.export.export(module, (image,)).module(),
    "torch.compile": lambda module, image: torch.compile(module, backend="eager", fullgraph=True),
    "copy.deepcopy": lambda module, image: copy.deepcopy(module),
    "pickle": pickled,
    "torch.save": saved,
}


def image_for(program: Program, batch: int = 2) -> Tensor:
    """A small image that the network takes."""
    whole = program.input_type
    side = 33 if program.any_size else max(program.divisor, 32)
    height = whole.height if "height" in program.static_axes else side
    width = whole.width if "width" in program.static_axes else side
    return torch.rand(batch, whole.channels, height, width, generator=torch.Generator().manual_seed(0))


def first(path: Path) -> Program:
    """The first network of an example."""
    return spinedsl.program(
        path, network=next(iter(driver.load(Source.from_text(text_of(path), path.name, str(path))).networks))
    )


@pytest.mark.filterwarnings("ignore")  # of what tracing warns
@pytest.mark.parametrize("path", [p for p in EXAMPLES if "demo" not in p.parts], ids=lambda path: path.stem)
def test_every_way_gives_the_same(path: Path) -> None:
    program = first(path)
    image = image_for(program)
    module = build(program).eval()
    with torch.no_grad():
        wanted = module(image)
        for name, way in WAYS.items():
            if program.any_size and name == "torch.fx.symbolic_trace":
                continue  # where a size is worked out, `torch.arange` takes no traced number
            found = way(module, image)(image)
            assert [*found] == [*wanted], name
            for output, value in wanted.items():
                torch.testing.assert_close(found[output], value, atol=1e-5, rtol=1e-4, msg=f"{name}: {output}")


# ---- other processes ----

OTHER = """
import sys, torch
import net
network = torch.load(sys.argv[1], weights_only=False)
torch.save(network(torch.load(sys.argv[2])), sys.argv[3])
"""


def own_file(folder: Path) -> Any:
    """A network as people have it: a file of its own."""
    (folder / "net.py").write_bytes(emit_module(spinedsl.program(SMALL)))
    spec = spec_from_file_location("net", folder / "net.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    sys.modules["net"] = made
    spec.loader.exec_module(made)
    return getattr(made, spinedsl.program(SMALL).name)().eval()


@pytest.fixture
def network(tmp_path: Path) -> Any:
    yield own_file(tmp_path)
    del sys.modules["net"]


def test_a_whole_module_is_loaded_in_another_process(tmp_path: Path, network: Any) -> None:
    image = image_for(spinedsl.program(SMALL))
    torch.save(network, tmp_path / "whole.pt")
    torch.save(image, tmp_path / "image.pt")
    command = [sys.executable, "-c", OTHER, *(str(tmp_path / name) for name in ("whole.pt", "image.pt", "out.pt"))]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(tmp_path)}, timeout=HANG)
    found = torch.load(tmp_path / "out.pt", weights_only=False)
    with torch.no_grad():
        wanted = network(image)
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


LOADED = """
import sys, torch
network = torch.load(sys.argv[1], weights_only=False)
torch.save(network(torch.load(sys.argv[2])), sys.argv[3])
torch.save(network, sys.argv[1])
"""


def test_what_was_loaded_is_loaded_in_another_process(tmp_path: Path) -> None:
    network = spinedsl.load(SMALL).eval()
    image = image_for(spinedsl.program(SMALL))
    torch.save(network, tmp_path / "whole.pt")
    torch.save(image, tmp_path / "image.pt")
    command = [sys.executable, "-c", LOADED, *(str(tmp_path / name) for name in ("whole.pt", "image.pt", "out.pt"))]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=HANG)
    found, again = (torch.load(tmp_path / name, weights_only=False) for name in ("out.pt", "whole.pt"))
    assert type(again) is type(network)
    with torch.no_grad():
        wanted, last = network(image), again(image)
    assert all(torch.equal(found[name], value) for name, value in wanted.items())
    assert all(torch.equal(last[name], value) for name, value in wanted.items())


def test_a_class_of_ones_own_is_copied_and_pickled() -> None:
    own: Any = type("Own", (cast(Any, type(spinedsl.load(SMALL))),), {"__module__": __name__})
    globals()["Own"] = own  # where pickle looks for it
    module = own().eval()
    image = image_for(spinedsl.program(SMALL))
    with torch.no_grad():
        wanted = module(image)
        for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
            assert type(other) is own
            found = other(image)
            assert all(torch.equal(found[name], value) for name, value in wanted.items())


SPAWNED = """
import multiprocessing, torch
import net

def work(pipe):
    network, image = pipe.recv()
    with torch.no_grad():
        pipe.send({name: value.numpy() for name, value in network(image).items()})

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    worker = context.Process(target=work, args=(there,))
    worker.start()
    network = getattr(net, NAME)().eval()
    image = torch.ones(1, 3, SIDE, SIDE)
    here.send((network, image))
    found = here.recv()
    worker.join()
    with torch.no_grad():
        wanted = network(image)
    assert all((found[name] == value.numpy()).all() for name, value in wanted.items())
    print("same")
"""


def test_a_module_is_sent_to_a_spawned_worker(tmp_path: Path, network: Any) -> None:
    program = spinedsl.program(SMALL)
    text = SPAWNED.replace("NAME", repr(program.name)).replace("SIDE", str(max(program.divisor, 32)))
    (tmp_path / "main.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=HANG
    )
    assert done.stdout.strip() == "same", done.stderr
