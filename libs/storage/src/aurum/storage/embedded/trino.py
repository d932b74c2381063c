"""A Trino of one node, for one machine, beside an embedded PostgreSQL that holds the Iceberg catalog and is a catalog itself.

Its configuration is that of ``infra/trino``, which compose and Kubernetes use too; differences come from its environment
variables. It listens on loopback and ends with the process that started it, even a killed one (see ``guard``).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from aurum.common.settings import environment
from aurum.storage.embedded.bridge import Bridge
from aurum.storage.embedded.java import java
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.trino_files import LEAST_JAVA, cache_folder, program_files
from aurum.storage.embedded.users import EmbeddedServerFailed

_CATALOG_DATABASE = "iceberg"
_START_S = 300.0
_STOP_S = 20.0
_POLL_EVERY_S = 0.25
_USER = "aurum"
_QUICK_START = ("-XX:TieredStopAtLevel=1",)
"""Java options without the optimising compiler, which costs more than it saves when a server lives for minutes."""


class EmbeddedTrino:
    """A server over ``folder``, which holds its warehouse; use as a context manager, or ``start`` and ``stop``.

    Its catalogs are ``iceberg`` (files below ``folder``), ``store`` (the ``database`` of the PostgreSQL), ``memory`` and
    ``tpch``; ``CREATE CATALOG`` adds others. ``postgres`` must run for as long as this server does.
    """

    def __init__(
        self,
        folder: Path,
        postgres: EmbeddedPostgres,
        *,
        database: str = "aurum",
        configuration: Path | None = None,
        port: int = 0,
    ) -> None:
        self._folder = folder.expanduser().resolve()
        self._postgres = postgres
        self._database = database
        self._configuration = configuration
        self._requested_port = port
        self._port = 0
        self._bridge: Bridge | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def install(self) -> tuple[Path, Path]:
        """Return the Java program and Trino's program files, downloaded if missing. Raises ``EmbeddedServerFailed``."""
        variables = environment({})
        return java(LEAST_JAVA, variables), program_files(cache_folder(variables))

    def start(self) -> None:
        """Install if needed, start, and wait until the server answers queries. Raises ``EmbeddedServerFailed``."""
        program, files = self.install()
        self._prepare_catalog()
        try:
            self._bridge = self._bridge or Bridge(_socket_of(self._postgres.url)).__enter__()
            self._port = self._requested_port or _free_port()
            self._guard = self._launch(program, files)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server; its warehouse stays."""
        self._end_process()
        if self._bridge is not None:
            self._bridge.__exit__(None, None, None)
            self._bridge = None

    def kill(self) -> None:
        """Kill the server as a crash would, with no work finished. ``start`` starts it again on the same port."""
        self._requested_port = self._port
        if self._guard is not None:
            for child in Path(f"/proc/{self._guard.pid}/task/{self._guard.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
            self._guard.wait(_STOP_S)
        self._end_process()

    @property
    def port(self) -> int:
        """The loopback port of its HTTP interface."""
        if self._guard is None:
            raise EmbeddedServerFailed("the embedded Trino is not running: start it first", folder=str(self._folder))
        return self._port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, which accepts any user name without a password."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def warehouse(self) -> str:
        """The ``file://`` URL of the folder of its Iceberg tables."""
        return (self._folder / "warehouse").as_uri()

    @property
    def catalog_uri(self) -> str:
        """The ``postgresql://`` URL of the database that holds the Iceberg catalog ``aurum``."""
        return self._postgres.url_of(_CATALOG_DATABASE)

    def store_url(self, database: str) -> str:
        """Return the JDBC URL of any database of the PostgreSQL, for ``CREATE CATALOG ... USING postgresql``."""
        if self._bridge is None:
            raise EmbeddedServerFailed("the embedded Trino is not running: start it first", folder=str(self._folder))
        return f"jdbc:postgresql://127.0.0.1:{self._bridge.port}/{database}"

    def __enter__(self) -> EmbeddedTrino:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _end_process(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            assert guard.stdin is not None
            guard.stdin.close()
            try:
                guard.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                guard.kill()
                guard.wait()

    def _prepare_catalog(self) -> None:
        self._postgres.ensure_database(_CATALOG_DATABASE)
        self._postgres.run_script(_CATALOG_DATABASE, self._configuration_folder() / "iceberg" / "catalog.sql")

    def _configuration_folder(self) -> Path:
        return configuration_folder() if self._configuration is None else self._configuration

    def _launch(self, program: Path, files: Path) -> subprocess.Popen[bytes]:
        etc = self._folder / "etc"
        # Copied over the existing folder, so that catalogs that were created stay.
        shutil.copytree(self._configuration_folder(), etc, dirs_exist_ok=True)
        shutil.copy(etc / "iceberg" / "files.properties", etc / "catalog" / "iceberg.properties")
        (self._folder / "warehouse").mkdir(parents=True, exist_ok=True)
        options = [line for line in (etc / "jvm.config").read_text().splitlines() if line and not line.startswith("#")]
        command = [
            *(sys.executable, "-I", str(Path(__file__).with_name("guard.py"))),
            *(str(program), *options, *_QUICK_START),
            *("-cp", f"{files / 'lib'}/*"),
            f"-Dnode.id=aurum-{self._port}",
            f"-Dnode.data-dir={self._folder / 'data'}",
            f"-Dplugin.dir={files / 'plugin'}",
            f"-Dcatalog.config-dir={etc / 'catalog'}",
            f"-Dconfig={etc / 'config.properties'}",
            f"-Dlog.levels-file={etc / 'log.properties'}",
            "io.trino.server.TrinoServer",
        ]
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - a java of this machine
                command,
                cwd=self._folder,
                env=environment(self._variables()),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _variables(self) -> Mapping[str, str]:
        assert self._bridge is not None
        server = f"127.0.0.1:{self._bridge.port}"
        return {
            "TRINO_BIND": "127.0.0.1",
            "TRINO_ADDRESS": "127.0.0.1",
            "TRINO_PORT": str(self._port),
            "TRINO_CATALOGS": "dynamic",
            "TRINO_DATABASE": f"{server}/{self._database}",
            "TRINO_CATALOG_DATABASE": f"{server}/{_CATALOG_DATABASE}",
            "TRINO_DATABASE_USER": "postgres",
            "TRINO_DATABASE_PASSWORD": "",
            "TRINO_WAREHOUSE": self.warehouse,
        }

    @property
    def _log(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / "trino.log"

    def _wait_until_ready(self) -> None:
        assert self._guard is not None
        deadline = time.monotonic() + _START_S
        while not _is_ready(self.url):
            if self._guard.poll() is not None:
                raise EmbeddedServerFailed(f"the embedded Trino did not start: {_reason(self._log)}", folder=str(self._folder))
            if time.monotonic() > deadline:
                raise EmbeddedServerFailed(f"the embedded Trino did not start in {_START_S:.0f} s", folder=str(self._folder))
            time.sleep(_POLL_EVERY_S)


def configuration_folder() -> Path:
    """Return the folder ``infra/trino`` of the checkout that this code runs from. Raises ``EmbeddedServerFailed``."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "infra" / "trino" / "config.properties").is_file():
            return parent / "infra" / "trino"
    raise EmbeddedServerFailed("the code does not run from a checkout with infra/trino: pass the folder as configuration")


def _socket_of(url: str) -> Path:
    (folder,) = parse_qs(urlsplit(url).query)["host"]
    return Path(folder) / ".s.PGSQL.5432"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(url: str) -> bool:
    """Return whether the server answers a query: its one node joins a little after the server has started."""
    try:
        if _json(f"{url}/v1/info")["starting"]:
            return False
        answer = _json(f"{url}/v1/statement", b"SELECT count(*) FROM tpch.tiny.region")
        while "nextUri" in answer:
            answer = _json(str(answer["nextUri"]))
        return "error" not in answer
    except (urllib.error.URLError, OSError):
        return False


def _json(url: str, body: bytes | None = None) -> dict[str, object]:
    request = urllib.request.Request(url, data=body, headers={"X-Trino-User": _USER})  # noqa: S310 - a loopback URL
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        document: dict[str, object] = json.load(answer)
        return document


def _reason(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "ERROR" in line or line[:2] in ("1)", "2)")]
    return "; ".join(lines[-3:]) or "see trino.log"
