"""Generated Python: the allowlist refuses what it should, and importing a module does nothing but define it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spinedsl import api, driver, reading
from spinedsl.source import Source
from spinedsl.testing import STANDARD
from spinedsl.testing.definitions import STEPS, decode
from tests.hostile.allowlist import strange
from tests.hostile.payloads import PAYLOADS
from tests.hostile.test_payloads import IDENTIFIER, PLACES, ROOT, text_with
from tests.patience import HANG

HOSTILE = (
    "import os",
    "import torch, os",
    "from os import path",
    "import torch as os",
    "from torch import load",
    "print(1)",
    "x = 1",
    "eval('1')",
    "def f():\n    eval('1')",
    "def f(x):\n    return open(x)",
    "def f(x):\n    return x.__class__",
    "def f(x):\n    return __import__('os')",
    "def f(x):\n    return torch.load(x)",
    "def f(x):\n    return torch.hub",
    "import torch\ndef f(x):\n    return torch.load(x)",
    "def f(x):\n    x.tofile('a')",
    "def f(x):\n    global y",
    "def f(x):\n    return getattr(x, '__class__')",
    "def f(x):\n    return hasattr(x, '__class__')",
    "def f(x, i):\n    return hasattr(x, f'rep{i}')",
    "def f(x):\n    return getattr(x, x)",
    "class A:\n    @property\n    def b(self): ...",
    "def f(x=lambda: 0): ...",
    "async def f(): ...",
    "def f():\n    yield 1",
    "def f():\n    with open('a'): ...",
    "def f():\n    try:\n        pass\n    except Exception: ...",
    "def f(x):\n    exec(x)",
    "def f(x):\n    (lambda: 0)()",
    "def f():\n    return 'rm -rf; $(x)'",
    'def f():\n    return b"x"',
    "class A(type): ...",
    "def f(x: os): ...",
    "# -*- coding: utf-7 -*-",
    "def f():\n    '''é'''",
    "def f(",
    "if True:\n    pass",
    "del torch",
    "assert 1",
    "def f(x):\n    x[0]()",
    "def f():\n    return (y := 1)",
    "def f():\n    raise ValueError",
    "def f():\n    raise ValueError(f', got ') from None",
    "def f(x):\n    raise x",
    "while True: pass",
    "@f\nclass A: ...",
    "F.foo = 1",
)

# Runs modules in a process of their own, with a trap on whatever reaches out of it.
TRAP = """
import json, socket, sys, types
import functools, math, warnings, collections, zlib, torch, torch.nn.functional
held, seen = True, []
ALLOWED = {"compile", "exec", "object.__getattr__", "object.__setattr__", "sys._getframe", "import"}
def trap(event, arguments):
    if held or event in ALLOWED and not (event == "import" and arguments[0] not in sys.modules):
        return
    seen.append([event, repr(arguments)[:200]])
sys.addaudithook(trap)
try:
    socket.create_connection(("127.0.0.1", 9), timeout=0.1)
except OSError:
    pass
for name, text in json.load(sys.stdin):
    code = compile(text, "<generated>", "exec")
    module = types.ModuleType("generated")
    sys.modules["generated"] = module
    held = False
    exec(code, vars(module))
    held = True
print(json.dumps(seen))
"""


@pytest.mark.parametrize("text", HOSTILE)
def test_the_allowlist_refuses(text: str) -> None:
    assert strange(text)


def test_every_generated_file_keeps_to_the_allowlist() -> None:
    files = sorted((ROOT / "generated").rglob("model.py"))
    assert files
    assert {file.name: found for file in files if (found := strange(file.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_every_step_of_random_block_types_is_let_through(step: int) -> None:
    rows = ["block a: own level 3 after s channels 4", "block b: own level 4 from s, a channels 8 repeat 2"]
    frame = "network Net {\n input image: 3 x 64 x 64\n defaults { act gelu, norm batch_norm }\n resample averaged\n"
    text = f"{STANDARD.head}\n{decode('own', [3, step, step])}\n{frame} join halved\n stem s: resnet_stem channels 8\n"
    source = STANDARD.source(text + "\n".join(rows) + "\n output B: b\n}\n")
    (module,) = api.compile(source, to="torch").values()
    assert strange(module.decode()) == []


def modules() -> list[tuple[str, str]]:
    """What is generated of the examples, and of each payload that a network takes, in one place or another."""
    found = [(str(file), file.read_text(encoding="utf-8")) for file in sorted((ROOT / "generated").rglob("model.py"))]
    for number, payload in enumerate(PAYLOADS):
        places = [PLACES[(number + step) % len(PLACES)] for step in (0, 3)] if IDENTIFIER.fullmatch(payload) else []
        for text in (text_with(comment=payload), *(text_with(**{place: payload}) for place in places)):
            source = Source.from_text(text, reading.legible(payload))
            if driver.analyse(source).ok:
                (module,) = api.compile(source, to="torch").values()
                found.append((payload, module.decode()))
    return found


def test_importing_generated_code_only_defines(tmp_path: Path) -> None:
    """No file, process, connection or further import: in a process without network, where each is noticed."""
    made = modules()
    assert len(made) > 150
    alone = ["unshare", "--net", "--map-root-user"]
    can = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
    command = [*(alone if can else []), sys.executable, "-I", "-c", TRAP]
    done = subprocess.run(
        command, input=json.dumps([(ascii(name), text) for name, text in made]), capture_output=True, text=True,
        cwd=tmp_path, check=False, timeout=HANG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["open('a', 'w')", "import ctypes.util", "__import__('os').system('true')"],
)
def test_the_trap_notices(text: str, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-c", TRAP]
    done = subprocess.run(
        command, input=json.dumps([("x", text)]), capture_output=True, text=True, cwd=tmp_path, check=True, timeout=HANG
    )
    assert json.loads(done.stdout.splitlines()[-1])
