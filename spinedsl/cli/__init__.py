"""The command line: `spine check`, `spine explain`, `spine compile` and the others.

A thin shell: it reads arguments, calls the stages, prints and writes. Exit status 0 is fine, 1 mistakes in the input, 2
wrong use, 70 an internal error, 130 interrupted. Only what a command needs is imported.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from spinedsl import __version__
from spinedsl.cli.options import quiet_argument
from spinedsl.cli.parsing import Parser, leaves
from spinedsl.cli.voice import MANNER, UsageError

COMMANDS = {
    "check": "report every mistake in files",
    "explain": "explain what a code means, with examples",
    "docs": "print a page of the documentation",
    "compile": "compile a network to PyTorch or ONNX",
    "verify": "run a network by PyTorch, ONNX Runtime and OpenVINO, and compare",
    "bench": "measure how long a network takes in each engine",
    "show": "show every operation of a network",
    "stats": "count parameters, multiply-adds, memory and receptive field",
    "space": "count a search space, draw candidates, or look for a network in it",
    "search": "search a space for better networks, on one machine or on many",
    "draw": "draw the scale-permuted figure",
    "watch": "check and redraw a file after each save, in the browser",
    "diff": "report what changed between two networks, and what it breaks",
    "breaking": "exit 1 if a network changed by at least a tier",
    "train": "train a network on images",
    "eval": "evaluate a trained network on images, with intervals",
    "predict": "classify, compare or name images with a trained network",
    "gallery": "make a gallery of known persons",
    "export": "write a trained network as ONNX or in other formats, with a model card",
    "quantize": "make an int8 ONNX model of a network, calibrated on pictures",
    "weights": "show, convert and verify weights",
    "data": "report every mistake in pictures and labels",
    "fmt": "format files in the canonical form",
    "fuzz": "try the compiler's laws on a network and on random ones like it",
    "new": "start a file with a small network",
    "completion": "print a script that completes commands in a shell",
}  # each a module here, and the line about it in the help, for which none is imported
ACTIONS = ("weights", "data", "search")  # commands whose next word says what to do
OK, MISTAKES, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130

DESCRIPTION = "The compiler for scale-permuted networks."
EXAMPLES = """\
examples:
  spine check examples/                                    every mistake of every file in a folder
  spine explain E0303                                      what a code means, with a wrong and a right file
  spine docs language                                      the language reference
  spine compile net.spine --to torch -o model.py           a PyTorch module, readable
  spine compile net.spine --to onnx -o model.onnx          an ONNX graph, without tracing
  spine verify net.spine                                   PyTorch and ONNX give the same numbers
  spine show net.spine --network SpineNet49                every operation, with levels and shapes

`spine help COMMAND`, or `spine COMMAND --help`, says more of a command. With -q, each prints nothing but mistakes and
results. Colours are for terminals: NO_COLOR takes them away, FORCE_COLOR brings them elsewhere too. COLUMNS is the
width.

exit status: 0 fine, 1 mistakes in the input, 2 wrong use, 70 an internal error of spine, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    given = _asked(list(sys.argv[1:] if arguments is None else arguments))
    try:
        options = parser(given).parse_args(given)
        MANNER.quiet, MANNER.format = options.quiet, getattr(options, "format", "human")
        status: int = options.run(options)
        sys.stdout.flush()
    except UsageError as error:
        return _wrong_use(error, given)
    except ModuleNotFoundError as error:
        from spinedsl.extras import EXTRAS, MissingPackage  # noqa: PLC0415  only for errors

        if error.name not in EXTRAS:
            return _fault(error, given)
        return _wrong_use(error if isinstance(error, MissingPackage) else MissingPackage([error.name]), given)
    except KeyboardInterrupt:
        print("spine: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough.
        _close_stdout()
        return OK
    except MemoryError:
        print("spine: not enough memory for this: a smaller network or file would do", file=sys.stderr)
        return MISTAKES
    except OSError as error:  # of the machine: a full disk, a name too long for it, a folder that cannot be read
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        _close_stdout()
        print(f"spine: {_of_the_machine(error)}", file=sys.stderr)
        return MISTAKES
    except Exception as error:  # noqa: BLE001  the last resort: an internal error becomes a report, not a traceback
        return _fault(error, given)
    return status


def _asked(given: list[str]) -> list[str]:
    """`help` before or after a command, as its `--help`; `search FILE` as `search run FILE`."""
    if given[:1] == ["help"]:
        return [*given[1:], "--help"]
    if given[:1] == ["search"] and len(given) > 1 and _begins_a_search(given[1]):
        given = ["search", "run", *given[1:]]
    alone = len(given) == 2 or (len(given) == 3 and given[0] in ACTIONS)
    if alone and given[0] in COMMANDS and given[-1] == "help" and not os.path.exists("help"):  # noqa: PTH110
        return [*given[:-1], "--help"]
    return given


def _begins_a_search(word: str) -> bool:
    """`spine search FILE`, or an option of `spine search run`; and no action, nor one that is misspelt."""
    if word.startswith("-") and word != "-":
        return word not in ("-h", "--help", "-q", "--quiet")
    return word == "-" or "." in word or os.path.isfile(word)  # noqa: PTH113  nothing here imports pathlib


def _wrong_use(error: Exception, given: Sequence[str]) -> int:
    from spinedsl.diagnostics.plain import one_line  # noqa: PLC0415  only for errors

    words = given[: 2 if given[0] in ACTIONS else 1]
    print(f"spine {' '.join(words)}: {one_line(error)}", file=sys.stderr)
    return USAGE


def _of_the_machine(error: OSError) -> str:
    from spinedsl.diagnostics.plain import one_line  # noqa: PLC0415  only for errors
    from spinedsl.reading import reason_of  # noqa: PLC0415

    where = "standard output" if error.filename is None else one_line(error.filename)
    return f"{where}: {reason_of(error)}"


def _close_stdout() -> None:
    """Point it at nothing, so that closing it says nothing more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fault(error: Exception, given: Sequence[str]) -> int:
    from spinedsl.cli.fault import report  # noqa: PLC0415  only for errors

    print(report(error, given), file=sys.stderr)
    return INTERNAL


def parser(given: Sequence[str] | None = None) -> Parser:
    """What reads the arguments `given`: those of their command, or `spine`'s own, as `--help` and `--version`.

    Only a command whose arguments are read is imported. Without `given`, and where it begins with neither, all are.
    """
    whole = Parser(prog="spine", description=DESCRIPTION, epilog=EXAMPLES)
    whole.add_argument("-V", "--version", action="version", version=f"spine {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", prog="spine", required=True)
    named = [name for name in (given or ())[:1] if name in COMMANDS]
    asked = given is not None and (not given or given[0] in whole.options)
    for name in named or COMMANDS:
        command = commands.add_parser(name, help=COMMANDS[name])
        if not asked:
            _complete(command, import_module(f"spinedsl.cli.{name}"))
    return whole


def _complete(command: Parser, module: ModuleType) -> None:
    """What a command takes, and what its own help says."""
    command.description, command.epilog = module.__doc__, module.EXAMPLES
    module.arguments(command)
    for one in leaves(command):
        quiet_argument(one)
    command.set_defaults(run=module.run)
