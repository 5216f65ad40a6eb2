"""Every network of a paper goes through all that there is for a network: its text, its figure, the engines."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl import driver
from spinedsl.source import Source
from spinedsl.testing import Space
from spinedsl.testing.networks import to_text
from tests.cli.running import run
from tests.texts import ROOT, text_of
from tests.witnesses import assert_witnesses_agree

NETWORKS = sorted((ROOT / "tests/networks").glob("*.spine"))
FILES = [*NETWORKS, *sorted((ROOT / "tests/definitions").glob("*.spine"))]
# Too large for every test: the network that says it with fewer channels, or at a size that it takes.
SMALL = {"vgg16": "network Small = VGG16(hidden = 16)", "yolov5s": "network Small = YOLOv5(width = 0.25, depth = 0.33)"}
SIZES = {
    "vgg16": (224, 224), "inception_v3": (107, 139), "legacy_xception": (107, 139), "ghostnetv2_100": (96, 160),
    "crnn": (32, 100),
}  # fmt: skip


def named(path: Path) -> str:
    return path.stem


def source_of(path: Path, more: str = "") -> Source:
    return Source.from_text(f"{text_of(path)}{more}\n", path.name, str(path))


def networks_of(source: Source) -> list[str]:
    analysis = driver.analyse(source).value
    assert analysis is not None
    assert analysis.checked
    return list(analysis.checked)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_commands_take_it(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check", str(path))[0] == 0
    assert run(capsys, "fmt", "--check", str(path))[0] == 0
    for network in networks_of(source_of(path)):
        words = (str(path), "--network", network)
        figure = tmp_path / f"{network}.svg"
        assert run(capsys, "draw", *words, "-o", str(figure))[0] == 0
        assert figure.stat().st_size
        status, out, _ = run(capsys, "diff", str(path), *words)
        assert status == 0
        assert out.endswith("NONE: the same weights give the same numbers\n")
        status, out, _ = run(capsys, "show", *words)
        assert status == 0
        assert out.startswith(f"network {network}")


@pytest.mark.parametrize("path", NETWORKS, ids=named)
def test_engines_agree(path: Path) -> None:
    """PyTorch and ONNX Runtime give what the interpreter gives. The files of definitions are asked elsewhere."""
    source = source_of(path, SMALL.get(path.stem, ""))
    network = "Small" if path.stem in SMALL else networks_of(source)[0]
    size = SIZES.get(path.stem)
    program = spinedsl.program(source, network=network, size=size)
    height, width = size or (-(-side // program.divisor) * program.divisor for side in (64, 96))
    assert_witnesses_agree(program, [(1, height, width)])


@pytest.mark.parametrize("path", FILES, ids=named)
def test_random_networks_are_made_of_it(path: Path) -> None:
    """Of its types: what `spine fuzz` draws, for any size where they allow that."""
    space = Space.of(path, made=0)
    text = to_text(space, [], [(0, 8, 1, 0)], (0, 1, *(0,) * 7))
    assert spinedsl.check(space.source(text)).ok, text
