"""Make a gallery of known persons, by which `spine predict --gallery` names images."""

from __future__ import annotations

import argparse
import json
import sys

from spinedsl import api, extras
from spinedsl.cli.options import format_argument, landmarks_argument, model_argument, output_arguments
from spinedsl.cli.output import refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.voice import note, summary
from spinedsl.diagnostics.plain import counted, one_line

EXAMPLES = """\
examples:
  spine gallery runs/faces known/ -o known.safetensors             a folder for each person
  spine eval runs/faces --data people --gallery known.safetensors -o eval
  spine gallery runs/faces known/ -o known.safetensors --evaluation eval/eval.json
  spine predict runs/faces photos/ --gallery known.safetensors     who it is, or nobody who is known

A person's vector is the mean of those of their images, of unit length each: so a person of fifty images is no more
likely to be taken for a stranger than one of a single image, and one threshold serves for all. The threshold that an
evaluation chose is kept in the gallery. A gallery is of the network that made it: others are refused.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    model_argument(parser)
    parser.add_argument("folder", metavar="FOLDER", help="it has a folder of images for each person; or a list (.csv)")
    parser.add_argument(
        "--evaluation", metavar="PATH", help="an eval.json of the same network, whose threshold the gallery keeps"
    )
    landmarks_argument(parser)
    output_arguments(parser, "the safetensors file to write")
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Make the gallery; 1 where something is wrong with network or images, all of which is reported."""
    reads = [one for one in (options.model, options.evaluation, options.landmarks) if one]
    if status := refused(options.output, "weights", force=options.force, reads=reads):
        return status
    extras.require(*extras.MODULE, "numpy", "PIL", "safetensors")
    from spinedsl.inference.gallery import make_gallery  # noqa: PLC0415  torch is only needed here

    try:
        with phases() as say:
            say("opening the network")
            gallery = make_gallery(
                options.model, options.folder, evaluation=options.evaluation, landmarks=options.landmarks,
                device=options.device,
                hear=lambda done, of: say(f"looking at the images: {done:,} of {of:,}"),
            )  # fmt: skip
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1
    if gallery.reported:
        say_diagnostics(gallery.reported, sys.stderr)
    if status := write_output(options.output, gallery.to_bytes()):
        return status
    threshold = gallery.threshold
    if options.output == "-":
        return 0
    if options.format == "json":
        found = {
            "gallery": options.output, "network": gallery.network, "digest": gallery.digest, "step": gallery.step,
            "persons": dict(zip(gallery.names, gallery.counts, strict=True)),
            "threshold": None if threshold is None else {"value": threshold.value, "how": threshold.how},
        }  # fmt: skip
        print(json.dumps(found, indent=2))
    else:
        images = counted(sum(gallery.counts), "image")
        summary(f"{one_line(options.output)}: {counted(len(gallery), 'person')} of {images}, by {gallery.network}")
        summary(f"threshold {threshold}" if threshold is not None else "no threshold: nobody will be unknown")
    if threshold is None:
        note("`spine eval --gallery` chooses a threshold, and `--evaluation` keeps it in the gallery")
    return 0
