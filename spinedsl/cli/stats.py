"""Count what a network costs, in closed form: parameters, multiply-adds, activation memory, receptive field."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from spinedsl import analysis, extras
from spinedsl.brief import table, unit_of
from spinedsl.cli.lints import lint_arguments
from spinedsl.cli.options import format_argument, network_arguments, output_arguments, outputs_argument
from spinedsl.cli.output import apart, kind_of_figure, refused, write_output
from spinedsl.cli.request import requested_program
from spinedsl.cli.voice import UsageError
from spinedsl.diagnostics.plain import counted
from spinedsl.draw.curves import memory_figure
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.text import plain_tasks, task_text

if TYPE_CHECKING:
    from spinedsl.timing.peak import Peak

EXAMPLES = """\
examples:
  spine stats net.spine
  spine stats examples/spinenet.spine --network SpineNet49 --input 896x896
  spine stats net.spine --outputs P3,P4,P5
  spine stats net.spine --roofline
  spine stats net.spine --memory -o memory.svg
  spine stats net.spine --format json | jq .multiply_adds

Parameters are the trainable ones. Multiply-adds count convolutions and linear layers, for one image. Memory is float32:
of each row its map, and of all the most that is alive at once in an engine that writes each operation's result into
memory of its own and frees it after its last reader. Eager PyTorch holds every row's map to the end and needs about
twice as much. A receptive field is the pixels along one axis that can reach a position of the map, from the first to
the last, at the position that reads the widest; `all` is the whole image.

--roofline measures what a core of this machine does at most, multiply-adds and bytes of memory, and prints of each row
what it does and moves, and the least time that takes: which of both it waits for. Traffic counts each map and tensor
that an operation reads or writes; activations and norms are done where the map is written.

--memory prints what is alive at the fullest moment of each row, in the order as written and in the one that holds the
least, where results are written over what nothing else reads; -o draws both curves, operation by operation. `spine
compile --inference` writes a PyTorch file in that order.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)
    outputs_argument(parser)
    parser.add_argument(
        "--roofline", action="store_true", help="what each row waits for on this machine: its processor, or its memory"
    )
    parser.add_argument(
        "--memory", action="store_true", help="what each row holds while it runs, as written and in the best order"
    )
    output_arguments(parser, "with --memory, a picture of both curves, .svg", required=False)
    lint_arguments(parser)
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the figures of each row, and their totals."""
    if status := _refused(options):
        return status
    if options.roofline:
        extras.require("numpy")
    program = requested_program(options)
    if program is None:
        return 1
    if options.output is not None:
        apart(options.output, [text.name for text in program.sources])
    if options.memory:
        found, curves = memory(flatten(program))
        print(json.dumps(found, indent=2) if options.format == "json" else _memory(found))
        if options.output is None:
            return 0
        size = " x ".join(map(str, found["input"]))
        figure = memory_figure(f"{program.name} at {size}", _best(found), curves)
        return write_output(options.output, figure.encode())
    if options.roofline:
        from spinedsl.timing.peak import measured_peak  # noqa: PLC0415  NumPy is only needed here

        found = roofline(flatten(program), measured_peak())
        print(json.dumps(found, indent=2) if options.format == "json" else _roofs(found))
        return 0
    figures, tasks = statistics(flatten(program)), map(task_text, program.tasks)
    print(json.dumps(figures, indent=2) if options.format == "json" else _table(figures, tasks))
    return 0


def _refused(options: argparse.Namespace) -> int:
    """Whether what is asked does not go together, or cannot be written: a status above 0.

    Raises:
        UsageError: it does not go together.
    """
    if options.memory and options.roofline:
        raise UsageError("--memory and --roofline print a table each: give one of the two")
    if options.output is None:
        return 0
    if not options.memory:
        raise UsageError("--output is for the curves of --memory: other figures are printed")
    if options.output == "-":
        raise UsageError("the figures are printed, so name a file for the picture, as in memory.svg")
    kind_of_figure(options.output, ("svg",))
    return refused(options.output, "svg", force=options.force, reads=[options.file])


def statistics(graph: Graph) -> dict[str, Any]:
    """All figures of a graph, ready for JSON."""
    program, total = graph.program, analysis.costs(graph)
    by_row, fields = analysis.costs_by_row(graph), analysis.receptive_fields(graph)
    memory = analysis.row_activation_bytes(graph)
    rows = [
        {
            "name": row.name,
            "kind": row.kind,
            "type": row.type_name,
            "level": row.level,
            "shape": list(row.type.shape),
            "outputs": {name: list(type_.shape) for name, type_ in row.parts},
            "parameters": by_row[row.name].parameters,
            "multiply_adds": by_row[row.name].multiply_adds,
            "activation_bytes": memory[row.name],
            "receptive_field": fields[row.name],
        }
        for row in program.rows
    ]
    return {
        "network": program.name,
        "input": [program.input_type.channels, program.input_type.height, program.input_type.width],
        "divisor": program.divisor,
        "any_size": program.any_size,
        "fixed": len(program.static_axes) > 1,
        "parameters": total.parameters,
        "statistics": total.statistics,
        "multiply_adds": total.multiply_adds,
        "tasks": plain_tasks(program),
        "peak_activation_bytes": analysis.peak_activation_bytes(graph),
        "rows": rows,
    }


HEADINGS = ("row", "type", "level", "channels x h x w", "parameters", "multiply-adds", "map", "receptive field")


def _table(figures: dict[str, Any], tasks: Iterable[str]) -> str:
    """The figures of all rows as a table, and below it those of the tasks."""
    unit, called = unit_of(max(row["activation_bytes"] for row in figures["rows"]))
    rows = [tuple(f"map {called}" if word == "map" else word for word in HEADINGS)]
    for row in figures["rows"]:
        field = row["receptive_field"]
        rows.append(
            (
                row["name"],
                row["type"] or "-",
                str(row["level"]) if row["level"] is not None else "-",
                counted(len(row["outputs"]), "output") if row["outputs"] else " x ".join(map(str, row["shape"])),
                f"{row['parameters']:,}",
                f"{row['multiply_adds']:,}",
                f"{row['activation_bytes'] / unit:.2f}",
                f"{field:,}" if field is not None else "all",
            )
        )
    peak = f"{figures['peak_activation_bytes'] / unit:.1f} at once"
    rows.append(("total", "", "", "", f"{figures['parameters']:,}", f"{figures['multiply_adds']:,}", peak, ""))
    lines = table(rows, left=(0, 1))
    size = " x ".join(map(str, figures["input"]))
    sizes = "any size" if figures["any_size"] else f"sizes divide by {figures['divisor']}"
    sizes = "this size alone" if figures["fixed"] else sizes
    head = f"{figures['network']} at {size}; {sizes}"
    return "\n".join([head, *tasks, "", lines[0], *lines[1:-1], "-" * max(map(len, lines)), lines[-1]])


# ---- beside what the machine can do ----


def roofline(graph: Graph, peak: Peak) -> dict[str, Any]:
    """What each row does and moves, and the least time of it on a machine, ready for JSON."""
    program, rows = graph.program, []
    for name, work in analysis.work_by_row(graph).items():
        adds, moved = sum(one.multiply_adds for one in work), sum(one.bytes for one in work)
        busy = sum(
            one.seconds(peak.multiply_adds, peak.bytes)
            for one in work
            if one.bound_by_work(peak.multiply_adds, peak.bytes)
        )
        least = sum(one.seconds(peak.multiply_adds, peak.bytes) for one in work)
        rows.append(
            {
                "name": name, "multiply_adds": adds, "bytes": moved, "intensity": adds / moved if moved else None,
                "seconds": least, "bound": None if not least else "processor" if 2 * busy > least else "memory",
            }
        )  # fmt: skip
    return {
        "network": program.name,
        "input": [program.input_type.channels, program.input_type.height, program.input_type.width],
        "peak": {"multiply_adds": peak.multiply_adds, "bytes": peak.bytes},
        "seconds": sum(row["seconds"] for row in rows), "rows": rows,
    }  # fmt: skip


ROOFS = ("row", "multiply-adds", "moved", "multiply-adds / byte", "least ms", "waits for")


def _roofs(found: dict[str, Any]) -> str:
    """The same as a table."""
    unit, called = unit_of(max(row["bytes"] for row in found["rows"]))
    rows = [tuple(f"{called} moved" if word == "moved" else word for word in ROOFS)]
    for row in found["rows"]:
        per_byte = "-" if row["intensity"] is None else f"{row['intensity']:.1f}"
        moved, least = f"{row['bytes'] / unit:.2f}", f"{1000 * row['seconds']:.3f}"
        rows.append((row["name"], f"{row['multiply_adds']:,}", moved, per_byte, least, row["bound"] or "-"))
    adds, moved = (sum(row[name] for row in found["rows"]) for name in ("multiply_adds", "bytes"))
    whole = f"{adds / moved:.1f}" if moved else "-"
    rows.append(("total", f"{adds:,}", f"{moved / unit:.2f}", whole, f"{1000 * found['seconds']:.3f}", ""))
    lines = table(rows, left=(0, 5))
    peak = found["peak"]
    size = " x ".join(map(str, found["input"]))
    head = (
        f"{found['network']} at {size}; a core does {peak['multiply_adds'] / 1e9:.3g} G multiply-adds and moves "
        f"{peak['bytes'] / 1e9:.3g} GB a second: {peak['multiply_adds'] / peak['bytes']:.1f} a byte"
    )
    return "\n".join([head, "", lines[0], *lines[1:-1], "-" * max(map(len, lines)), lines[-1]])


# ---- what it holds while it runs ----


def memory(graph: Graph) -> tuple[dict[str, Any], list[list[int]]]:
    """What is alive at the fullest moment of each row, as written and in the best order, for JSON; both curves."""
    written, best, order = analysis.held(graph)
    program, by_row = graph.program, best.by_row
    rows = [
        {"name": name, "written_bytes": full, "best_bytes": by_row.get(name, 0)}
        for name, full in written.by_row.items()
    ]
    found = {
        "network": program.name,
        "input": [program.input_type.channels, program.input_type.height, program.input_type.width],
        "written": {"peak_bytes": written.peak, "curve": list(written.curve)},
        "best": {
            "peak_bytes": best.peak, "bound_bytes": order.bound, "proved": order.proved, "curve": list(best.curve),
            "rows": list(best.rows),
        },
        "rows": rows,
    }  # fmt: skip
    return found, [list(written.curve), list(best.curve)]


BAR = 40  # letters of the longest


def _memory(found: dict[str, Any]) -> str:
    """The same as a table, with a bar for each row."""
    most = max(found["written"]["peak_bytes"], 1)
    unit, called = unit_of(most)
    rows = [("row", "as written", "best order", "as written, best order")]
    for row in found["rows"]:
        written, best = row["written_bytes"], row["best_bytes"]
        drawn = "#" * round(BAR * best / most)
        bar = drawn + "-" * max(0, round(BAR * written / most) - len(drawn))
        rows.append((row["name"], f"{written / unit:.1f}", f"{best / unit:.1f}", bar))
    size = " x ".join(map(str, found["input"]))
    return "\n".join([f"{found['network']} at {size}, {called}", "", *table(rows, left=(0, 3)), "", _best(found)])


def _best(found: dict[str, Any]) -> str:
    """What the best order comes to, in a sentence."""
    unit, called = unit_of(found["written"]["peak_bytes"])
    written, best = (found[name]["peak_bytes"] / unit for name in ("written", "best"))
    bound = found["best"]["bound_bytes"] / unit
    sure = "no order holds less" if found["best"]["proved"] else f"no order holds less than {bound:.1f}"
    return f"at once: {written:.1f} {called} as written, {best:.1f} in the best order; {sure}"
