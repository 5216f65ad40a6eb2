"""The options that commands share: each has one name, one metavar and one meaning, and is declared here.

`tests/cli/test_conventions.py` holds every command to it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

OUTPUT, FORCE = ("-o", "--output"), "--force"
INPUT = "height and width of the input, instead of the file's"
NETWORK = "which network, where a file has several"
FORMAT = "for people or for programs"
WEIGHTS = "a file with the values, as `spine weights` reads; without it, they are made from the seed"
DEVICE = "where it runs"
SEED = "seed of what is drawn at random (default 0)"


def quiet_argument(parser: argparse.ArgumentParser) -> None:
    """The option of every command."""
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but mistakes and results")


def file_argument(parser: argparse.ArgumentParser, **more: Any) -> None:
    """The one file of a command that takes one."""
    parser.add_argument("file", metavar="FILE", **{"help": "a .spine file, or - for standard input", **more})


def files_argument(parser: argparse.ArgumentParser) -> None:
    """The files of a command that takes many."""
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help=".spine files, folders of them, or - for standard input"
    )


def network_argument(parser: argparse.ArgumentParser, more: str = "", **how: Any) -> None:
    """The option that chooses a network; `more` says what else it does here."""
    parser.add_argument("--network", metavar="NAME", help=NETWORK + more, **how)


def input_argument(parser: argparse.ArgumentParser, more: str = "", **how: Any) -> None:
    """The option that chooses the size of the input."""
    parser.add_argument("--input", metavar="HxW", type=size, help=INPUT + more, **how)


def outputs_argument(parser: argparse.ArgumentParser) -> None:
    """The option that chooses some of a network's outputs."""
    parser.add_argument(
        "--outputs", metavar="NAMES", type=_names, help="only these outputs, and what they need, as in P3,P4,P5"
    )


def network_arguments(parser: argparse.ArgumentParser) -> None:
    """A file, one of its networks, and the size of its input."""
    file_argument(parser)
    network_argument(parser)
    input_argument(parser)


def format_argument(parser: argparse.ArgumentParser, *more: str) -> None:
    """The option that chooses for whom results are printed. `--json` is short for one of its values."""
    parser.add_argument("--format", choices=("human", "json", *more), default="human", help=FORMAT)
    parser.add_argument("--json", action="store_const", dest="format", const="json", help=argparse.SUPPRESS)


def output_arguments(
    parser: argparse.ArgumentParser, text: str, *, required: bool = True, metavar: str = "PATH"
) -> None:
    """The option that says where to write, and the one that lets a file of somebody else be replaced."""
    parser.add_argument(*OUTPUT, required=required, metavar=metavar, help=text)
    force_argument(parser)


def force_argument(parser: argparse.ArgumentParser) -> None:
    """The option that lets a file be replaced that spine did not write."""
    parser.add_argument(FORCE, action="store_true", help="replace a file that is there, though spine did not write it")


def weights_argument(parser: argparse.ArgumentParser, more: str = "") -> None:
    """The option that brings trained values."""
    parser.add_argument("--weights", metavar="PATH", type=path, help=WEIGHTS + more)


def model_argument(parser: argparse.ArgumentParser) -> None:
    """The trained network that is used, and where."""
    parser.add_argument(
        "model", metavar="MODEL", help="a checkpoint, the folder of a run, or an ONNX model that was exported from one"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help=DEVICE)


def landmarks_argument(parser: argparse.ArgumentParser) -> None:
    """The option that brings the points by which faces are aligned."""
    parser.add_argument("--landmarks", metavar="PATH", help="the list of five points for each image, to align faces by")


def choice_arguments(parser: argparse.ArgumentParser, *, prefix: bool = True) -> None:
    """The options that say which tensors of a weights file are meant, where it does not go without saying."""
    parser.add_argument("--key", metavar="NAME", help="which set of tensors, where a checkpoint has several, as in ema")
    if prefix:
        parser.add_argument(
            "--prefix", metavar="TEXT", help="what stands before the names of tensors, such as `model.`"
        )


LIMITS = ("score", "overlap", "top", "most")  # of a detector


def limit_arguments(parser: argparse.ArgumentParser, more: str = "") -> None:
    """The options that say which boxes a detector keeps."""
    of = f"of a detector{more}: "
    parser.add_argument("--score", metavar="NUMBER", type=float, help=f"{of}the score that boxes are above")
    parser.add_argument(
        "--overlap", metavar="NUMBER", type=float, help="the overlap above which the lower one of two boxes goes"
    )
    parser.add_argument("--top", metavar="N", type=count, help="how many candidates of each level are looked at")
    parser.add_argument("--most", metavar="N", type=count, help="how many boxes an image can have; 100 count for AP")


def asked_limits(options: argparse.Namespace) -> dict[str, Any]:
    """Those of them that are given."""
    return {name: getattr(options, name) for name in LIMITS if getattr(options, name) is not None}


def seed_argument(parser: argparse.ArgumentParser, more: str = "", *, default: int | None = 0) -> None:
    """The option that chooses what is drawn; a `default` of None is 0 too, and tells that none was given."""
    parser.add_argument("--seed", metavar="N", type=whole, default=default, help=SEED + more)


# ---- what values are ----


def size(text: str) -> tuple[int, int]:
    """`640x640` or `640`: height and width in pixels."""
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH, as in 640x640, each 1 or more, got {text!r}")
    height, width = int(parts[0]), int(parts[-1])
    if not height or not width:
        raise argparse.ArgumentTypeError(f"an input has at least one pixel, got {text!r}")
    return height, width


def whole(text: str) -> int:
    """A whole number of any sign."""
    digits = text[1:] if text[:1] == "-" else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def path(text: str) -> Any:
    """The path of a file."""
    from pathlib import Path  # noqa: PLC0415  most commands have none

    return Path(text)


def count(text: str) -> int:
    """A whole number from 0 on."""
    number = whole(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected 0 or more, got {text!r}")
    return number


def _names(text: str) -> Sequence[str]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"expected names of outputs, as in P3,P4,P5, got {text!r}")
    return names
