"""Server processes on free loopback ports, and their memory as the system reports it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aurum.common.settings import environment

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_S = 180.0


class ServerFailed(Exception):
    """A server that did not start. The text is the end of its output."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers at ``url``. ``started_s``: seconds from its creation to its first answer."""

    url: str
    pid: int
    started_s: float

    def resident_mib(self) -> float:
        """Return the resident memory in MiB."""
        return self._memory("VmRSS")

    def _memory(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def keep_bytecode(folder: Path) -> None:
    """Store compiled modules in a folder, so that only the first start of a server compiles them.

    Some shells and images keep Python from writing bytecode, so that every start would compile all modules again.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # noqa: TID251 - children inherit it
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)  # noqa: TID251 - children inherit it


@contextmanager
def serving(command: Sequence[str], ready: str, **variables: str) -> Generator[Server]:
    """Run a server for the length of the block.

    ``{port}`` in ``command`` and in
    ``variables`` becomes a free port. Raises ``ServerFailed``."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in command],
            cwd=ROOT,
            env=environment({name: value.replace("{port}", str(port)) for name, value in variables.items()}),
            stdout=log,
            stderr=log,
        )
        try:
            if not _answers(url + ready, process):
                log.seek(0)
                raise ServerFailed(log.read().decode(errors="replace")[-2_000:])
            yield Server(url, process.pid, time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


@contextmanager
def serving_api(database: str, *, ready: str = "/ready", **variables: str) -> Generator[Server]:
    """Run the API of Aurum in one process for the length of the block. ``variables``: its environment."""
    command = [sys.executable, "-m", "aurum.api", "serve", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"]
    settings = {"AURUM_DATABASE__URL": database, "AURUM_LOGGING__LEVEL": "ERROR"} | variables
    with serving(command, ready, **settings) as server:
        yield server


def uvicorn(app: str, *, factory: bool = False, python: str = sys.executable) -> list[str]:
    """Return the command that serves an ASGI application with the fastest options of uvicorn."""
    options = ["--port", "{port}", "--loop", "uvloop", "--http", "httptools", "--log-level", "error", "--no-access-log"]
    return [python, "-m", "uvicorn", app, *(["--factory"] if factory else []), *options]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.perf_counter() + _PATIENCE_S
    while process.poll() is None and time.perf_counter() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                answer.read()
                return True
        except OSError:  # refused, or not ready yet
            time.sleep(0.005)
    return False
