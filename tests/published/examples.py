"""The published networks of `examples/`, by name, at any size and with other arguments."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import spinedsl
from spinedsl.ops.graph import Graph, flatten
from spinedsl.source import Source

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = (
    "spinenet", "spinenet_options", "spinenet_tpu", "spinenet_mobile", "permuted", "resnet", "fpn", "retinanet",
    "classifier", "convnext",
)  # fmt: skip


@cache
def networks() -> dict[str, tuple[str, ...]]:
    """Names of the networks of each file, in its order."""
    texts = {file: (EXAMPLES / f"{file}.spine").read_text(encoding="utf-8") for file in FILES}
    return {file: tuple(re.findall(r"^network (\w+)", text, re.MULTILINE)) for file, text in texts.items()}


def file_of(network: str) -> str:
    """The file that a network stands in."""
    (file,) = [file for file, names in networks().items() if network in names]
    return file


def graph_of(network: str, size: str | None = None, edits: str = "") -> Graph:
    """`SpineNet49`, or one made of it, as `SpineNet49(activation = swish)` and by edits; `size` is height x width."""
    file = EXAMPLES / f"{file_of(network.partition('(')[0])}.spine"
    text, name = file.read_text(encoding="utf-8"), network
    if "(" in network or edits:
        name = "Asked"
        text += f"\nnetwork {name} = {network}" + (f" with {{\n{edits}\n}}\n" if edits else "\n")
    height, width = map(int, size.split("x")) if size else (0, 0)
    source = Source.from_text(text, file.name, str(file))
    return flatten(spinedsl.program(source, network=name, size=(height, width) if size else None))
