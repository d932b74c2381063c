"""The service as child processes, over servers that a test may stop."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import patient_api

from aurum.storage.testing.patience import PATIENT_VARIABLES
from aurum.storage.testing.waiting import wait_until_blocking

_SERVE = [sys.executable, "-m", "aurum.api", "serve"]
_SERVE_PATIENTLY = [sys.executable, patient_api.__file__, "serve"]


@contextmanager
def api_process(database: str, *, patient: bool = True, **variables: str) -> Iterator[str]:
    """Run ``python -m aurum.api serve`` and yield its address; the process must end on SIGTERM.

    ``patient``: it takes no store as gone that is only slow.
    """
    with api_child(database, patient=patient, **variables) as (url, _):
        yield url


@contextmanager
def api_child(database: str, *, patient: bool = True, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Do as ``api_process`` does, and yield the process as well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*(_SERVE_PATIENTLY if patient else _SERVE), "--port", str(port)]
    limits = PATIENT_VARIABLES if patient else {}
    process = subprocess.Popen(
        command, env=_environment(database, {**limits, **variables}), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        yield url, process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def refused_start(database: str) -> tuple[int, list[str]]:
    """Return the exit code of a service that does not start, and the lines it printed."""
    environment = _environment(database, {**PATIENT_VARIABLES, "AURUM_ACCESS__MODE": "required"})
    done = subprocess.run([*_SERVE, "--port", "0"], env=environment, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stderr.splitlines()


def _environment(database: str, variables: Mapping[str, str]) -> dict[str, str]:
    inherited = os.environ  # noqa: TID251 - what a shell would hand on
    other_variables = {name: value for name, value in inherited.items() if not name.startswith("AURUM_")}
    return other_variables | {"AURUM_DATABASE__URL": database, "AURUM_LOGGING__LEVEL": "ERROR"} | variables


def wait_until_ready(url: str, process: subprocess.Popen[bytes] | None = None, seconds: float = 120.0) -> None:
    """Return when ``/ready`` says so."""

    def is_ready() -> bool:
        if process is not None and process.poll() is not None:
            raise AssertionError((process.stderr.read() if process.stderr else b"").decode())
        try:
            return httpx.get(f"{url}/ready", timeout=60, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    wait_until_blocking(is_ready, f"{url} is ready", within_s=seconds)
