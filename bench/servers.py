"""Server processes on free loopback ports, and what the system says about them."""

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
_PATIENCE_S = 30.0


class ServerFailed(Exception):
    """A server that did not come up. The text is the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers at ``url``, ``started_s`` after it was made."""

    url: str
    pid: int
    started_s: float

    def resident_mib(self) -> float:
        """Resident memory, MiB."""
        return self._memory("VmRSS")

    def _memory(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def keep_bytecode(folder: Path) -> None:
    """Let the servers that follow find their modules compiled after the first start, as on a machine that is in use.

    Some shells and images forbid Python to write bytecode, and then every start compiles everything anew.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # noqa: TID251 - what children inherit
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)  # noqa: TID251 - what children inherit


@contextmanager
def serving(command: Sequence[str], ready: str, **variables: str) -> Generator[Server]:
    """A server (``{port}`` in its command is filled in) that is ended with the block. Raises ``ServerFailed``."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in command],
            cwd=ROOT,
            env=environment(variables),
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
    """Aurum's own service, one process. ``variables``: of its environment."""
    command = [sys.executable, "-m", "aurum.api", "serve", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"]
    settings = {"AURUM_DATABASE__URL": database, "AURUM_LOGGING__LEVEL": "ERROR"} | variables
    with serving(command, ready, **settings) as server:
        yield server


def uvicorn(app: str, *, factory: bool = False, python: str = sys.executable) -> list[str]:
    """The command that serves an ASGI application as fast as uvicorn can."""
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
