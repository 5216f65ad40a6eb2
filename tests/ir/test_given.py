"""Whatever a file gives is read, or refused with a repair: attributes of operations, entries of `defaults`, arguments.

Attributes come from the table of primitives: a new one fails here until it has two values, of which every backend that
has a use for it makes two files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

import spinedsl
from spinedsl import driver
from spinedsl.backends.onnx import to_text
from spinedsl.backends.torch import emit_module
from spinedsl.diagnostics import Diagnostic
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.primitives import PRIMITIVES, ROLES
from spinedsl.ops.program import Program
from spinedsl.source import Source

FILE = """\
spine 1

stem_type enter(image, channels) {{
    let y = conv(image, channels, kernel = 3, stride = 2, groups = 1)
    return max_pool(y, kernel = 3, stride = 2, padding = same)
}}
def drawn(x) {{ return {call} }}
head_type probe(maps) {{ return drawn(first(maps)) }}

network Probe {{
    input image: 3 x 32 x 32
    defaults {{ {defaults} }}
    stem s: enter channels 8
    head h: probe from s
}}
"""
DEFAULTS = "act relu, norm batch_norm"
# By operation: a call of it on a map of 8 channels and 8x8, with `{}` for its attributes, and these with values.
CALLS: Mapping[str, tuple[str, dict[str, str]]] = {
    "conv": ("conv(x, {})", {
        "channels": "8", "kernel": "3", "stride": "1", "padding": "same", "groups": "1", "dilation": "1",
        "bias": "true", "init": "truncated_normal", "init_scale": "1", "init_fan": "fan_in", "bias_init": "0",
        "weight": "scaled", "epsilon": "0.1", "gamma": "1", "gain_init": "1",
    }),
    "conv_transpose": ("conv_transpose(x, {})", {
        "channels": "4", "kernel": "4", "stride": "2", "bias": "true", "init": "truncated_normal", "init_scale": "1",
        "init_fan": "fan_in", "bias_init": "0",
    }),
    "linear": ("linear(flatten(global_average_pool(x)), {})", {
        "features": "4", "bias": "true", "init": "truncated_normal", "init_scale": "1", "init_fan": "fan_in",
        "bias_init": "0",
    }),
    "channel_conv": ("channel_conv(x, {})", {"kernel": "3", "init": "truncated_normal", "init_scale": "1"}),
    "reshape": ("reshape(reshape(x, 2, 4), {})", {"sizes": "8"}),
    "transpose": ("reshape(transpose(reshape(x, 2, 2, 2), {}), 8)", {"first": "0", "second": "1"}),
    "batch_norm": ("batch_norm(x, {})", {"momentum": "0.9", "epsilon": "0.1", "scale_init": "1"}),
    "layer_norm": ("layer_norm(x, {})", {"epsilon": "0.1"}),
    "group_norm": ("group_norm(x, {})", {"groups": "2", "epsilon": "0.1"}),
    "hard_sigmoid": ("hard_sigmoid(x, {})", {"slope": "0.2"}),
    "l2_normalise": ("l2_normalise(x, {})", {"epsilon": "0.1"}),
    "slice": ("slice(x, {})", {"channels": "4", "start": "0"}),
    "pad": ("pad(x, {})", {"top": "1", "bottom": "1", "left": "1", "right": "1", "value": "0", "mode": "constant"}),
    "crop": ("crop(x, {})", {"top": "1", "bottom": "1", "left": "1", "right": "1"}),
    "max_pool": ("max_pool(x, {})", {"kernel": "3", "stride": "1", "padding": "same"}),
    "average_pool": ("average_pool(x, {})", {"kernel": "3", "stride": "1", "padding": "same"}),
    "global_average_pool": ("global_average_pool(x, {})", {"over": "both"}),
    "global_max_pool": ("global_max_pool(x, {})", {"over": "both"}),
    "global_sum_pool": ("global_sum_pool(x, {})", {"over": "both"}),
    "adaptive_average_pool": ("adaptive_average_pool(x, {})", {"size": "2"}),
    "pixel_shuffle": ("pixel_shuffle(conv(x, 64, kernel = 1), {})", {"factor": "2"}),
    "pixel_unshuffle": ("pixel_unshuffle(x, {})", {"factor": "2"}),
    "upsample": ("upsample(x, {})", {"levels": "1", "mode": "nearest"}),
    "resize": ("resize(x, upsample(x, levels = 1), {})", {"mode": "nearest"}),
    "parameter": ("x * parameter({})", {"channels": "8", "init": "truncated_normal", "init_scale": "1"}),
    "constant": ("x * constant({})", {"values": "1"}),
    "dropout": ("dropout(x, {})", {"rate": "0.1"}),
    "stochastic_depth": ("stochastic_depth(x, {})", {"rate": "0.1"}),
}  # fmt: skip
OTHER = {  # another value, where that of the attribute alone would not do
    "channels": "1", "kernel": "5", "stride": "2", "padding": "symmetric", "groups": "4", "dilation": "2",
    "bias": "false", "init": "uniform", "init_scale": "2", "init_fan": "fan_out", "bias_init": "1", "features": "5",
    "sizes": "4", "first": "2", "second": "2", "momentum": "0.5", "epsilon": "0.2", "scale_init": "0", "slope": "0.3",
    "start": "2", "top": "2", "bottom": "2", "left": "2", "right": "2", "value": "3", "levels": "2",
    "size": "3", "factor": "4", "mode": "bilinear", "values": "2", "rate": "0.2", "over": "width",
    "weight": "plain", "gamma": "1.7", "gain_init": "0.5",
}  # fmt: skip
# What has to be beside it.
BESIDE: Mapping[tuple[str, str], dict[str, str]] = {
    ("conv", "init_fan"): {"channels": "4"},
    ("conv", "padding"): {"stride": "2"},
    ("conv", "bias"): {"bias_init": ""},
    ("conv", "weight"): {"weight": "standardised", "gamma": "", "gain_init": ""},
    ("conv", "epsilon"): {"weight": "standardised", "gamma": "", "gain_init": ""},
    ("conv", "gamma"): {"weight": "scaled"},
    ("conv", "gain_init"): {"weight": "scaled"},
    ("conv_transpose", "stride"): {"kernel": "4", "stride": "4"},
    ("conv_transpose", "kernel"): {"kernel": "6"},
    ("conv_transpose", "bias"): {"bias_init": ""},
    ("linear", "bias"): {"bias_init": ""},
    ("reshape", "sizes"): {"sizes": "2, 4"},
    ("max_pool", "padding"): {"stride": "2"},
    ("average_pool", "padding"): {"stride": "2"},
    ("pad", "mode"): {"value": "", "mode": "edge"},
    ("parameter", "init"): {"init": "1", "init_scale": ""},
    ("parameter", "init_scale"): {"init": "truncated_normal"},
}
TRAINING = ("rate",)  # what a model that only runs has no use for
ATTRIBUTES = [
    (name, a.name) for name, primitive in PRIMITIVES.items() if primitive.callable for a in primitive.attributes
]


def text_of(primitive: str, attributes: Mapping[str, str], defaults: str = DEFAULTS) -> str:
    call, _ = CALLS[primitive]
    many = {a.name for a in PRIMITIVES[primitive].attributes if a.many}
    given = [value if name in many else f"{name} = {value}" for name, value in attributes.items() if value]
    return FILE.format(call=call.replace("{}", ", ".join(given)).replace(", )", ")"), defaults=defaults)


def other_of(primitive: str, attribute: str) -> str:
    """Another value of the attribute."""
    return BESIDE.get((primitive, attribute), {}).get(attribute, OTHER[attribute])


def said_of(text: str) -> list[Diagnostic]:
    return list(driver.analyse(Source.from_text(text, "probe.spine")).diagnostics)


def program_of(text: str) -> Program:
    return spinedsl.program(Source.from_text(text, "probe.spine"))


def onnx_of(program: Program) -> tuple[str, dict[str, bytes]]:
    values = seeded(flatten(program).parameters, 0)
    return to_text(program), {name: value.tobytes() for name, value in values.items()}


def test_every_attribute_of_every_operation_is_tried() -> None:
    assert {name for name, primitive in PRIMITIVES.items() if primitive.callable and primitive.attributes} == {*CALLS}
    for name, (_, attributes) in CALLS.items():
        assert [attribute.name for attribute in PRIMITIVES[name].attributes] == [*attributes]


@pytest.mark.parametrize(("primitive", "attribute"), ATTRIBUTES)
def test_an_attribute_makes_a_difference(primitive: str, attribute: str) -> None:
    """Another value of it alone: another PyTorch file, and another model unless only training reads it."""
    _, base = CALLS[primitive]
    beside = BESIDE.get((primitive, attribute), {})
    one = {**base, **{name: value for name, value in beside.items() if name != attribute}}
    other = {**one, attribute: other_of(primitive, attribute)}
    first, second = program_of(text_of(primitive, one)), program_of(text_of(primitive, other))
    assert emit_module(first) != emit_module(second)
    assert (onnx_of(first) != onnx_of(second)) == (attribute not in TRAINING)


# ---- what a call leaves without a meaning ----

IDLE = [
    (name, a.name, idle.others[0])
    for name, primitive in PRIMITIVES.items()
    for a in primitive.attributes
    for idle in a.idle
]  # fmt: skip
SETTLED: Mapping[str, dict[str, str]] = {  # by what leaves it without a meaning
    "bias": {"bias": "false"},
    "init": {"init": "zeros"},
    "top": {"top": "0", "bottom": "0", "left": "0", "right": "0"},
    "mode": {"top": "1", "mode": "reflect"},
    "weight": {"weight": "plain"},
}


def settled(primitive: str, by: str) -> dict[str, str]:
    """The attributes of a call that leave one without a meaning: `by` these, the first of which is named."""
    values = SETTLED[by] if primitive != "parameter" else {"init": "1"}
    needed = {a.name for a in PRIMITIVES[primitive].attributes if a.required}
    return {name: value for name, value in CALLS[primitive][1].items() if name in needed} | values


@pytest.mark.parametrize(("primitive", "attribute", "by"), IDLE)
def test_what_is_said_to_be_idle_is_read_by_nobody(primitive: str, attribute: str, by: str) -> None:
    """A value that another one leaves without a meaning: the table says so, and every backend agrees."""
    others = settled(primitive, by)
    # Computed, so that nothing is said.
    computed = {
        name: f"{value} if x.channels > 0 else {OTHER[name]}" for name, value in others.items() if name in OTHER
    }
    first, second = (
        program_of(text_of(primitive, {**others, **computed, attribute: value}))
        for value in (CALLS[primitive][1][attribute], other_of(primitive, attribute))
    )
    assert emit_module(first) == emit_module(second)
    assert onnx_of(first)[1] == onnx_of(second)[1]


@pytest.mark.parametrize(("primitive", "attribute", "by"), IDLE)
def test_what_is_idle_is_refused(primitive: str, attribute: str, by: str) -> None:
    others = settled(primitive, by)
    text = text_of(primitive, {**others, attribute: other_of(primitive, attribute)})
    (found,) = said_of(text)
    assert found.code.id == "E0233"
    assert found.message == f"`{attribute}` of this `{primitive}` is never read"
    (edit,) = found.fixes[0].edits
    assert said_of(text[: edit.span.start] + edit.text + text[edit.span.end :]) == []


# ---- `defaults` ----


def entries() -> Iterator[tuple[str, str, bool]]:
    """Every operation and attribute, and whether a call has to say it."""
    for name, attribute in ATTRIBUTES:
        found = PRIMITIVES[name].attribute(attribute)
        assert found is not None
        yield name, attribute, found.required


def without(primitive: str, attribute: str) -> dict[str, str]:
    """What a call of it says where `defaults` say the attribute, and nothing leaves that without a meaning."""
    names = {a.name for a in PRIMITIVES[primitive].attributes if a.required}
    names |= {"bias"} if attribute == "bias_init" else set()
    kept = {**CALLS[primitive][1], **BESIDE.get((primitive, attribute), {})}
    names |= {*BESIDE.get((primitive, attribute), {})}
    sides = {"top", "bottom", "left", "right"} if attribute in ("value", "mode") else set()
    return {name: value for name, value in kept.items() if name in names | sides and name != attribute}


@pytest.mark.parametrize(("primitive", "attribute", "required"), [*entries()])
def test_an_entry_of_defaults_makes_a_difference_or_is_refused(primitive: str, attribute: str, required: bool) -> None:
    given = [other_of(primitive, attribute), CALLS[primitive][1][attribute]]
    call = {**without(primitive, attribute), **({attribute: given[1]} if required else {})}
    texts = [text_of(primitive, call, f"{DEFAULTS}, {primitive}({attribute} = {value})") for value in given]
    if required:
        (found,) = said_of(texts[1])
        assert found.code.id == "E0233"
        assert found.message == f"`{attribute}` of `{primitive}` in `defaults` is never read"
        (edit,) = found.fixes[0].edits
        assert said_of(texts[1][: edit.span.start] + edit.text + texts[1][edit.span.end :]) == []
        return
    first, second = map(program_of, texts)
    assert emit_module(first) != emit_module(second)


@pytest.mark.parametrize("primitive", [name for name, primitive in PRIMITIVES.items() if primitive.callable])
def test_an_entry_that_sets_nothing_is_refused(primitive: str) -> None:
    text = FILE.format(call="relu(x)", defaults=f"{DEFAULTS}, {primitive}()")
    (found,) = said_of(text)
    assert found.code.id == "E0233"
    (edit,) = found.fixes[0].edits
    assert said_of(text[: edit.span.start] + edit.text + text[edit.span.end :]) == []


def test_a_role_builds_on_the_entry_of_its_operation() -> None:
    first, second = (
        program_of(FILE.format(call="norm(x)", defaults=f"act relu, norm group_norm, group_norm(groups = {groups})"))
        for groups in (2, 4)
    )
    assert emit_module(first) != emit_module(second)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_given_alone_is_what_the_entry_meant(role: str) -> None:
    other = {"act": "norm batch_norm", "norm": "act relu"}[role]
    name = {"act": "relu", "norm": "batch_norm"}[role]
    text = FILE.format(call="relu(x)", defaults=f"{other}, {name}()")
    found = next(found for found in said_of(text) if found.code.id == "E0233")
    assert found.fixes[0].text == f"say what it is for: `{role} {name}`"


# ---- instances ----

BASE = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Base(width = 8, times = 2, unread = 1) {
    input image: 3 x 32 x 32
    let narrow = width
    defaults { act relu, norm batch_norm }
    widths { level 2..3: width }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels narrow
    block a: residual  level 2  after s  repeat times
    block b: residual  level 3  from a
    output C2: endpoint  from a  channels 4
    output C3: endpoint  from b  channels 4
}
"""
SAME = (  # the network that it was before, by another way of saying it
    "Base(unread = 2)", "Base(width = 8.5)", "Base with { let narrow = 8 }", "Base with { widths { level 9: 3 } }",
    "Base with { rules { inputs 1..2 } }", "Base with { block b channels 8 }",
    "Base with { input image: 3 x 32 x (16 * 2) }",
    "Base(unread = 2) with { drop b\n add block b: residual level 3 from a }",
)  # fmt: skip
OTHER_NETWORKS = (
    "Base(width = 4)", "Base(times = 3)", "Base with { let narrow = 4 }", "Base with { widths { level 3: 3 } }",
    "Base with { rules { inputs 1..3 } }", "Base with { block b channels 4 }", "Base with { input image: 3 x 32 x 16 }",
    "Base with { input picture: 3 x 32 x 32 }", "Base with { block b: bottleneck }",
    "Base with { resample spinenet(alpha = 1) }",
    "Base with { defaults { act gelu } }", "Base with { move b before a\n block b after s }",
    "Base with { block a repeat none }",
)  # fmt: skip
SILENT = (  # nothing is asked for, or only what was there, or it is to be accepted
    "Base()", "Base(width = 8)", "Base(8, 2)", 'Base with { allow W0702 "later" }',
    'Base(unread = 2) with { allow W0703 "the same for now" }',
)  # fmt: skip


@pytest.mark.parametrize("made", SAME)
def test_an_instance_that_is_the_same_network_is_said_to_be(made: str) -> None:
    (found,) = said_of(f"{BASE}\nnetwork Made = {made}\n")
    assert (found.code.id, found.span.text) == ("W0703", "Made")
    assert found.message == "`Made` is the same network as `Base`"
    # One that others are made of may prepare something for them.
    said = said_of(f"{BASE}\nnetwork Made = {made}\nnetwork Further = Made(width = 5)\n")
    assert {diagnostic.code.id for diagnostic in said} <= {"W0706"}  # `unread` is


@pytest.mark.parametrize("made", [*OTHER_NETWORKS, *SILENT])
def test_nothing_is_said_of_another_network(made: str) -> None:
    assert [found.code.id for found in said_of(f"{BASE}\nnetwork Made = {made}\n") if found.code.id == "W0703"] == []


# ---- wherever an argument can be given ----

PLACES: Mapping[str, str] = {
    "an instance": "network Made = Base({})",
    "an edited instance": "network Made = Base({}) with {{ drop C3\n drop b }}",
    "an instance of an instance": "network Half = Base(width = 4)\nnetwork Made = Half({})",
    "a row": "network Made = Base with {{ block b: separable({}) }}",
    "a stem": "network Made = Base with {{ stem s: resnet_stem({}) }}",
    "an output": "network Made = Base with {{ output C3: endpoint({}) }}",
    "a head": "network Made = Base with {{ add head h: retina_tower({}) from C3 channels 4 }}",
    "a resampling": "network Made = Base with {{ resample spinenet({}) }}",
    "a resampling of a row": "network Made = Base with {{ block b resample spinenet({}) }}",
    "a join": "network Made = Base with {{ join activated_sum({}) }}",
    "an entry of defaults": "network Made = Base with {{ defaults {{ conv({}) }} }}",
    "a role": "network Made = Base with {{ defaults {{ norm batch_norm({}) }} }}",
    "a definition": "def made(x) {{ return shortcut(x, x, {}) }}",
    "an operation": "def made(x) {{ return conv(x, 8, kernel = 1, {}) }}",
    "a role in a definition": "def made(x) {{ return norm(x, {}) }}\nnetwork Made = Base with {{ block b: uses }}\n"
    "block_type uses(x, channels, stride = 1) -> channels {{\n"
    "return made(conv(x, channels, kernel = 1, stride = stride)) }}",
    "a function": "def made(x) {{ return conv(x, round(8, {}), kernel = 1) }}",
}
# What is no parameter there: other names of the network, and none at all.
NAMES = ("unheard_of__", "narrow", "image", "s", "b", "C3", "Base", "x", "residual", "relu", "made")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_an_argument_that_nothing_takes_is_an_error(place: str, name: str) -> None:
    """In every place, whatever else has the name."""
    text = BASE.replace("import std.outputs\n", "import std.outputs\nimport std.heads\n")
    if (place, name) in (
        ("a definition", "x"),
        ("a role in a definition", "x"),
        ("an operation", "x"),
        ("a function", "x"),
    ):
        expected = {"E0209"}  # which is there, and given
    else:
        expected = {"E0208", "E0203"}
    said = said_of(f"{text}\n{PLACES[place].format(f'{name} = 1')}\n")
    assert {found.code.id for found in said} <= expected
    assert said
