"""Adapters: what a host expects of a backbone, written below the network in the same file.

In: a program and the name of a host. Out: the adapter's lines, the imports and names that they need, and why a network
cannot be a backbone there. Each host has a row in `ADAPTERS` and its text in `templates/adapters/`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

from spinedsl import checks as say
from spinedsl.backends import line_of
from spinedsl.backends.torch.copied import definitions_in
from spinedsl.backends.torch.layout import Bracket, lines
from spinedsl.backends.torch.names import attribute, python_name
from spinedsl.diagnostics import Diagnostic
from spinedsl.ops import channels
from spinedsl.ops.graph import flatten
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Program
from spinedsl.ops.types import Loc
from spinedsl.record import Record


class Adapter(Record):
    """What one host needs.

    `defines` has the names that the template defines, by what it calls them, `{name}` being the network's and `{entry}`
    the same in lower case. `attributes` are the host's own on the network's class: no row may have such a name.
    `method` is what the network's `forward` calls, where a class over it calls that too: TorchScript has no `super()`.
    """

    imports: tuple[str, ...]
    defines: Mapping[str, str]
    attributes: frozenset[str] = frozenset()
    method: str = ""
    registered: frozenset[str] = frozenset()  # functions that the host itself registers by name: ours have others
    one_width: bool = False  # every feature map must have the same number of channels


HOSTS = "hosts.py"  # definitions that adapters copy
_CHECKPOINT = "from torch.utils.checkpoint import checkpoint"

ADAPTERS: Mapping[str, Adapter] = {
    "timm": Adapter(
        (
            "from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD",
            "from timm.layers import ClassifierHead",
            "from timm.models import build_model_with_cfg, generate_default_cfgs, register_model",
            "from timm.models._features import feature_take_indices",  # where timm's own models have it from
            _CHECKPOINT,
        ),
        {"model": "{name}Classifier", "entry": "{entry}", "normalisation": "normalisation"},
        frozenset(
            """
            default_cfg forward_features forward_head forward_intermediates fuse get_classifier group_matcher
            head head_hidden_size in_chans no_weight_decay num_classes num_features pretrained_cfg pretrained_model_args
            prune_intermediate_layers reset_classifier set_grad_checkpointing
            """.split()
        ),
        method="_maps",
    ),
    "torchvision": Adapter(
        (
            "from torchvision.models.detection import FCOS, FasterRCNN, RetinaNet",
            "from torchvision.models.detection.anchor_utils import AnchorGenerator",
            "from torchvision.models.detection.transform import GeneralizedRCNNTransform",
            "from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign",
        ),
        {
            "retinanet": "retinanet_{entry}",
            "fcos": "fcos_{entry}",
            "fasterrcnn": "fasterrcnn_{entry}",
            "detector": "detector",
            "freeze": "freeze",
        },
        one_width=True,
    ),
    "transformers": Adapter(
        (
            "from transformers import AutoBackbone, AutoConfig, PreTrainedConfig, PreTrainedModel",
            "from transformers.backbone_utils import BackboneConfigMixin, BackboneMixin",
            "from transformers.modeling_outputs import BackboneOutput",
            "from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES",
            _CHECKPOINT,
        ),
        {"config": "{name}Config", "model": "{name}Backbone"},
    ),
    "detectron2": Adapter(
        (
            "from detectron2.config import CfgNode",
            "from detectron2.layers import ShapeSpec",
            "from detectron2.modeling import BACKBONE_REGISTRY, Backbone",
        ),
        {"model": "{name}Backbone", "build": "build_{entry}_backbone"},
        frozenset("freeze out_features output_shape padding_constraints shapes size_divisibility".split()),
        registered=frozenset(
            "build_resnet_backbone build_resnet_fpn_backbone build_retinanet_resnet_fpn_backbone".split()
        ),
    ),
    "mmdet": Adapter(
        (
            "from mmdet.registry import MODELS",
            "from mmengine.model import BaseModule",
            _CHECKPOINT,
        ),
        {"model": "{name}Backbone"},
        frozenset("frozen_stages init_cfg init_weights is_init norm_eval out_indices".split()),
    ),
}

STANDARD = (  # of the standard library, for adapters
    "import copy",
    "import inspect",
    "import re",
    "from collections.abc import Callable, Iterable, Iterator, Sequence",
    "from contextlib import contextmanager, nullcontext",
    "from typing import Any",
)


def imported(line: str) -> list[str]:
    """The names that an import of one line brings."""
    return line.partition("import ")[2].split(", ")


def narrowed(line: str, used: Container[str]) -> str:
    """An import of one line, without what is not used."""
    before, word, _ = line.partition("import ")
    return f"{before}{word}{', '.join(name for name in imported(line) if name in used)}" if before else line


def _copied(names: Sequence[str]) -> str:
    """Definitions of `hosts.py`, one below the other."""
    return "\n\n\n".join("\n".join(definitions_in(HOSTS)[name]) for name in names)


def reserved_names(host: str) -> set[str]:
    """What the adapter imports or copies, what the host registers, and what timm looks up in a file.

    Nothing else in the file may have these names.
    """
    brought = {name for line in (*ADAPTERS[host].imports, *STANDARD) for name in imported(line)}
    return brought | set(definitions_in(HOSTS)) | ADAPTERS[host].registered | {"default_cfgs"}


def fields(program: Program, host: str, name: str, taken: Container[str]) -> dict[str, Any]:
    """What the template of a host is filled with. `name` is the network's class, `taken` what else the file defines."""
    patterns = {"entry": "{entry}", **ADAPTERS[host].defines}
    defined = {
        key: python_name(pattern.format(name=name, entry=name.lower()), taken) for key, pattern in patterns.items()
    }
    widths = [row.type.channels for row in program.pyramid]
    fused = len(widths) > 1 and len(set(widths)) == 1
    graph = flatten(program)
    dropping = [node for node in graph.nodes if node.primitive == "stochastic_depth"]
    rates = [cast("Fraction", node.attributes["rate"]) for node in dropping]
    return {
        **defined,
        "name": name,
        "registered": program.name,
        "channels": program.input_type.channels,
        "height": program.input_type.height,
        "width": program.input_type.width,
        "divisor": program.divisor,
        "fixed": len(program.static_axes) > 1,
        "vectors": any(node.primitive == "batch_norm" and graph.types[node.result].is_vector for node in graph.nodes),
        "trainable": any(node.primitive == "parameter" for node in graph.nodes),
        "first": [f'"{convolution}"' for convolution in image_convolutions(program)],
        "rate": float(max(rates, default=0)),
        "features": widths[-1],
        "fused": fused,
        "pooled": program.pyramid[0 if fused else -1].type,
        "indices": f"({', '.join(map(str, range(len(widths))))}{',' * (len(widths) == 1)})",
        "names": [f'"{row.name}"' for row in program.pyramid],
        "statement": _statement,
        "copied": _copied,
    }


def image_convolutions(program: Program) -> tuple[str, ...]:
    """The convolutions that read the image, by name, if nothing else depends on how many channels that has."""
    graph = flatten(program)
    images = {0}  # the image, and what leaves its channels as they are
    found: dict[str, bool] = {}
    for node in graph.nodes:
        row = PRIMITIVES[node.primitive]
        reads = node.inputs[:1] if row.reads is channels.alike else node.inputs  # the second says only a size
        if node.primitive == "conv":
            taken = node.inputs[0] in images
            if found.setdefault(node.name, taken) != taken or (taken and node.attributes["groups"] != 1):
                return ()
        elif images.intersection(reads):
            if row.reads is not channels.alike or node.parameters:
                return ()
            images.add(node.result)
    if images.intersection(graph.outputs.values()):
        return ()
    return tuple(".".join(map(attribute, name.split("."))) for name, taken in found.items() if taken)


def _statement(indent: int, opening: str, items: Sequence[str], closing: str) -> str:
    """A statement with one bracket, on one line or on several."""
    return "\n".join(lines(indent, "", Bracket(opening, tuple(items), closing)))


def refusals(program: Program, host: str) -> Iterator[Diagnostic]:
    """Why the host cannot use the network as a backbone."""

    def refused(loc: Loc, reason: str, label: str) -> Diagnostic:
        return say.NO_BACKBONE.at(line_of(program, loc), network=program.name, host=host, reason=reason, label=label)

    adapter = ADAPTERS[host]
    for row in program.heads:
        refusal = refused(row.loc, "it has heads", "a host brings its own heads")
        yield refusal.with_fix("compile a network that ends with its feature maps")
    for row in program.rows:
        if row.name in adapter.attributes:
            refusal = refused(row.loc, f"`{row.name}` means something else there", f"{host} uses this name")
            yield refusal.with_fix("give the row another name")
    if adapter.one_width and program.pyramid:
        first = program.pyramid[0]
        other = next((row for row in program.pyramid if row.type.channels != first.type.channels), None)
        if other is not None:
            label = f"{other.type.channels} channels, but `{first.name}` has {first.type.channels}"
            yield refused(other.loc, "its outputs differ in their channels", label).with_fix(
                "make them equal, as `output P3: endpoint from b channels 256` does"
            )
