"""PostgreSQL 18 from a Python wheel, for one machine: no installation, all data below one folder, a Unix socket only.

Any number of processes use one server, and the last to leave stops it (see ``users``). A killed process does no harm: the next
one finds the server running, or starts it again and PostgreSQL recovers.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from aurum.storage.embedded.postmaster import (
    NO_SUCH_DATABASE,
    NOT_YET,
    POLL_EVERY_S,
    SUPERUSER,
    Postmaster,
    has_ended,
)
from aurum.storage.embedded.programs import program, run
from aurum.storage.embedded.users import EmbeddedServerFailed, Users

_DATABASE = "aurum"
_START_S = 60.0
_RETRY_EVERY_S = 0.05
_STILL_IN_USE = "is still in use"
"""Part of PostgreSQL's message when sessions of a killed server have not ended yet."""


class EmbeddedPostgres:
    """A server over ``folder``; use as a context manager, or ``start`` and ``stop``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().resolve()
        self._data = self._folder / "postgres"
        self._users = Users(self._folder / "postgres.users")
        self._postmaster: Postmaster | None = None

    def start(self) -> None:
        """Join the running server, or start one. Raises ``EmbeddedServerFailed`` with one line that gives the reason."""
        self._users.enter()
        try:
            self.start_again()
        except BaseException:
            self._users.leave()
            raise

    @property
    def has_ended(self) -> bool:
        """Whether the server that this object uses has ended, as when it was killed."""
        running = Postmaster.of(self._data)
        return self._postmaster is not None and (running is None or not running.is_running)

    def start_again(self) -> None:
        """Start a server that has ended, under the same URL. Raises ``EmbeddedServerFailed`` as ``start`` does."""
        with self._one_line_errors("did not start"):
            self._postmaster = self._running_server() or self._start_server()

    def stop(self) -> None:
        """Leave the server, and stop it if no other process uses it."""
        if self._postmaster is None:
            return
        try:
            if self._users.is_last() and (running := Postmaster.of(self._data)) is not None:
                running.stop()
        finally:
            self._users.leave()
            self._postmaster = None

    @property
    def url(self) -> str:
        """The ``postgresql://`` URL of the database ``aurum``."""
        return self.url_of(_DATABASE)

    def url_of(self, database: str) -> str:
        """Return the ``postgresql://`` URL of any database of the running server."""
        return _url(self._require_running(), database)

    def ensure_database(self, name: str) -> None:
        """Create a database unless one of that name exists."""
        postmaster = self._require_running()
        with self._one_line_errors(f"did not create the database {name}"):
            if postmaster.sqlstate(name) == NO_SUCH_DATABASE:
                with self._start_lock():
                    self._ensure_database(postmaster, name)

    def run_script(self, database: str, script: Path) -> None:
        """Run a file of SQL in one transaction. Raises ``EmbeddedServerFailed`` with the first error."""
        url = self.url_of(database)
        with self._one_line_errors(f"did not run {script.name}"):
            _psql(url, "--single-transaction", "--file", str(script))

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _require_running(self) -> Postmaster:
        if self._postmaster is None:
            raise EmbeddedServerFailed("the embedded PostgreSQL is not running: start it first", folder=str(self._folder))
        return self._postmaster

    def _running_server(self) -> Postmaster | None:
        """Return the server if it is ready and has the database, which most commands find at the cost of one connection."""
        postmaster = Postmaster.of(self._data)
        if postmaster is None or not postmaster.is_ready:
            return None
        try:
            return postmaster if postmaster.sqlstate(_DATABASE) not in (NOT_YET, NO_SUCH_DATABASE) else None
        except (ConnectionError, FileNotFoundError):
            return None  # it was killed

    def _start_server(self) -> Postmaster:
        deadline = time.monotonic() + _START_S
        with self._start_lock():
            while (postmaster := self._attempt(deadline)) is None:
                time.sleep(_RETRY_EVERY_S)
            self._ensure_database(postmaster, _DATABASE)
        return postmaster

    def _attempt(self, deadline: float) -> Postmaster | None:
        """Wait for the running server, or start one and wait for it; None if it ended and another attempt may succeed."""
        from aurum.storage.embedded.data_folder import launch  # needed only to start a server

        log, before = self._data / "log", _size(self._data / "log")
        earlier = Postmaster.of(self._data)
        was_running = earlier is not None and earlier.is_running
        pid = earlier.pid if earlier is not None and was_running else launch(self._data)
        if (ready := self._wait_until_ready(pid, deadline)) is not None:
            return ready
        reason = _last_fatal(log, before)
        if was_running or (_STILL_IN_USE in reason and time.monotonic() < deadline):
            return None
        raise self._failed(f"did not start: {reason or f'see {log}'}")

    def _wait_until_ready(self, pid: int, deadline: float) -> Postmaster | None:
        """Wait until the server accepts connections; None if its process has ended."""
        while True:
            ended = has_ended(pid)  # checked first, so that the last state that it wrote is read afterwards
            postmaster = Postmaster.of(self._data)
            if postmaster is not None and postmaster.pid == pid and postmaster.is_ready:
                with suppress(ConnectionError, FileNotFoundError):
                    if postmaster.sqlstate(_DATABASE) != NOT_YET:
                        return postmaster
            if ended:
                return None
            if time.monotonic() > deadline:
                raise self._failed(f"(process {pid}) was not ready within {_START_S:.0f} s: see {self._data / 'log'}")
            time.sleep(POLL_EVERY_S)

    def _ensure_database(self, postmaster: Postmaster, name: str) -> None:
        if postmaster.sqlstate(name) == NO_SUCH_DATABASE:
            _psql(_url(postmaster, SUPERUSER), "--command", f'CREATE DATABASE "{name}"')

    @contextmanager
    def _start_lock(self) -> Generator[None]:
        """Hold the lock under which the server is started and databases are created."""
        descriptor = os.open(self._folder / "postgres.start", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _one_line_errors(self, failure: str) -> Generator[None]:
        """Raise errors of commands and files as ``EmbeddedServerFailed`` with one line: the failure and its reason."""
        try:
            yield
        except subprocess.CalledProcessError as error:
            lines = str(error.stderr).strip().splitlines() or [f"exit code {error.returncode}"]
            reason = next((line for line in lines if "error:" in line.lower()), lines[-1])
            raise self._failed(f"{failure}: {reason}") from error
        except OSError as error:
            path = "" if error.filename is None else f"{error.filename}: "
            raise self._failed(f"{failure}: {path}{error.strerror or error}") from error

    def _failed(self, failure: str) -> EmbeddedServerFailed:
        return EmbeddedServerFailed(f"the embedded PostgreSQL {failure}", folder=str(self._folder))


def _url(postmaster: Postmaster, database: str) -> str:
    return f"postgresql://{SUPERUSER}:@/{database}?host={quote(postmaster.socket_folder)}"


def _psql(url: str, *arguments: str) -> None:
    run([program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1", *arguments, url])


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _last_fatal(log: Path, start: int) -> str:
    """Return the last reason for an end of the server in the log, from byte ``start`` on; empty if it has none."""
    try:
        with log.open("rb") as file:
            file.seek(start)
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
    return fatal[-1].split("] ", 1)[-1] if fatal else ""
