"""The product as a user runs it, through processes and sockets. No module of it is imported here but those for tests."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from aurum.storage.testing.patience import PATIENT_VARIABLES
from aurum.storage.testing.waiting import wait_until_blocking

SAMPLE = Path(__file__).parents[2] / "libs/pipelines/src/aurum/pipelines/sample"
AURUM = [sys.executable, "-m", "aurum.cli.main"]


@dataclass
class Instance:
    """A running ``aurum up``."""

    process: subprocess.Popen[str]
    url: str
    data_dir: Path

    def get(self, path: str, **params: str) -> httpx.Response:
        return httpx.get(self.url + path, params=params, timeout=120, trust_env=False)

    def data(self, path: str, **params: str) -> httpx.Response:
        return answered(lambda: self.get(path, **params))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return answered(lambda: httpx.post(self.url + path, timeout=120, trust_env=False, **options))

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=300)
        return self.process.returncode


def answered(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request, again while the service takes its store as gone: on a busy machine a store is silent for a second."""
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        answers[:] = [send()]
        return answers[0].status_code != 503

    wait_until_blocking(is_answered)
    return answers[0]


_started: list[Instance] = []


@pytest.fixture(autouse=True)
def _stopped_after_a_failure() -> Iterator[None]:
    """Stop what a test has started and, because it failed, not stopped: its pipes would fail a later test."""
    before = len(_started)
    yield
    for instance in _started[before:]:
        if instance.process.poll() is None:
            instance.stop()
    del _started[before:]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    # Not below pytest's own temporary folder, whose name would make the path of a socket too long.
    folder = Path(tempfile.mkdtemp(prefix="aurum-e2e-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_data_dir() -> Iterator[Path]:
    """A data folder with a migrated store without rows, to copy from: the creation of one is six seconds of a processor."""
    with temporary_folder() as folder:
        migrated = aurum(folder, "db", "migrate")
        assert migrated.returncode == 0, migrated.stderr
        yield folder


@pytest.fixture
def data_dir(migrated_data_dir: Path) -> Iterator[Path]:
    """A data folder of this test alone, with a migrated store without rows."""
    with temporary_folder() as folder:
        # cp, because the files of the server belong to an account of its own.
        subprocess.run(["cp", "--archive", f"{migrated_data_dir}/.", str(folder)], check=True)
        yield folder


@pytest.fixture(scope="module")
def shared_data_dir() -> Iterator[Path]:
    """An empty folder of this module, in which the product creates what it needs."""
    with temporary_folder() as folder:
        yield folder


def environment(**variables: str) -> dict[str, str]:
    inherited = os.environ  # noqa: TID251 - a shell passes these on
    others = {name: value for name, value in inherited.items() if not name.startswith("AURUM_")}
    return others | PATIENT_VARIABLES | variables


def aurum(data_dir: Path, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [*AURUM, "--data-dir", str(data_dir), *map(str, arguments)]
    return subprocess.run(command, env=environment(**variables), capture_output=True, text=True, timeout=300, check=False)


def start_up(data_dir: Path, *arguments: str, **variables: str) -> Instance:
    """Start ``aurum up`` on a free port and wait until it prints its URL."""
    command = [*AURUM, "up", "--data-dir", str(data_dir), "--port", "0", *arguments]
    process = subprocess.Popen(
        command,
        env=environment(PYTHONUNBUFFERED="1", **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    seen: list[str] = []
    for line in process.stdout:
        seen.append(line)
        if match := re.search(r"Aurum is at (http://\S+)", line):
            instance = Instance(process, match[1], data_dir)
            _started.append(instance)
            return instance
    process.communicate(timeout=300)
    raise AssertionError("".join(seen))


def processes_of(data_dir: Path) -> list[str]:
    """Return the command lines of processes that name the folder."""
    lines: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(data_dir) in line:
                lines.append(line)
    return lines
