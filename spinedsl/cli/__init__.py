"""The command line: `spine check`, `spine explain`, `spine compile` and the others.

A thin shell: it reads arguments, calls the stages, prints and writes. Exit status 0 is fine, 1 mistakes in the input, 2
wrong use, 70 a fault of the compiler, 130 interrupted. Only what a command needs is imported.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from spinedsl import __version__
from spinedsl.cli.terminal import UsageError, columns
from spinedsl.diagnostics.plain import one_line
from spinedsl.driver import reason_of

COMMANDS = (
    "check", "explain", "compile", "verify", "show", "stats", "draw", "watch", "diff", "breaking", "weights", "fmt",
    "fuzz", "new", "completion",
)  # fmt: skip
EXTRAS = {
    "resvg_py": "draw",
    "numpy": "onnx",
    "onnx": "onnx",
    "onnxruntime": "all",
    "hypothesis": "testing",
    "safetensors": "all",
    "shtab": "completion",
    "torch": "torch",
}  # packages by what brings them
OK, MISTAKES, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130

DESCRIPTION = "The compiler for scale-permuted networks."
EXAMPLES = """\
examples:
  spine check examples/                                    every mistake of every file in a folder
  spine explain E0303                                      what a code means, with a wrong and a right file
  spine compile net.spine --to torch -o model.py           a PyTorch module, readable
  spine compile net.spine --to onnx -o model.onnx          an ONNX graph, without tracing
  spine verify net.spine                                   PyTorch and ONNX give the same numbers
  spine show net.spine --network SpineNet49                every operation, with levels and shapes

exit status: 0 fine, 1 mistakes in the input, 2 wrong use, 70 a fault of the compiler
"""


class Help(argparse.RawDescriptionHelpFormatter):
    """Help as it is written, as wide as the terminal. Argparse makes many of these where no help is shown."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=columns(sys.stdout) - 2)


class Parser(argparse.ArgumentParser):
    """A parser whose complaints repeat what was given as it can be shown."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and stop with status 2."""
        super().error(one_line(message))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = parser(given).parse_args(given)
        status: int = options.run(options)
        sys.stdout.flush()
    except UsageError as error:
        print(f"spine: {one_line(error)}", file=sys.stderr)
        return USAGE
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            return _fault(error, given)
        print(f"spine: this needs {error.name}: pip install 'spinedsl[{EXTRAS[error.name]}]'", file=sys.stderr)
        return USAGE
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
        where = "standard output" if error.filename is None else one_line(error.filename)
        print(f"spine: {where}: {reason_of(error)}", file=sys.stderr)
        return MISTAKES
    except Exception as error:  # noqa: BLE001  the last resort: a fault of ours becomes a report, not a traceback
        return _fault(error, given)
    return status


def _close_stdout() -> None:
    """Point it at nothing, so that closing it says nothing more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fault(error: Exception, given: Sequence[str]) -> int:
    from spinedsl.cli.fault import report  # noqa: PLC0415  nobody needs it on a good day

    print(report(error, given), file=sys.stderr)
    return INTERNAL


def parser(given: Sequence[str] = ()) -> argparse.ArgumentParser:
    """What reads the arguments `given`: of their command only, or of all where they name none."""
    whole = Parser(
        prog="spine",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=Help,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"spine {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", prog="spine", required=True)
    for name in given[:1] if given[:1] and given[0] in COMMANDS else COMMANDS:  # only what is asked for is imported
        module = import_module(f"spinedsl.cli.{name}")
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=module.EXAMPLES,
            formatter_class=Help,
            allow_abbrev=False,
        )
        module.arguments(command)
        command.set_defaults(run=module.run)
    return whole
