"""The names of the public interface, what is said of what is given to its functions, and what a notebook shows."""

from __future__ import annotations

import io
import pickle
import pydoc
import re
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch

import spinedsl
from spinedsl import edit
from spinedsl.record import asdict
from tests.test_brief import text_of_many_rows

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "examples" / "tutorial" / "1_first_network.spine"
FAMILY = ROOT / "examples" / "spinenet.spine"
TEXT = FILE.read_text(encoding="utf-8")
READERS: dict[str, Callable[[Any], object]] = {
    "parse": spinedsl.parse,
    "check": spinedsl.check,
    "program": spinedsl.program,
    "compile": lambda file: spinedsl.compile(file, to="torch"),
    "load": spinedsl.load,
    "verify": spinedsl.verify,
}


# ---- names ----


def test_help_lists_every_name_in_a_line_and_dir_has_them() -> None:
    listed = re.findall(r"^    ([A-Za-z_]+) {2,}\S", spinedsl.__doc__ or "", re.MULTILINE)
    assert sorted(listed) == sorted({*spinedsl.__all__, "data", "inference", "tasks", "testing"} - {"__version__"})
    assert {*listed} <= {*dir(spinedsl)}
    assert all(getattr(spinedsl, name).__doc__ for name in listed)
    assert all(line in pydoc.render_doc(spinedsl) for line in (spinedsl.__doc__ or "").split("\n"))
    assert not [name for name in dir(spinedsl) if name.startswith("_") and not name.endswith("__")]


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'chekc'. Did you mean: 'check'\?"):
        spinedsl.chekc  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'zzz'; help\(spinedsl\) lists what it has"):
        spinedsl.zzz  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(spinedsl, "__wrapped__")


def test_looking_around_imports_nothing_heavy() -> None:
    look = "import sys, spinedsl; dir(spinedsl); spinedsl.Source; spinedsl.Outcome; spinedsl.Backbone; spinedsl.Program"
    heavy = "{'torch', 'numpy', 'onnx', 'jinja2', 'hypothesis'} & set(sys.modules)"
    run = subprocess.run([sys.executable, "-c", f"{look}; sys.exit(bool({heavy}))"], check=False)
    assert run.returncode == 0


# ---- files ----


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", [TEXT, "network A { … }", "network A", "{" * 20_000])
def test_a_text_where_a_path_is_expected(reader: str, text: str) -> None:
    said = reason_of(READERS[reader], text)
    assert "this is a text, and no path of a file" in said
    assert "give a text as `spinedsl.Source.from_text(text)`" in said
    assert len(said) < 400


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "no such file"),
        (".", "is a directory"),
        ("nowhere/at/all.spine", "no such file"),
        ("a\0b.spine", "no file can have this name"),
        ("\ud800.spine", "no file can have this name"),
        ("n" * 5_000, "too long"),
        (FAMILY.with_name("spinent.spine"), "did you mean `.*spinenet.spine`"),
    ],
)
def test_a_path_that_is_none(reader: str, path: str | Path, reason: str) -> None:
    assert re.search(reason, reason_of(READERS[reader], path))


def reason_of(reader: Callable[[Any], object], file: object) -> str:
    """What is said of a file that cannot be read, returned or raised."""
    try:
        outcome = reader(file)
    except spinedsl.Mistakes as mistakes:
        return str(mistakes)
    assert isinstance(outcome, spinedsl.Outcome)
    assert not outcome.ok
    return str(outcome)


@pytest.mark.parametrize("reader", [*READERS, "read_weights"])
@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "got None"),
        (b"net.spine", "got bytes <9 bytes>"),
        (3, "got int 3"),
        (["net.spine"], r"got list \['net.spine'\]"),
        (io.StringIO(TEXT), "got an open file: give its name, or"),
        (spinedsl.Outcome(None), "got Outcome"),
    ],
)
def test_what_is_no_file_at_all(reader: str, value: object, got: str) -> None:
    with pytest.raises(TypeError, match=rf"expected the path of a .*{got}"):
        (READERS | {"read_weights": spinedsl.read_weights})[reader](value)


def test_a_path_may_be_of_any_kind_and_a_text_is_a_source() -> None:
    class Elsewhere:
        def __fspath__(self) -> str:
            return str(FILE)

    for file in (str(FILE), FILE, Elsewhere(), spinedsl.Source.from_text(TEXT)):
        assert spinedsl.check(file).ok


def test_a_state_dict_is_no_weights_file() -> None:
    with pytest.raises(TypeError, match="a state dict goes to `load_state_dict`"):
        spinedsl.load(FILE, weights={"a": torch.zeros(1)})  # type: ignore[arg-type]


# ---- values ----

SIZE = r"size must be \(height, width\) in pixels, as in \(640, 640\)"


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"size": 640}, TypeError, rf"{SIZE}; got 640: did you mean \(640, 640\)\?"),
        ({"size": "640x640"}, TypeError, f"{SIZE}; got '640x640'"),
        ({"size": (256.0, 256)}, TypeError, rf"{SIZE}; got \(256.0, 256\)"),
        ({"size": (True, 1)}, TypeError, SIZE),
        ({"size": (1, 2, 3)}, TypeError, SIZE),
        ({"size": {"height": 1, "width": 2}}, TypeError, SIZE),
        ({"size": b"ab"}, TypeError, SIZE),
        ({"size": (0, 256)}, ValueError, rf"{SIZE}, each from 1 to 999,999; got \(0, 256\)"),
        ({"size": (256, -256)}, ValueError, SIZE),
        ({"size": (256, 10**9)}, ValueError, SIZE),
        ({"network": 3}, TypeError, "network must be a name, as a text; got 3"),
        ({"network": "first"}, spinedsl.NetworkChoice, "did you mean `First`"),
        ({"outputs": [3]}, TypeError, r"outputs must be a collection of names, as in outputs=\('P3',\); got 3 in it"),
        ({"outputs": 3}, TypeError, "outputs must be a collection of names"),
        ({"outputs": "P3"}, spinedsl.OutputChoice, "outputs are a collection of names"),
        ({"dynamic": 3}, TypeError, "dynamic must be a collection of names"),
        ({"dynamic": [3]}, TypeError, "dynamic must be a collection of names"),
        ({"seed": 1.5}, spinedsl.OptionChoice, "`seed` is a whole number, got 1.5"),
        ({"seed": "1"}, spinedsl.OptionChoice, "`seed` is a whole number, got '1'"),
        ({"seed": True}, spinedsl.OptionChoice, "`seed` is a whole number, got True"),
        ({"batch": True}, spinedsl.OptionChoice, "`batch` is a number of images"),
        ({"half": 1}, spinedsl.OptionChoice, "`half` is True or False, got 1"),
        ({"verify": "no"}, spinedsl.OptionChoice, "`verify` is True or False, got 'no'"),
        ({"to": "ONNX"}, spinedsl.OptionChoice, "did you mean `onnx`"),
        ({"to": None}, spinedsl.OptionChoice, "`to` has no `None`"),
    ],
    ids=str,
)
def test_values_that_are_none(given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        spinedsl.compile(FILE, **{"to": "onnx", **given})


@pytest.mark.parametrize("sizes", [(64, 64), 64, "64x64", [None], [(64, 64.5)], [64, (64, 64)]], ids=str)
def test_sizes_that_are_none(sizes: Any) -> None:
    with pytest.raises(TypeError, match=r"must be \(height, width\)"):
        spinedsl.verify(FILE, sizes=sizes)


@pytest.mark.parametrize("size", [[64, 128], np.array([64, 128]), (np.int64(64), np.int32(128)), torch.Size([64, 128])])
def test_a_size_is_any_two_whole_numbers(size: Any) -> None:
    assert spinedsl.program(FILE, size=size).input_type.shape == (3, 64, 128)


def test_numbers_of_numpy_are_whole_numbers() -> None:
    one, other = spinedsl.compile(FILE, to="onnx", seed=np.int64(3), batch=np.int32(2)), {"seed": 3, "batch": 2}  # type: ignore[arg-type]
    assert one == spinedsl.compile(FILE, to="onnx", **other)  # type: ignore[arg-type]


of: Any = edit  # whose types forbid all this


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: of.Drop(3), r"the parts of an edit must be texts; got Drop\(name=3\)"),
        (lambda: of.Move("a", after=3), "the parts of an edit must be texts"),
        (lambda: of.Change("a", (("level", 3),)), "the parts of an edit must be texts"),
        (
            lambda: of.clauses(level=2.5),
            "expected a whole number, a Fraction, a text,[^;]*; got 2.5",
        ),
        (lambda: of.clauses(from_=["a", 3]), r"expected .*; got \['a', 3\]"),
        (lambda: of.Edits(of.Drop("b")), "edits come in a list, .*; got one: drop b"),
        (lambda: of.Edits(["drop b"]), "got 'drop b': `parse` reads a text"),
        (lambda: of.parse(3), r"a source is made of a text \(str\); got int 3"),
        (lambda: of.Source.from_text(b"a"), r"a source is made of a text \(str\); got bytes"),
        (lambda: of.apply(str(FILE), of.Edits(), base="A", name="B"), "apply takes a Source"),
        (lambda: of.apply(of.Source.from_text(""), [], base="A", name="B"), r"apply takes Edits, .*; got \[\]"),
    ],
)
def test_parts_of_edits_that_are_none(make: Callable[[], object], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        make()


# ---- what comes back ----


def test_a_loaded_network_is_what_its_type_says() -> None:
    model = spinedsl.load(FAMILY, network="SpineNet49S", size=(128, 128))
    assert isinstance(model, spinedsl.Backbone)
    assert isinstance(model, torch.nn.Module)
    assert not isinstance(torch.nn.Identity(), spinedsl.Backbone)
    features = model.eval()(torch.zeros(1, 3, 128, 128))
    assert type(features) is OrderedDict
    assert all(isinstance(map_, torch.Tensor) for map_ in features.values())
    assert type(model.size_divisor) is int
    assert type(model.out_channels) is int
    for number, info in enumerate(model.feature_info):
        assert info.keys() == spinedsl.FeatureInfo.__annotations__.keys()
        assert [type(info[name]) for name in ("num_chs", "reduction", "module")] == [int, int, str]
        assert info["index"] == number
    before = model.state_dict()["s.enter.conv.weight"].clone()
    model.reset(7)
    assert not torch.equal(before, model.state_dict()["s.enter.conv.weight"])


def test_a_notebook_shows_the_figure_of_a_program() -> None:
    program = spinedsl.program(FAMILY, network="SpineNet49")
    svg, page = program._repr_svg_(), program._repr_html_()
    assert svg is not None
    assert page is not None
    assert ET.fromstring(svg).tag.endswith("svg")
    assert page.startswith('<img src="data:image/svg+xml;base64,')
    assert page.endswith("<p>SpineNet49: 21,831,488 parameters, 28,261,990,400 multiply-adds at 3 x 640 x 640</p>")
    large = spinedsl.program(spinedsl.Source.from_text(text_of_many_rows(300)))
    assert (large._repr_svg_(), large._repr_html_()) == (None, None)


def test_a_row_that_there_is_not() -> None:
    program = spinedsl.program(FAMILY, network="SpineNet49")
    assert program.row("b2").name == "b2"
    with pytest.raises(LookupError, match="network `SpineNet49` has no row `P33`: did you mean `P3`"):
        program.row("P33")


def test_a_program_can_be_sent_to_another_process() -> None:
    program = spinedsl.program(FILE)
    again = pickle.loads(pickle.dumps(program))
    assert type(again) is spinedsl.Program
    assert repr(again) == repr(program)
    assert asdict(again).keys() == asdict(program).keys()


def test_a_missing_package_can_be_sent_to_another_process() -> None:
    error = spinedsl.MissingPackage(["torch", "onnx"])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.packages, again.name) == (str(error), ("torch", "onnx"), "torch")
