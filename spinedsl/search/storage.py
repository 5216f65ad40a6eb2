"""Where studies are kept: from a path or an address to Optuna's storage, or why it cannot be used.

A path is a file of SQLite. An address is SQLAlchemy's, as in `postgresql://user@host/database`, for many machines. The
tables are made under a lock, since two processes that make them at once collide.
"""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import fcntl
import os
import re
import threading
import time
import warnings
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
import sqlalchemy
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.storages._rdb.models import TrialModel
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic
from spinedsl.source import Source

HEARTBEAT, GRACE = 10, 60  # seconds between two signs of life, and without one until a worker counts as dead
WAIT = 60  # seconds for a database that somebody else holds
LOCK = 0x5350494E45  # of PostgreSQL, while tables are made
PATCHED = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}  # the driver that we bring
REACH = "see that it runs, and that this machine may reach it"
MORE_CONNECTIONS = "raise its `max_connections`, or begin fewer workers"
INSTALL = "install one, as `pip install pymysql` for mysql+pymysql://user@host/name"
ADDRESS = "write postgresql://user@host/name, or a path"
PASSWORD = re.compile(r"(://[^:/@]*):[^@]*(?:@[^/?]*)*@")  # it begins and ends where SQLAlchemy's does, or later
QUERIED = re.compile(r"([?&][^=&]*passw(?:or)?d=)[^&]*", re.IGNORECASE)
FAILURES = (StorageInternalError, SQLAlchemyError)


class NoStudy(Exception):
    """A study cannot be used. `diagnostic` says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Away(NoStudy):
    """No server answers, for now."""


class Storage(RDBStorage):
    """One whose signs of life survive a database that is away for a while, and can be waited for.

    A trial costs the same however many there are. The one that this process has begun is remembered, which Optuna would
    read four times: nobody else writes to a trial that runs but to give it up, and that is noticed where its values are
    told, in one transaction.
    """

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        if self.engine.dialect.name == "sqlite" and not self.engine.url.query:
            sqlalchemy.event.listen(self.engine, "connect", _log_ahead)
            self.engine.dispose()  # connections from before
        self._own: dict[int, FrozenTrial] = {}  # the trial that runs here
        self._looked = float("-inf")  # when trials were last looked for whose workers are silent
        self._heard = threading.Condition()
        self._alive = -1  # the trial that gave a sign of life last

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        found = super()._create_new_trial(study_id, template_trial)
        key = found._trial_id  # noqa: SLF001  it has no other name
        self._own = {key: copy.deepcopy(found)} if template_trial is None else {}
        return found

    def _get_prepared_new_trial(self, study_id: int, template_trial: FrozenTrial | None, session: Any) -> TrialModel:
        """A trial with the number after the last one's, which is looked up; Optuna counts all trials before it."""
        if template_trial is not None:
            return super()._get_prepared_new_trial(study_id, template_trial, session)
        trial = TrialModel(study_id=study_id, number=None, state=TrialState.RUNNING, datetime_start=dt.datetime.now())  # noqa: DTZ005  as Optuna has it
        session.add(trial)
        session.flush()  # from here on nobody else begins one: the study, or the file, is locked
        before = session.query(TrialModel.number).filter(
            TrialModel.study_id == study_id, TrialModel.trial_id < trial.trial_id
        )
        last = before.order_by(TrialModel.trial_id.desc()).limit(1).scalar()
        trial.number = 0 if last is None else last + 1
        return trial

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A trial as it is; the one that runs here as this process left it."""
        own = self._own.get(trial_id)
        return copy.deepcopy(own) if own is not None else super().get_trial(trial_id)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write it down, and remember it."""
        super().set_trial_user_attr(trial_id, key, value)
        if trial_id in self._own:
            self._own[trial_id].user_attrs[key] = value

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write it down; from then on the trial is read again."""
        self._own.pop(trial_id, None)
        super().set_trial_system_attr(trial_id, key, value)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Write it down; from then on the trial is read again."""
        self._own.pop(trial_id, None)
        super().set_trial_intermediate_value(trial_id, step, intermediate_value)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Write it down; from then on the trial is read again. Of those who take one that waits, one alone has it."""
        self._own.pop(trial_id, None)
        if state is not TrialState.RUNNING:
            return super().set_trial_state_values(trial_id, state, values)
        waiting = sqlalchemy.update(TrialModel).where(
            TrialModel.trial_id == trial_id, TrialModel.state == TrialState.WAITING
        )
        with self.engine.begin() as connection:  # Optuna looks, then writes: with SQLite two may have it
            now = dt.datetime.now()  # noqa: DTZ005  as Optuna has it
            return connection.execute(waiting.values(state=state, datetime_start=now)).rowcount == 1

    def record_heartbeat(self, trial_id: int) -> None:
        """Say that the worker lives; if the database does not hear it, the next one will do."""
        with contextlib.suppress(*FAILURES):
            super().record_heartbeat(trial_id)
            with self._heard:
                self._alive = trial_id
                self._heard.notify_all()

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """Trials whose workers are silent for too long; Optuna asks before each trial, which is too often."""
        assert self.heartbeat_interval is not None
        now = time.monotonic()
        if now - self._looked < self.heartbeat_interval / 2:
            return []
        self._looked = now
        return super()._get_stale_trial_ids(study_id)

    def wait_for(self, trial_id: int, seconds: float) -> None:
        """Wait until a trial of this process has given a sign of life."""
        with self._heard:
            self._heard.wait_for(lambda: self._alive == trial_id, seconds)


def _log_ahead(connection: Any, _record: object) -> None:
    """Let SQLite write ahead: a trial costs a third, and a process that is killed loses nothing committed."""
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=normal")
    cursor.close()


def changed(study: optuna.Study, still_open: Iterable[int], read: int) -> list[FrozenTrial]:
    """Trials of these numbers, then those from number `read` on, as they are now.

    It takes as long as these are many: Optuna's own list of all trials is sorted anew each time.
    """
    kept = study._storage  # noqa: SLF001  it has no other name
    if not isinstance(kept, _CachedStorage):
        everyone = study.get_trials(deepcopy=False)
        return [*(everyone[number] for number in still_open), *everyone[read:]]
    key = study._study_id  # noqa: SLF001
    kept._read_trials_from_remote_storage(key)  # noqa: SLF001
    with kept._lock:  # noqa: SLF001
        known = kept._studies[key].trials  # noqa: SLF001
        found = [known[number] for number in still_open]
        while read in known:
            found.append(known[read])
            read += 1
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what Optuna logs of each trial, and without its warnings of what is experimental."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def shown(place: str) -> str:
    """A path or an address as messages name it: without a password, be it before the host or in the query."""
    if not is_address(place):
        return place
    return QUERIED.sub(r"\1***", PASSWORD.sub(r"\1:***@", place))


def of_database(error: BaseException) -> BaseException | None:
    """The error of the database that an error is, or that Optuna was dealing with when it came."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, FAILURES):
        seen = seen.__cause__ or seen.__context__
    return seen


def is_address(place: str) -> bool:
    """An address, and no path."""
    return "://" in place


def refused(place: str, reason: str, fix: str) -> NoStudy:
    """Why a study cannot be used."""
    name = shown(place)
    return NoStudy(say.NO_STUDY.at(Source(name, "").span(0, 0), study=name, reason=reason).with_fix(fix))


def url_of(place: str) -> str:
    """The address that SQLAlchemy takes.

    Raises:
        NoStudy: no database has such an address.
    """
    if not is_address(place):
        return f"sqlite:///{quote(str(Path(place).resolve()))}"  # SQLAlchemy unquotes it, and Optuna fills in {…}
    kind, _, rest = place.partition("://")
    if kind.partition("+")[0] not in ("sqlite", "postgresql", "postgres", "mysql"):
        raise refused(place, f"there is no kind of database `{kind}`", ADDRESS)
    url = f"{PATCHED.get(kind, kind)}://{rest}"
    try:
        sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise refused(place, "this is no address of a database", ADDRESS) from None
    return url


def _read_only_url(path: Path) -> str:
    """The address of a file of SQLite that stands where nothing can be written, so that there is no place for locks.

    SQLAlchemy and SQLite both unquote it.
    """
    way = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    return f"sqlite:///file:{quote(quote(str(path)))}?{way}&uri=true"


def open_storage(place: str, *, create: bool, write: bool = True, grace: int = GRACE) -> Storage:
    """The storage of a path or an address; its tables are made where there are none and `create` is set.

    Without `write` it may stand where nothing can be written.

    Raises:
        NoStudy: it cannot be used.
    """
    url = url_of(place)
    if (path := _file_of(place, url)) is not None:
        _see_file(place, path, create=create, write=write)
    if not is_address(place) and not write and not os.access(Path(place).resolve().parent, os.W_OK):
        url = _read_only_url(Path(place).resolve())
    heartbeat = max(1, min(HEARTBEAT, grace // 3))
    connect = {"timeout": WAIT} if url.startswith("sqlite") else {"connect_timeout": 10} if "psycopg" in url else {}
    more: dict[str, Any] = {"pool_pre_ping": True, "connect_args": connect}
    with quiet(), explained(place), alone(place, write=write):
        storage = Storage(url, more, heartbeat_interval=heartbeat, grace_period=grace)
        weakref.finalize(storage, storage.engine.dispose)  # connections are closed with the study
        return storage


def _file_of(place: str, url: str) -> Path | None:
    """The file of SQLite that a path or an address leads to; None where it leads elsewhere, or by words of SQLite's."""
    if not is_address(place):
        return Path(place)
    address = sqlalchemy.make_url(url)
    own = address.database is None or address.database == ":memory:" or address.database.startswith("file:")
    return None if own or address.get_backend_name() != "sqlite" else Path(str(address.database))


def _see_file(place: str, path: Path, *, create: bool, write: bool) -> None:
    """That a file of SQLite is there and may be one, or can be made."""
    try:
        if path.is_dir():
            raise refused(place, "it is a folder", "name a file in it, as in `search.db`")
        if path.exists():
            with path.open("rb") as file:
                begin = file.read(16)
            if begin and begin != b"SQLite format 3\0":
                raise refused(place, "it is no database of SQLite", "name another file: this one stays as it is")
            if not begin and not create:
                raise refused(place, "it is empty", "start a search with `spine search FILE --study PATH`")
            if write and not os.access(path, os.W_OK):
                raise refused(place, "it is read-only", "make it writable, or name another file")
        elif not create:
            raise refused(place, "there is no such file", "start a search with `spine search FILE --study PATH`")
        elif not path.resolve().parent.is_dir():
            raise refused(place, f"there is no folder `{path.parent}`", "make it first")
        elif not os.access(path.resolve().parent, os.W_OK | os.X_OK):
            raise refused(place, f"nothing can be written in {path.resolve().parent}", "choose another folder")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise refused(place, reason[:1].lower() + reason[1:], "name another file") from None


@contextlib.contextmanager
def alone(place: str, *, write: bool = True) -> Iterator[None]:
    """Nobody else makes tables, or begins a search, in this database meanwhile.

    Without `write` a file is not locked: its folder may be somebody else's.
    """
    url = url_of(place)
    path = _file_of(place, url)
    if path is not None and not write:
        yield
    elif path is not None:
        handle = os.open(path.resolve().parent, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # a file system without locks: SQLite's own have to do
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
    elif "psycopg" in url:
        engine = sqlalchemy.create_engine(url, connect_args={"connect_timeout": 10})
        try:
            with engine.connect() as connection:
                connection.execute(sqlalchemy.text(f"select pg_advisory_lock({LOCK})"))
                yield
        finally:
            engine.dispose()
    else:
        yield


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """What a database refuses, in words.

    Raises:
        NoStudy: instead of what SQLAlchemy, Optuna or a driver raise.
    """
    try:
        yield
    except DuplicatedStudyError:
        raise
    except ImportError as error:
        from spinedsl.extras import MissingPackage  # noqa: PLC0415

        if not url_of(place).startswith("postgresql"):
            kind = place.partition("://")[0]
            raise refused(place, f"no driver for `{kind}` is installed", f"{INSTALL}, or use PostgreSQL") from None
        if "psycopg" in str(error) or "access module" in str(error):
            raise MissingPackage(["psycopg"]) from None
        raise
    except Exception as error:
        if not isinstance(error, RuntimeError) and of_database(error) is None:
            raise
        raise in_words(place, error) from None


def in_words(place: str, error: Exception) -> NoStudy:
    """The reason that a database gives, by what it says."""
    reported = of_database(error) or error
    cause = reported.__cause__ or reported
    text = " ".join(str(getattr(cause, "orig", None) or cause).split())
    lower = text.lower()
    if "locked" in lower:
        return refused(
            place, f"something else has held it for {WAIT} seconds", "end the program that holds it, then go on: "
            "nothing is lost",
        )  # fmt: skip
    if "malformed" in lower or "not a database" in lower or "corrupt" in lower:
        return refused(
            place, "the database is damaged", "take a copy of it: `sqlite3 FILE .recover` may get back what it holds"
        )
    if "password" in lower or "role" in lower or "authentication" in lower:
        return refused(
            place, _last(text), "give the user and the password of the server: postgresql://user:password@host/name"
        )
    if "does not exist" in lower and "database" in lower:
        return refused(place, _last(text), "make it first: `createdb NAME`")
    if "too many" in lower and "connection" in lower:
        return Away(refused(place, "the server has too many connections", MORE_CONNECTIONS).diagnostic)
    if "connect" in lower or "resolve" in lower or "translate host" in lower or "timeout" in lower:
        return Away(refused(place, "no server answers there", REACH).diagnostic)
    if "disk" in lower or "full" in lower or "readonly" in lower or "read-only" in lower:
        return refused(place, _last(text), "see that it can be written, and that there is space")
    if isinstance(error, RuntimeError):
        return refused(place, "another version of Optuna made it", "use that version: `pip install optuna==VERSION`")
    return refused(place, _last(text), "see that it is a database, and that it can be written")


def _last(text: str) -> str:
    """The end of what a driver says, which is the server's own words."""
    words = re.split(r"(?:FATAL|ERROR):\s*", text)[-1]
    return words.split("\n")[0].strip()[:200].rstrip(".") or "no reason is given"
