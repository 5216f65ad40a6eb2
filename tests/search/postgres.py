"""A PostgreSQL server of a test: begun in a folder of its own, on a port that is free, and taken away again.

It is Debian's `postgresql`, or any whose `initdb` is found; a server does not run as root, so root hands it to the
user `postgres`, or to `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.patience import until


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    known = [Path(found).resolve().parent] if found else []
    known += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in known if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Server:
    """A server and its address."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self.binaries = folder, binaries
        self.user: dict[str, object] = {}
        if os.getuid() == 0:
            one = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if _known(name))
            self.user = {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}
            os.chown(folder, one.pw_uid, one.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """What SQLAlchemy takes."""
        return f"postgresql://searcher@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """The files of an empty database, for which nobody has to give a password."""
        words = ["-D", str(self.folder / "data"), "-U", "searcher", "-A", "trust", "-E", "UTF8", "--no-sync"]
        self._run([str(self.binaries / "initdb"), *words]).check_returncode()

    def start(self) -> None:
        """Begin, and wait until it answers. One that was killed may need a while until its files are free."""
        until(self._answers, (self.folder / "log").read_text, pause=0.1)

    def _answers(self) -> bool:
        """Whether it does; it is begun again where it ended by itself."""
        if self.process is None or self.process.poll() is not None:
            self._begin()
        return not self._run([str(self.binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]).returncode

    def _begin(self) -> None:
        settings = [f"unix_socket_directories={self.folder}", "listen_addresses=127.0.0.1", "max_connections=50"]
        words = ["-D", str(self.folder / "data"), "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.binaries / "postgres"), *words, *(part for one in settings for part in ("-c", one))],
                stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self.user,
            )  # type: ignore[call-overload]  # fmt: skip

    def kill(self) -> None:
        """End it without a warning."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(words, capture_output=True, cwd=self.folder, check=False, **self.user)  # type: ignore[call-overload,no-any-return]


def _known(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


@contextmanager
def server() -> Iterator[Server]:
    """A server that runs, of its own."""
    binaries = programs()
    assert binaries is not None
    with tempfile.TemporaryDirectory(prefix="spine-pg-") as folder:
        found = Server(Path(folder), binaries)
        found.make()
        found.start()
        try:
            yield found
        finally:
            found.stop()
