"""The whole compiler in one page: from a source to files, stage by stage.

    load      Source --parse--> File --resolve--> Unit, Network         in `checking`; `reading` has the disk
    analyse   Network --elaborate--> TypedNetwork --check--> CheckedNetwork             in `checking`, for each network
    program   CheckedNetwork --lower--> Program --prune--> Program
    emit      Program --> {path: bytes}

A file is read and parsed once, whatever is asked of it: each stage takes what the one before it gave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from spinedsl.checking import USUAL, Analysis, Loaded, analyse, load, needs_arguments, waiting
from spinedsl.checks.switches import Switches
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.ir.networks import Network
from spinedsl.ir.typed import InputSize
from spinedsl.reading import read
from spinedsl.record import Record
from spinedsl.source import Source

if TYPE_CHECKING:
    from spinedsl.backends import Options
    from spinedsl.ops.program import Program

__all__ = [
    "USUAL", "Analysis", "Loaded", "Made", "analyse", "choose_network", "chosen", "compile", "emit", "load",
    "needs_arguments", "program", "read",
]  # fmt: skip


def compile(  # noqa: A001  the verb of the command line; inside this module nothing needs the builtin
    file: Source | Loaded,
    to: str,
    options: Callable[[Program], Options],
    network: str | None = None,
    size: InputSize | None = None,
    outputs: Sequence[str] | None = None,
    switches: Switches = USUAL,
) -> Outcome[dict[str, bytes]]:
    """A network of a file as what a backend makes of it. `options` are known when the program is: weights have to fit.

    Raises:
        NetworkChoice: several networks and none chosen, or an unknown one.
        OutputChoice: an output that the network does not have.
    """
    loaded = load(file)
    made = program(loaded, network, size, outputs, switches)
    return made.then(lambda made: emit(made.program, to, options(made.program)))


def program(
    file: Source | Loaded,
    network: str | None = None,
    size: InputSize | None = None,
    outputs: Sequence[str] | None = None,
    switches: Switches = USUAL,
) -> Outcome[Made]:
    """The operations of a network of a file: of the only one, or of `network`; with `outputs`, only what these need.

    Raises:
        NetworkChoice: several networks and none chosen, or an unknown one.
        OutputChoice: an output that the network does not have.
    """
    from spinedsl.lower import lower  # noqa: PLC0415  a check ends before this
    from spinedsl.ops.prune import prune  # noqa: PLC0415

    loaded = load(file)
    if not loaded.ok:
        return Outcome(None, analyse(loaded, size, None, switches).diagnostics)
    name = chosen(loaded, network)
    analysis = analyse(loaded, size, name, switches)
    if analysis.value is None or not analysis.ok:
        return Outcome(None, analysis.diagnostics)
    made = lower(analysis.value.checked[name])
    if outputs is not None:
        refuse_outputs(made, outputs)
        made = prune(made, outputs)
    return Outcome(Made(loaded, loaded.networks[name], made, analysis.diagnostics), analysis.diagnostics)


def emit(program: Program, to: str, options: Options) -> Outcome[dict[str, bytes]]:
    """A program as the files of a backend, by their names."""
    from spinedsl.backends import backend  # noqa: PLC0415  a check ends before this

    return backend(to).emit(program, options)


# ---- what was asked for ----


def chosen(loaded: Loaded, asked: str | None) -> str:
    """The network asked for, or the only one there is.

    Raises:
        NetworkChoice: there is no such network, or there are several.
    """
    found = choose_network(loaded.networks, asked)
    if isinstance(found, str):
        return found
    from spinedsl.refusals import NetworkChoice  # noqa: PLC0415  only for errors

    networks = loaded.networks
    meant = networks.get(asked) if asked is not None else next(iter(networks.values())) if len(networks) == 1 else None
    if meant is not None and needs_arguments(meant):
        raise NetworkChoice.unfit(loaded.source.name, meant.name, [] if meant.is_part else waiting(meant))
    raise NetworkChoice.among(loaded.source.name, asked, found)


def choose_network(networks: Mapping[str, Network], name: str | None) -> str | tuple[str, ...]:
    """The network asked for, or the only one there is; else the names to choose from."""
    known = tuple(known for known, network in networks.items() if not needs_arguments(network))
    if name is not None:
        return name if name in known else known
    return known[0] if len(known) == 1 else known


def refuse_outputs(made: Program, outputs: Sequence[str]) -> None:
    """See that a network has the outputs that are asked for.

    Raises:
        OutputChoice: it has not.
    """
    from spinedsl.refusals import OutputChoice  # noqa: PLC0415  most take all outputs

    if (refusal := OutputChoice.of(made.name, outputs, made.outputs)) is not None:
        raise refusal


class Made(Record, eq=False):
    """A network as it is written, and as it runs; with the warnings about it."""

    loaded: Loaded
    network: Network
    program: Program
    warnings: tuple[Diagnostic, ...] = ()

    def __brief__(self) -> str:
        return self.network.__brief__()
