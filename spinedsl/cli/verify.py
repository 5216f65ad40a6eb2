"""Compile a network for every engine, run all on the same weights and images, and compare with the reference."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl.brief import table
from spinedsl.cli.lints import lint_arguments
from spinedsl.cli.options import (
    choice_arguments,
    file_argument,
    format_argument,
    input_argument,
    network_argument,
    outputs_argument,
    seed_argument,
    weights_argument,
)
from spinedsl.cli.progress import phases
from spinedsl.cli.request import asked_switches, made_of, need_weights, read_weights
from spinedsl.cli.terminal import read_source, say_mistakes
from spinedsl.cli.voice import UsageError
from spinedsl.record import asdict

if TYPE_CHECKING:
    from spinedsl.agreement import Difference, Report

EXAMPLES = """\
examples:
  spine verify net.spine
  spine verify examples/spinenet.spine --network SpineNet49 --input 256x384 --input 640x640
  spine verify net.spine --weights model.safetensors --format json

The reference interpreter computes in float64. A difference is scaled by the largest number of its output; in float32 it
may be 1e-5, or ten times what the interpreter itself loses in float32, or by the last bit of the weights, if that is
more. Exit status: 0 if all agree, 1 if not. `spine compile --verify` does the same at a few small sizes, and says what
agreed in the file.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    file_argument(parser)
    network_argument(parser)
    input_argument(parser, ", beside a few small ones; may be given several times", action="append", default=[])
    outputs_argument(parser)
    weights_argument(parser)
    choice_arguments(parser)
    seed_argument(parser, ": the images, and the values without --weights")
    lint_arguments(parser)
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Compare and print; status 1 if anything differs."""
    need_weights(options)
    extras.require(*extras.to_compare(), *(extras.of_weights(options.weights) if options.weights is not None else ()))
    source = read_source(options.file)
    if source.value is None:
        say_mistakes(source.diagnostics)
        return 1
    switches = asked_switches(options, options.file)
    made = made_of(source.value, options.network, None, options.outputs, switches=switches) if switches else None
    if made is None:
        return 1
    weights = None if options.weights is None else read_weights(options.weights, options.key, options.prefix)
    if weights is None and options.weights is not None:
        return 1
    try:
        with phases() as say:
            report = api.verify(
                made.loaded, network=options.network, sizes=options.input, outputs=options.outputs, weights=weights,
                seed=options.seed, say=say,
            )  # fmt: skip
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} (--network NAME)") from None
    except api.OutputChoice as choice:
        raise UsageError(f"{choice} (--outputs NAMES)") from None
    except api.TooFewWitnesses as error:
        raise UsageError(str(error)) from None
    print(
        json.dumps(for_programs(report), indent=2, allow_nan=False) if options.format == "json" else for_people(report)
    )
    return 0 if report.agrees else 1


# ---- for people ----


def for_people(report: Report) -> str:
    """A table of every difference, what failed and what could not be asked, and the verdict."""
    lines = [f"{report.network} by each engine, against the {report.reference}; {report.weights}"]
    for size in report.sizes:
        found = [difference for difference in report.differences if difference.size == size]
        if found:
            lines += ["", *_table(f"input {size}", found)]
    if report.missing:
        lines.append("")
    lines += [f"{one.witness} was not asked: {one.reason} ({one.install})" for one in report.missing]
    return "\n".join([*lines, "", *_verdict(report)])


def _table(head: str, found: list[Difference]) -> Iterator[str]:
    """A row for each output, two columns for each engine: the largest difference, and the same scaled."""
    witnesses = list(dict.fromkeys(difference.witness for difference in found))
    by_place = {(difference.output, difference.witness): difference for difference in found}
    columns = [cell for _ in witnesses for cell in ("max |a-b|", "scaled")]
    rows = [(head, "shape", *columns)]
    for output in dict.fromkeys(difference.output for difference in found):
        cells = [cell for witness in witnesses for cell in _cells(by_place.get((output, witness)))]
        shape = next(difference.shape for difference in found if difference.output == output)
        rows.append((output, " x ".join(map(str, shape)), *cells))
    first, *rest = table(rows, left=(0, 1))
    yield _over(first, witnesses)
    yield from (first, *rest)


def _over(heads: str, witnesses: list[str]) -> str:
    """The names of the engines, each ending where its second column ends."""
    line, end = "", 0
    for witness in witnesses:
        end = heads.index("scaled", end) + len("scaled")
        line += witness.rjust(end - len(line))
    return line


def _cells(difference: Difference | None) -> tuple[str, str]:
    if difference is None:
        return "-", "-"
    mark = "" if difference.agrees else "!"
    return f"{difference.largest:.1e}", f"{mark}{difference.scaled:.1e}"


def _verdict(report: Report) -> Iterator[str]:
    yield from report.disagreements()
    if report.agrees:
        yield f"They agree: {_worst(report)}."
    else:
        yield f"They {'do NOT agree' if report.at_fault else 'cannot be compared'}: {report.reason}."


def _worst(report: Report) -> str:
    """The largest scaled difference of each precision."""
    named: dict[str, float] = {}
    for difference in report.differences:
        precision = "float64" if difference.witness.endswith("float64") else "float32"
        named[precision] = max(named.get(precision, 0.0), difference.scaled)
    return "scaled differences up to " + " and ".join(f"{most:.1e} in {name}" for name, most in sorted(named.items()))


# ---- for programs ----


def for_programs(report: Report) -> dict[str, Any]:
    """The report as JSON; a difference that is infinite becomes null."""
    found = asdict(report)
    for entry, difference in zip(found["differences"], report.differences, strict=True):
        entry["agrees"] = difference.agrees
        for name in ("largest", "scaled"):
            entry[name] = entry[name] if math.isfinite(entry[name]) else None
    return {**found, "agrees": report.agrees}
