"""Adapters without their hosts: what is refused, names that would clash, and how the text reads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spinedsl
from spinedsl import Mistakes
from spinedsl.backends import ADAPTERS, Adapter
from spinedsl.backends.torch import adapters
from spinedsl.cli import main
from spinedsl.source import Source
from tests.hosts.using import PYRAMID, STAGES, written

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


def codes(text: str, adapter: str) -> list[str]:
    """What is said of a network that cannot be a backbone, without the network's name."""
    with pytest.raises(Mistakes) as mistakes:
        written(text, adapter)
    assert {found.code.id for found in mistakes.value.diagnostics} == {"E0910"}
    return [found.message.partition(f"of {adapter}: ")[2] for found in mistakes.value.diagnostics]


def test_every_adapter_is_in_the_table() -> None:
    assert tuple(adapters.ADAPTERS) == ADAPTERS


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_network_itself_stays_as_it_is(adapter: str) -> None:
    """Class for class: parameters have the same names, and checkpoints fit. `forward` may call a method for it."""
    method, maps = adapters.ADAPTERS[adapter].method, "(self, image: Tensor) -> dict[str, Tensor]:\n"
    split = f"        return self.{method}(image)\n\n    def {method}{maps}"
    assert written(PYRAMID, adapter).count(f"    def forward{maps}{split}") == (1 if method else 0)
    plain, adapted = (
        {node.name: ast.unparse(node) for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
        for text in (written(PYRAMID, ""), written(PYRAMID, adapter).replace(split, ""))
    )
    assert plain.items() <= adapted.items()
    assert "spinedsl" not in re.sub('^""".*?"""', "", written(PYRAMID, adapter), flags=re.DOTALL)
    assert written(PYRAMID, adapter) == written(PYRAMID, adapter)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("name", ["N", "AnUncommonlyLongNameForANetworkOfThisKind"])
@pytest.mark.parametrize("output", ["P3", "the_finest_of_all_the_feature_maps_that_there_are_in_this_network"])
def test_it_is_set_as_ruff_sets_it(adapter: str, name: str, output: str, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(written(PYRAMID.replace("Tiny", name).replace("output P3", f"output {output}"), adapter))
    options = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(file)]
    for command in (["format", "--diff"], ["check", "--select", "F,E,I,UP,B", "--quiet"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, *options], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_names_of_the_host_are_left_to_it(adapter: str) -> None:
    """A network and definitions that are called what the adapter imports or defines."""
    imported = [name for line in adapters.ADAPTERS[adapter].imports for name in adapters.imported(line)]
    for name in (*imported, "default_cfgs", "Any", "copy"):
        text = PYRAMID.replace("network Tiny", f"network {name}")
        tree = ast.parse(written(text, adapter))
        defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        assert name not in defined
        assert f"{name}_" in defined
    text = PYRAMID.replace("block b0: bottleneck", "block b0: tiny_backbone").replace(
        "network Tiny",
        "def retinanet_tiny(x) { return relu(x) }\n"
        "block_type tiny_backbone(x, channels, stride = 1) -> channels {\n"
        "    return retinanet_tiny(conv(x, channels, kernel = 3, stride = stride))\n}\nnetwork Tiny",
    )
    tree = ast.parse(written(text, adapter))
    defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert len(defined) == len(set(defined))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_heads_are_refused(adapter: Adapter) -> None:
    with pytest.raises(Mistakes) as mistakes:
        spinedsl.compile(EXAMPLES / "retinanet.spine", to="torch", network="RetinaNet49", adapter=adapter)
    assert {found.message for found in mistakes.value.diagnostics} == {
        f"network `RetinaNet49` cannot be a backbone of {adapter}: it has heads"
    }
    assert all(found.span.text.startswith("add head ") for found in mistakes.value.diagnostics)


def test_torchvision_wants_one_width() -> None:
    assert codes(STAGES, "torchvision") == ["its outputs differ in their channels"]
    for adapter in set(ADAPTERS) - {"torchvision"}:
        assert written(STAGES, adapter)


@pytest.mark.parametrize(
    ("adapter", "name"),
    [
        (host, name) for host, row in adapters.ADAPTERS.items() for name in sorted(row.attributes - {"head"})
    ],  # a keyword
)
def test_a_row_cannot_have_a_name_of_the_host(adapter: str, name: str) -> None:
    assert codes(re.sub(r"\bb0\b", name, PYRAMID), adapter) == [f"`{name}` means something else there"]


def test_other_channels_than_three() -> None:
    text = PYRAMID.replace("3 x 64 x 96", "4 x 64 x 96")
    assert "in_chans: int = 4" in written(text, "timm")
    assert '"input_size": (4, 64, 96)' in written(text, "timm")
    assert '"image_mean", [0.449] * 4' in written(text, "torchvision")
    assert '"image_mean", [' not in written(PYRAMID, "torchvision")  # torchvision's own


READERS = {
    "conv(image, channels, kernel = 7, stride = 2)": ("s.one.conv",),
    "conv(max_pool(relu(image), kernel = 3, stride = 2), channels, kernel = 1)": ("s.one.conv",),
    "norm(conv(image, channels, kernel = 1, stride = 2)) + conv(image, channels, kernel = 3, stride = 2)": (
        "s.one.conv",
        "s.one.conv_2",
    ),
    "conv(concat(image, image), channels, kernel = 3, stride = 2)": (),
    "conv(conv(image, 3, kernel = 3, groups = 3), channels, kernel = 3, stride = 2)": (),
    "conv(image + conv(image, 3, kernel = 3), channels, kernel = 3, stride = 2)": (),
    "conv(norm(image), channels, kernel = 3, stride = 2)": (),
}


@pytest.mark.parametrize(("read", "found"), READERS.items())
def test_convolutions_that_read_the_image(read: str, found: tuple[str, ...]) -> None:
    """They may take other channels, unless something else would have to change with them."""
    stem = f"stem_type reader(image, channels) -> channels {{\n    let one = {read}\n    return one\n}}\n"
    text = PYRAMID.replace("network Tiny", f"{stem}\nnetwork Tiny").replace("resnet_stem", "reader")
    assert adapters.image_convolutions(spinedsl.program(Source.from_text(text))) == found


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, target = tmp_path / "tiny.spine", tmp_path / "tiny.py"
    file.write_text(PYRAMID)
    assert main(["compile", str(file), "--to", "torch", "--adapter", "timm", "-o", str(target)]) == 0
    assert target.read_text().startswith('"""Tiny, generated by spinedsl from tiny.spine; needs torch and timm.\n')
    assert main(["compile", str(file), "--to", "onnx", "--adapter", "timm", "-o", str(target)]) == 2
    assert "--adapter is for `torch`, not for `onnx`" in capsys.readouterr().err
    file.write_text(STAGES)
    assert main(["compile", str(file), "--to", "torch", "--adapter", "torchvision", "-o", str(target)]) == 1
    said = capsys.readouterr().err
    assert "error[E0910]: network `Stages` cannot be a backbone of torchvision" in said
    assert "16 channels, but `C3` has 32" not in said  # the first that differs is shown
    assert "8 channels, but `C3` has 32" in said
    with pytest.raises(SystemExit):
        main(["compile", str(file), "--to", "torch", "--adapter", "keras", "-o", str(target)])


def test_an_unknown_adapter_is_a_fault_of_the_program_that_asks() -> None:
    with pytest.raises(ValueError, match="`adapter` has no host `keras`"):
        written(PYRAMID, "keras")
