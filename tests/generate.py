"""What `generated/` must hold: for each example, what the compiler makes of it, as text that a reader can follow.

`python tests/generate.py` (or `make generate`) writes the folder anew; `test_generated.py` proves that it is fresh.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import spinedsl  # noqa: E402  the checkout's own, whatever else is installed
from spinedsl.backends import ADAPTERS  # noqa: E402
from spinedsl.backends import onnx as onnx_backend  # noqa: E402
from spinedsl.draw import lay_out, to_svg  # noqa: E402
from spinedsl.ops.text import to_text  # noqa: E402
from spinedsl.source import Source  # noqa: E402

GENERATED = ROOT / "generated"

# One network of each example: of a family the one that its paper leads with.
NETWORKS = {
    "spinenet.spine": "SpineNet49",
    "spinenet_options.spine": "SpineNet49_AnySize",
    "spinenet_tpu.spine": "SpineNet49S_C_224",
    "resnet.spine": "ResNet50",
    "permuted.spine": "R0SP53",
    "retinanet.spine": "RetinaNet49",
    "classifier.spine": "Classifier49",
    "fpn.spine": "RetinaNetR50FPN",
    "spinenet_mobile.spine": "SpineNetMobile49",
    "convnext.spine": "ConvNeXtTiny",
    "spaces.spine": "Neck50",
    "variants.spine": "Detector",
    "learning/fashion_mnist/networks.spine": "Permuted",
    "learning/solar_cells/networks.spine": "Permuted",
    "learning/drawing_styles/networks.spine": "Permuted",
    "learning/many_sizes/networks.spine": "Permuted",
    "learning/many_sizes/basic.spine": "Basic",
    "learning/tree_crowns/networks.spine": "Permuted",
    "tutorial/1_first_network.spine": "First",
    "tutorial/2_scales.spine": "Scales",
    "tutorial/3_family.spine": "Small",
    "tutorial/4_rules.spine": "Rules",
    "tutorial/5_own_block.spine": "OwnBlock",
    "tutorial/6_edits.spine": "Permuted",
}
# The example whose file is also written for each host.
ADAPTED = "tutorial/3_family.spine"


def files() -> dict[str, bytes]:
    """Path below `generated/` and contents of every file that belongs there."""
    found: dict[str, bytes] = {}
    for example, network in NETWORKS.items():
        # A name relative to the checkout, so that what is generated does not say where it was made.
        text = (ROOT / "examples" / example).read_text(encoding="utf-8")
        source = Source.from_text(text, f"examples/{example}", str(ROOT / "examples" / example))
        folder = example.removesuffix(".spine")
        program = spinedsl.program(source, network=network)
        (model,) = spinedsl.compile(source, to="torch", network=network).values()
        found[f"{folder}/model.py"] = model
        for host in ADAPTERS if example == ADAPTED else ():
            (adapted,) = spinedsl.compile(source, to="torch", network=network, adapter=host).values()
            found[f"{folder}/{host}.py"] = adapted
        found[f"{folder}/program.txt"] = to_text(program).encode()
        found[f"{folder}/graph.txt"] = onnx_backend.to_text(program).encode()
        found[f"{folder}/figure.svg"] = to_svg(lay_out(program)).encode()
    return found


def main() -> None:
    """Make everything first, so that a failure leaves the folder as it is; then write it anew."""
    made = files()
    shutil.rmtree(GENERATED, ignore_errors=True)
    for path, data in made.items():
        target = GENERATED / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    print(f"generated/: {len(made)} files")  # noqa: T201  a script for people


if __name__ == "__main__":
    main()
