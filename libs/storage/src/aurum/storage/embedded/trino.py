"""Trino of one node, for one machine: beside an embedded PostgreSQL, which holds Iceberg's catalog and is one of the catalogs.

Its configuration is that of ``infra/trino``, which compose and Kubernetes use too; what differs comes from its environment. It
listens on loopback and ends with the process that started it, a killed one's too (see ``guard``).
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
_LOOK_S = 0.25
_USER = "aurum"
_QUICK_TO_START = ("-XX:TieredStopAtLevel=1",)
"""For minutes of life on few cores the thorough compiler costs more than it saves."""


class EmbeddedTrino:
    """A server over ``folder``, which holds its warehouse; use as a context manager, or ``start`` and ``stop``.

    Catalogs: ``iceberg`` (files below ``folder``), ``store`` (that ``database`` of the PostgreSQL), ``memory`` and ``tpch``;
    others can be made with ``CREATE CATALOG``. ``postgres``: running, and for longer than this.
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
        self._wanted_port = port
        self._port = 0
        self._bridge: Bridge | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def install(self) -> tuple[Path, Path]:
        """The Java it runs with and its program files, downloaded if need be. Raises ``EmbeddedServerFailed``."""
        given = environment({})
        return java(LEAST_JAVA, given), program_files(cache_folder(given))

    def start(self) -> None:
        """Install if need be, start, and wait until it answers queries. Raises ``EmbeddedServerFailed``."""
        program, files = self.install()
        self._prepare_catalog()
        try:
            self._bridge = self._bridge or Bridge(_socket_of(self._postgres.url)).__enter__()
            self._port = self._wanted_port or _free_port()
            self._guard = self._launch(program, files)
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server; its warehouse stays."""
        self._end()
        if self._bridge is not None:
            self._bridge.__exit__(None, None, None)
            self._bridge = None

    def kill(self) -> None:
        """End it as a crash would: at once, with nothing finished. ``start`` brings it back where it was."""
        self._wanted_port = self._port
        if self._guard is not None:
            for child in Path(f"/proc/{self._guard.pid}/task/{self._guard.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
            self._guard.wait(_STOP_S)
        self._end()

    @property
    def port(self) -> int:
        """The loopback port of its HTTP interface."""
        if self._guard is None:
            raise EmbeddedServerFailed("the embedded Trino is not running", folder=str(self._folder))
        return self._port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; any user name does, there is no password."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def warehouse(self) -> str:
        """``file://`` URL of the folder in which its Iceberg tables are."""
        return (self._folder / "warehouse").as_uri()

    @property
    def catalog_uri(self) -> str:
        """``postgresql://`` URL of the database in which Iceberg's catalog ``aurum`` is."""
        return self._postgres.url_of(_CATALOG_DATABASE)

    def store_url(self, database: str) -> str:
        """JDBC URL of any database of the PostgreSQL, for ``CREATE CATALOG ... USING postgresql``."""
        if self._bridge is None:
            raise EmbeddedServerFailed("the embedded Trino is not running", folder=str(self._folder))
        return f"jdbc:postgresql://127.0.0.1:{self._bridge.port}/{database}"

    def __enter__(self) -> EmbeddedTrino:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _end(self) -> None:
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
        self._postgres.run_script(_CATALOG_DATABASE, self._source() / "iceberg" / "catalog.sql")

    def _source(self) -> Path:
        return configuration_folder() if self._configuration is None else self._configuration

    def _launch(self, program: Path, files: Path) -> subprocess.Popen[bytes]:
        etc = self._folder / "etc"
        # Over what is there: catalogs that were made stay.
        shutil.copytree(self._source(), etc, dirs_exist_ok=True)
        shutil.copy(etc / "iceberg" / "files.properties", etc / "catalog" / "iceberg.properties")
        (self._folder / "warehouse").mkdir(parents=True, exist_ok=True)
        options = [line for line in (etc / "jvm.config").read_text().splitlines() if line and not line.startswith("#")]
        command = [
            *(sys.executable, "-I", str(Path(__file__).with_name("guard.py"))),
            *(str(program), *options, *_QUICK_TO_START),
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
            return subprocess.Popen(  # noqa: S603 - a java that was found
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

    def _wait(self) -> None:
        assert self._guard is not None
        until = time.monotonic() + _START_S
        while not _ready(self.url):
            if self._guard.poll() is not None:
                raise EmbeddedServerFailed(f"the embedded Trino did not start: {_reason(self._log)}", folder=str(self._folder))
            if time.monotonic() > until:
                raise EmbeddedServerFailed(f"the embedded Trino did not start in {_START_S:.0f} s", folder=str(self._folder))
            time.sleep(_LOOK_S)


def configuration_folder() -> Path:
    """``infra/trino`` of the checkout this code runs from."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "infra" / "trino" / "config.properties").is_file():
            return parent / "infra" / "trino"
    raise EmbeddedServerFailed("no infra/trino beside the code: name the folder")


def _socket_of(url: str) -> Path:
    (folder,) = parse_qs(urlsplit(url).query)["host"]
    return Path(folder) / ".s.PGSQL.5432"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(url: str) -> bool:
    """Whether it is started and its one node takes work: the node is known a little later than the server."""
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
    request = urllib.request.Request(url, data=body, headers={"X-Trino-User": _USER})  # noqa: S310 - our own loopback URL
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, object] = json.load(answer)
        return found


def _reason(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "ERROR" in line or line[:2] in ("1)", "2)")]
    return "; ".join(lines[-3:]) or "see trino.log"
