"""Operations on maps as a file says them: every engine agrees, and where PyTorch has a function, it is that."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - everybody calls it so
from torch.utils.flop_counter import FlopCounterMode

import spinedsl
from spinedsl.agreement import agree
from spinedsl.agreement.witnesses import module_of
from spinedsl.analysis import costs_of, receptive_fields
from spinedsl.ir.library import YIELDING
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.ops.primitives import WORDS
from spinedsl.ops.rearrange import MODES
from spinedsl.ops.rules import KERNELS
from spinedsl.source import Source
from tests.analysis.fields import by_autograd

FILE = """\
spine 1
import std.activations
import std.pools
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


def blurred(x: torch.Tensor, kernel: int, stride: int = 2) -> torch.Tensor:
    """A depthwise convolution with binomial numbers, on a map mirrored at its edge."""
    line = torch.tensor([math.comb(kernel - 1, k) / 2 ** (kernel - 1) for k in range(kernel)]).double()
    around = (kernel - 1) // 2, kernel // 2
    filters = (line[:, None] * line).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(F.pad(x, (*around, *around), mode="reflect"), filters, stride=stride, groups=x.shape[1])


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
    "pad(x, top = 3, right = 2, mode = reflect)": lambda x: F.pad(x, (0, 2, 3, 0), mode="reflect"),
    "pad(x, bottom = 20, left = 1, mode = edge)": lambda x: F.pad(x, (1, 0, 0, 20), mode="replicate"),
    "pad(x, left = 1, value = 2, mode = constant)": lambda x: F.pad(x, (1, 0, 0, 0), value=2.0),
    "global_average_pool(x, over = width)": lambda x: F.adaptive_avg_pool2d(x, (None, 1)),
    "global_max_pool(x, over = height)": lambda x: x.amax(2, keepdim=True),
    "global_sum_pool(x, width) * global_sum_pool(x, over = height)": lambda x: torch.einsum(
        "nci,ncj->ncij", x.sum(3), x.sum(2)
    ),
    "x / global_average_pool(x * x + 1, over = width)": lambda x: x / (x * x + 1).mean(3, keepdim=True),
    "global_max_pool(global_sum_pool(x, over = width), over = height)": lambda x: x.sum(3).amax(2)[:, :, None, None],
    "average_pool(global_average_pool(x, over = height), kernel = [1, 3])": lambda x: F.avg_pool1d(
        x.mean(2), 3, 1, 1, count_include_pad=False
    )[:, :, None],
    "blur_pool(x)": lambda x: blurred(x, 3),
    "blur_pool(x, kernel = 1)": lambda x: x[:, :, ::2, ::2],
    "blur_pool(x, kernel = 2)": lambda x: blurred(x, 2),
    "blur_pool(x, kernel = 4)": lambda x: blurred(x, 4),
    "blur_pool(x, kernel = 7, stride = 4)": lambda x: blurred(x, 7, 4),
    "blur_pool(x, kernel = 5, stride = 1)": lambda x: blurred(x, 5, 1),
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


@pytest.mark.parametrize("text", [
    "x + constant(0.1) * 0.3",
    "x + channel_sum(constant(1, -2, 0.25)) * 0.1",
    "x * sigmoid(constant(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8) + 0.3)",
    "x + parameter(x.channels, init = 0.1) * 0.3",
    "max(pad(x, top = 1, value = 0.1), 0.3) * 0.7",
])  # fmt: skip
def test_numbers_of_a_file_are_rounded_alike(text: str) -> None:
    """Once, to float32, and computed with in the type of the maps: in float64 every digit is the same."""
    assert agree(program_of(f"return {text}")).agrees


@pytest.mark.parametrize("name", sorted(YIELDING))
def test_a_files_own_definition_is_meant(name: str) -> None:
    """These names were free before: whoever has one keeps it, with the names of its parameters."""
    own = f"def {name}(x) {{ return conv(x, 4, kernel = 1, bias = true) }}"
    program = program_of(f"let y = {name}(x)\nreturn {name}(y)", more=own)
    other = program_of("let y = mine(x)\nreturn mine(y)", more=own.replace(name, "mine"))
    names = [part.replace(name, "mine") for part in flatten(program).parameters]
    assert names == [*flatten(other).parameters]


@pytest.mark.parametrize("name", sorted(WORDS - {"constant"}))
def test_a_word_of_an_attribute_is_a_name_elsewhere(name: str) -> None:
    """What a definition, a parameter or a `let` is called is no less its name."""
    own = f"def {name}(x) {{ return conv(x, 4, kernel = 1) }}\ndef given(x, op = {name}) {{ return op(x) }}\n"
    primitive, call = "global_sum_pool", f"global_sum_pool(x, over = {name})"
    if name in MODES:
        primitive, call = "pad", f"crop(pad(x, top = 1, mode = {name}), top = 1)"
    elif name in KERNELS:
        primitive, call = "conv", f"conv(x, x.channels, kernel = 3, weight = {name})"
    text = f"let y = x + {call}\nlet z = given({name}(x), op = {name})\nreturn concat(held(y), z)"
    more = f"def held(x, {name} = 2) {{ let y = {call} * {name}\nreturn y + x }}"
    program = program_of(text, more=own + more)
    primitives = [node.primitive for node in flatten(program).nodes]
    assert primitives.count(primitive) == (5 if name in KERNELS else 2)
    assert (primitives.count("conv"), primitives.count("multiply_scalar")) == (5 if name in KERNELS else 3, 1)
    assert agree(program).agrees


def test_a_word_of_an_attribute_may_be_held() -> None:
    """By a parameter, a `let` or `defaults`; a class of PyTorch takes it as an argument."""
    lets = "let how = edge\nlet y = around(x)\nlet z = around(y, mode = how)"
    text = f"{lets}\nreturn around(pad(z, top = 1 + 1), mode = constant)"
    more = "def around(x, mode = reflect) { return act(pad(x, left = 1, mode = mode)) }"
    program = program_of(text, "act relu, norm batch_norm, pad(mode = edge)", more)
    modes = [node.attributes["mode"] for node in flatten(program).nodes if node.primitive == "pad"]
    assert modes == ["reflect", "edge", "edge", "constant"]
    assert agree(program).agrees


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_uses_of_one_class_may_pad_and_pool_otherwise() -> None:
    """What differs between uses and iterations is an argument, which `torch.jit.script` takes."""
    more = """
def line(x, tall) { return global_average_pool(x, over = (width if tall == 1 else height) if tall > 0 else both) }
def around(x, how) {
    return conv(pad(x, top = 1, bottom = 1, left = 1, right = 1, mode = how), x.channels, kernel = 3, padding = 0)
}
def made(x, how) {
    var y = x
    repeat i in 3 { y = sigmoid(y + line(y, i) + around(y, how) + around(y, reflect if i == 0 else constant)) }
    return y
}
"""
    program = program_of("return concat(made(x, edge), made(x, reflect), made(x, constant))", more=more)
    assert agree(program).agrees
    module = module_of(program, seeded(flatten(program).parameters, 0), np.float32)
    pixels = torch.rand(2, 3, 16, 24)
    assert torch.equal(torch.jit.script(module)(pixels)["h"], module(pixels)["h"])


# ---- what `defaults` name ----

ROLES_FILE = """\
spine 1
import std.activations
{more}
stem_type enter(image) -> 8 {{ return act(norm(conv(image, 8, kernel = 3, stride = 2))) }}
network Net {{
    input image: 3 x 32 x 32
    defaults {{ {defaults} }}
    stem s: enter
    output C1: s
}}
"""
SAME_AS = [  # two ways to say one network
    ("act none, norm batch_norm", "act identity, norm batch_norm"),
    ("act relu, norm none", "act relu, norm identity"),
    ("act mine, norm batch_norm", "act relu, norm batch_norm"),
    ("act bounded(top = 6), norm batch_norm", "act relu6, norm batch_norm"),
    ("act relu, norm grouped", "act relu, norm group_norm(groups = 4)"),
]
MORE = """\
def mine(x) { return relu(x) }
def bounded(x, top = 1) { return min(max(x, 0), top) }
def grouped(x) { return group_norm(x, groups = 4) }
"""


def outputs_of(defaults: str) -> np.ndarray:
    text = ROLES_FILE.format(more=MORE, defaults=defaults)
    graph = flatten(spinedsl.program(Source.from_text(text, "net.spine")))
    image = np.random.default_rng(1).standard_normal((2, 3, 32, 32)).astype(np.float32)
    random = np.random.default_rng(2)
    weights = {name: random.random(p.shape).astype(np.float32) + 0.5 for name, p in graph.parameters.items()}
    return run(graph, weights, image)["C1"]


@pytest.mark.parametrize(("one", "other"), SAME_AS)
def test_a_role_may_be_a_definition_or_nothing(one: str, other: str) -> None:
    assert np.array_equal(outputs_of(one), outputs_of(other))


def test_what_defaults_give_a_definition_is_what_it_takes() -> None:
    program = spinedsl.program(
        Source.from_text(
            ROLES_FILE.format(more="", defaults="act leaky_relu(slope = 0.1), norm instance_norm(epsilon = 1e-3)"),
            "net.spine",
        )
    )
    assert [*flatten(program).parameters][1:] == ["s.norm.group_norm.weight", "s.norm.group_norm.bias"]
    primitives = [node.primitive for node in flatten(program).nodes]
    assert primitives[-4:] == ["maximum_scalar", "minimum_scalar", "multiply_scalar", "add"]
    assert flatten(program).nodes[-2].attributes["value"] * 10 == 1
    assert agree(program).agrees


def test_networks_of_one_file_may_mean_other_definitions() -> None:
    """What both use is expanded for each."""
    text = ROLES_FILE.format(more=MORE, defaults="act mine, norm batch_norm")
    body = text[text.index("network Net") :]
    other = body.replace("network Net", "network Other").replace("act mine", "act bounded")
    source = Source.from_text(text + other, "net.spine")
    found = [flatten(spinedsl.program(source, network=name)).nodes[-1].primitive for name in ("Net", "Other")]
    assert found == ["relu", "minimum_scalar"]


# ---- names in both arms ----

ARMS = {  # bodies of `t(x, channels, stride, wide)`, whose two uses take an arm each
    "maps": "if wide { let y = conv(e, channels, kernel = 1)\nreturn y } else { let y = conv(e, channels, kernel = 3)\n"
    "return act(y) }",
    "maps wired alike": "if wide { let y = conv(e, channels, kernel = 1)\nreturn y + 1 } else {\n"
    "let y = conv(e, channels, kernel = 1)\nreturn act(y) }",
    "by iteration": "var z = e\nrepeat i in 3 { if i == 1 { let y = conv(z, channels, kernel = 1)\nz = z + y } else {\n"
    "let y = z * 2\nz = y } }\nreturn z",
    "a number and a map": "var z = e\nif wide { var y = channels\ny = y + 1\nz = conv(z, y, kernel = 1) } else {\n"
    "var y = act(e)\ny = y + e\nz = y }\nreturn conv(z, channels, kernel = 1)",
    "a list and a map": "if wide { let y = [e, e * 2]\nreturn sum(y) } else { let y = e\nreturn y * 3 }",
    "three arms": "var z = e\nif stride == 4 { let w = 1\nz = z * w } else if wide { let w = 2\nz = z * w } else {\n"
    "let w = conv(z, channels, kernel = 1)\nz = w }\nreturn z",
}
ARMS_FILE = """\
spine 1
import std.stems
block_type t(x, channels, stride = 1, wide = true) -> channels {{
    let e = conv(x, channels, kernel = 3, stride = stride)
    {body}
}}
network R {{
    input image: 3 x 32 x 32
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..3: 8 }}
    stem s: resnet_stem channels 8
    block b: t level 2 after s
    block c: t(wide = false) level 3 after b
    output P: b
    output Q: c
}}
"""


@pytest.mark.parametrize("name", ARMS)
def test_both_arms_of_a_choice_may_bind_a_name(name: str) -> None:
    assert agree(spinedsl.program(Source.from_text(ARMS_FILE.format(body=ARMS[name]), "net.spine"))).agrees


# ---- windows that are no squares ----

OBLONG = """\
spine 1
import std.stems
block_type t(x, channels, stride = 1, size = [1, 7]) -> channels {
    let a = conv(x, channels, kernel = [1, 7], groups = 8)
    let b = act(norm(conv(a, channels, kernel = [7, 1], padding = [3, 0], bias = true)))
    let c = max_pool(b, kernel = [3, 1]) + average_pool(b, kernel = [2, 5])
    let d = c + average_pool(b, kernel = [1, 3], padding = [0, 1])
    let e = conv(d, channels, kernel = [2, 3], stride = stride)
    let f = conv(d, channels, kernel = [1, 3], stride = stride, padding = symmetric)
    let g = conv(pad(e + f, left = 1, right = 1), channels, kernel = [1, 3], padding = 0)
    return conv(g, channels, kernel = size)
}
network R {
    input image: 3 x 64 x 96
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 16 }
    stem s: resnet_stem channels 16
    block b: t level 2 after s
    block c: t(size = 3) level 3 after b
    block d: t(size = [3, 1]) level 3 after c
    output P: b
    output Q: d
}
"""


def oblong(height: int, width: int) -> spinedsl.Program:
    text = OBLONG.replace("64 x 96", f"{height} x {width}")
    return spinedsl.program(Source.from_text(text, "net.spine"))


def test_windows_may_be_other_along_the_width() -> None:
    program = oblong(64, 96)
    assert agree(program).agrees
    shapes = {name: parameter.shape for name, parameter in flatten(program).parameters.items()}
    assert shapes["b.a.conv.weight"] == (16, 2, 1, 7)
    assert shapes["c.conv.weight"] == (16, 16, 3, 3)
    assert shapes["d.conv.weight"] == (16, 16, 3, 1)


def test_they_fit_every_size_where_their_stride_is_one() -> None:
    text = OBLONG.replace("network R {", "network R {\n    rules { sizes any }")
    text = text.replace("stride = 1, size", "size").replace("stride = stride", "stride = 1")
    text = text.replace("level 3", "level 2").replace("    output P: b\n", "")
    assert agree(spinedsl.program(Source.from_text(text, "net.spine"))).agrees


def test_their_costs_are_those_that_pytorch_counts() -> None:
    program = oblong(64, 96)
    graph = flatten(program)
    module = module_of(program, seeded(graph.parameters, 0), np.float32)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, 3, 64, 96))
    assert counter.get_total_flops() == 2 * costs_of(graph.nodes, graph).multiply_adds
    assert sum(p.numel() for p in module.parameters()) == sum(
        p.elements for p in graph.parameters.values() if p.trainable
    )


def test_their_receptive_field_is_the_wider_of_both_sides() -> None:
    """The rows of each network, by autograd, along height and width."""
    fields = receptive_fields(flatten(oblong(64, 96)))
    assert by_autograd(oblong, 768, rows=("b",))["b"] == fields["b"]
