"""Operations on maps as a file says them: every engine agrees, and where PyTorch has a function, it is that."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - everybody calls it so

import spinedsl
from spinedsl.agreement import agree
from spinedsl.ir.library import YIELDING
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.source import Source

FILE = """\
spine 1
import std.activations
{more}
stem_type enter(image) -> 8 {{ return conv(image, 8, kernel = 3, stride = 2) }}
output_type made(x) {{ {text} }}
network Net {{
    input image: 3 x 32 x 48
    defaults {{ {defaults} }}
    stem s: enter
    output C1: s
    head h: probe from s
}}
head_type probe(maps) {{ return probed(first(maps)) }}
def probed(x) {{ {text} }}
"""


def program_of(text: str, defaults: str = "act relu, norm batch_norm", more: str = "") -> spinedsl.Program:
    file = FILE.replace("output_type made(x) {{ {text} }}\n", "")
    return spinedsl.program(Source.from_text(file.format(text=text, defaults=defaults, more=more), "net.spine"))


def value_of(program: spinedsl.Program, image: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """What the stem gives, and what is made of it, by the interpreter."""
    graph = flatten(program)
    rows = run(graph, seeded(graph.parameters, 0), image, dtype=np.float64)
    return torch.from_numpy(rows["s"]), torch.from_numpy(rows["h"])


THEIRS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "leaky_relu(x)": F.leaky_relu,
    "leaky_relu(x, slope = 0.2)": lambda x: F.leaky_relu(x, 0.2),
    "prelu(x)": lambda x: F.prelu(x, torch.full((8,), 0.25).double()),
    "elu(x)": F.elu,
    "elu(x, alpha = 0.5)": lambda x: F.elu(x, 0.5),
    "mish(x)": F.mish,
    "mish(x * 100)": lambda x: F.mish(x * 100),
    "tanh(x)": torch.tanh,
    "hard_tanh(x)": F.hardtanh,
    "instance_norm(x)": F.instance_norm,
    "x / (1 + exp(-x))": F.silu,
    "1 / (1 + exp(x))": lambda x: torch.sigmoid(-x),
    "2 / (x * x + 1)": lambda x: 2 / (x * x + 1),
    "x / (max(x, -x) + 1)": F.softsign,
    "(x - 1) / (x * x + 1) / 2 * x": lambda x: (x - 1) / (x * x + 1) / 2 * x,
    "1 - x / (x * x + 1)": lambda x: 1 - x / (x * x + 1),
    "max(x, 0.5, -x, 1)": lambda x: torch.maximum(torch.maximum(x, -x), torch.tensor(1.0)),
    "min(1, 2, x)": lambda x: x.clamp(max=1),
    "power(x, 2) - power(x, 3)": lambda x: x**2 - x**3,
    "sqrt(x * x)": lambda x: x.abs(),
    "power(x * x + 1, -1.5)": lambda x: (x * x + 1) ** -1.5,
    "power(power(x, 2), 2)": lambda x: x**4,
    "-power(x, 2)": lambda x: -(x**2),
    "x / channel_sum(max(x, 0) + 1)": lambda x: x / (x.relu() + 1).sum(1, keepdim=True),
    "exp(x - channel_max(x)) / channel_sum(exp(x - channel_max(x)))": lambda x: x.softmax(1),
    "channel_mean(x) * x": lambda x: x * x.mean(1, keepdim=True),
    "global_max_pool(x) + global_sum_pool(x)": lambda x: x.amax((2, 3), keepdim=True) + x.sum((2, 3), keepdim=True),
    "adaptive_average_pool(x, 3)": lambda x: F.adaptive_avg_pool2d(x, 3),
    "adaptive_average_pool(x, 8)": lambda x: F.adaptive_avg_pool2d(x, 8),
    "pixel_shuffle(x)": lambda x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle(x, factor = 4)": lambda x: F.pixel_unshuffle(x, 4),
}


@pytest.mark.parametrize("text", THEIRS)
def test_a_function_of_pytorch(text: str) -> None:
    program = program_of(f"return {text}")
    image = np.random.default_rng(0).standard_normal((2, 3, 32, 48)).astype(np.float32)
    x, got = value_of(program, image)
    expected = THEIRS[text](x)
    assert got.shape == expected.shape
    assert float((got - expected).abs().max() / expected.abs().max()) < 1e-12


def test_every_engine_agrees() -> None:
    """All of them in one network, at every size that it takes."""
    made = [text for text in THEIRS if not text.startswith("mish(x * 100")]
    lets = [f"let v{n} = {text}" for n, text in enumerate(made)]
    pooled = " + ".join(f"conv(global_average_pool(v{n}), 8, kernel = 1)" for n in range(len(made)))
    program = program_of("\n".join([*lets, f"return {pooled}"]))
    assert agree(program).agrees


@pytest.mark.parametrize("name", sorted(YIELDING))
def test_a_files_own_definition_is_meant(name: str) -> None:
    """These names were free before: whoever has one keeps it, with the names of its parameters."""
    own = f"def {name}(x) {{ return conv(x, 4, kernel = 1, bias = true) }}"
    program = program_of(f"let y = {name}(x)\nreturn {name}(y)", more=own)
    other = program_of("let y = mine(x)\nreturn mine(y)", more=own.replace(name, "mine"))
    names = [part.replace(name, "mine") for part in flatten(program).parameters]
    assert names == [*flatten(other).parameters]
