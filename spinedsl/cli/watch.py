"""Check and draw a file after each save, in a page of the browser that keeps its zoom and its place.

While the file has mistakes, they stand beside the last good figure. Files that it imports are watched too. The page is
served to this machine only; Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from threading import Event

from spinedsl.cli.lints import Asker, candidates, folder_of, lint_arguments
from spinedsl.cli.options import network_arguments
from spinedsl.cli.terminal import say_diagnostics
from spinedsl.cli.voice import UsageError, summary
from spinedsl.diagnostics.plain import one_line
from spinedsl.watch import Frame, Server, Watcher

EXAMPLES = """\
examples:
  spine watch net.spine
  spine watch examples/spinenet.spine --network SpineNet49
  spine watch net.spine --port 8000 --no-browser       for a browser elsewhere: ssh -L 8000:127.0.0.1:8000 HOST
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    network_arguments(parser)
    lint_arguments(parser)
    parser.add_argument(
        "--port", type=_port, default=0, metavar="PORT", help="where to serve; any free port by default"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 <= int(text[:9]) < 65536):
        raise argparse.ArgumentTypeError(f"expected a port, 0 to 65535, got {text!r}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Watch until interrupted."""
    if options.file == "-":
        raise UsageError("standard input cannot be watched: name a file")
    path = Path(options.file)
    if path.is_dir():
        raise UsageError(f"`{options.file}` is a folder: name a file in it")
    if not path.is_file():
        raise UsageError(f"there is no file `{options.file}`")
    Asker(options).switches(options.file)  # wrong use is reported before anything is served
    try:
        server = Server(options.port)
    except OSError as error:
        raise UsageError(f"cannot serve on port {options.port}: {error.strerror}") from None
    server.start()
    print(f"watching {one_line(options.file)} at {server.url} (Ctrl-C ends it)", flush=True)
    try:
        if not options.no_browser:
            import webbrowser  # noqa: PLC0415  many do without

            webbrowser.open(server.url)
        _watch(watcher(path, options), server)
    except KeyboardInterrupt:
        summary("\nno longer watching")
    finally:
        server.close()
    return 0


def watcher(path: Path, options: argparse.Namespace) -> Watcher:
    """What looks at the file, and at the configurations that there are above it or may be."""
    settings = [Path(name) for name in candidates(folder_of(str(path)))]
    return Watcher(path, options.network, options.input, lambda: Asker(options).switches(str(path)), settings)


def _watch(looking: Watcher, server: Server) -> None:
    """Show every frame: in the browser first, then here."""
    shown = ""

    def publish(frame: Frame) -> None:
        nonlocal shown
        server.publish(frame)
        if frame.status != shown:  # else it says more of the same state
            summary(f"{time.strftime('%H:%M:%S')} {frame.status}")
        shown = frame.status
        if frame.problem:
            print(f"spine: {frame.problem}")
        if frame.diagnostics:
            say_diagnostics(frame.diagnostics, sys.stdout)
        sys.stdout.flush()

    looking.run(publish, Event())
