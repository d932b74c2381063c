"""``aurum up`` restarts what ends, and says so."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aurum.storage.testing.waiting import wait_until_blocking

from .conftest import SAMPLE, Instance, processes_of, start_up
from .invented import invented_day

pytestmark = pytest.mark.e2e


@pytest.fixture
def odd_dir() -> Iterator[Path]:
    """A data folder whose path has a space, both quotes, a percent sign and a letter beyond ASCII."""
    parent = Path(tempfile.mkdtemp(prefix="aurum-e2e-"))
    yield parent / 'o\'dd "d\u00e4ta" %41'
    shutil.rmtree(parent, ignore_errors=True)


def descendants(pid: int) -> dict[int, str]:
    """Return the command lines of the children of a process, by id."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode() for child in children}


def kill(instance: Instance, part: str) -> None:
    """Kill the child process with a text in its command line."""
    (child,) = [pid for pid, line in descendants(instance.process.pid).items() if part in line]
    os.kill(child, signal.SIGKILL)


def lines_until(instance: Instance, text: str) -> list[str]:
    """Read the output until a line has a text; return all lines read."""
    assert instance.process.stdout is not None
    lines: list[str] = []
    for line in instance.process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError("".join(lines))


def is_ready(instance: Instance) -> bool:
    try:
        return instance.get("/ready").status_code == 200
    except httpx.TransportError:
        return False


def state_of_worker(instance: Instance) -> str:
    dependencies = instance.get("/health").json()["dependencies"]
    return next(each["status"] for each in dependencies if each["name"] == "worker")


def test_what_is_killed_runs_again_in_any_folder(odd_dir: Path) -> None:
    running = start_up(odd_dir)
    os.kill(int((odd_dir / "postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    lines_until(running, "PostgreSQL: started again")
    kill(running, "valkey-server")
    lines_until(running, "Valkey: started again")
    kill(running, "aurum.workers")
    lines_until(running, "worker: started again")
    kill(running, "aurum.api")
    ended = lines_until(running, "API: started again")
    assert any("API: ended (signal SIGKILL); it is started again in 0.5 s" in line for line in ended)
    wait_until_blocking(lambda: is_ready(running))
    assert len(running.data("/v2/series").json()["data"]) > 0
    wait_until_blocking(lambda: state_of_worker(running) == "ok")
    assert running.stop() == 0
    wait_until_blocking(lambda: not processes_of(odd_dir))


def test_a_worker_that_ends_too_often_stays_down_and_health_says_so(data_dir: Path) -> None:
    running = start_up(data_dir, "--no-sample", AURUM_SUPERVISION__FAILURES="1")
    kill(running, "aurum.workers")
    lines_until(running, "it stays down, and the rest runs on")
    wait_until_blocking(lambda: state_of_worker(running) == "down")
    health = running.get("/health").json()
    assert health["status"] == "degraded"
    assert running.stop() == 0


@pytest.mark.parametrize(("part", "role"), [("aurum.api", "API"), ("valkey-server", "Valkey")])
def test_what_everything_needs_ends_it_with_the_reason_when_it_ends_too_often(data_dir: Path, part: str, role: str) -> None:
    running = start_up(data_dir, "--no-sample", "--no-worker", AURUM_SUPERVISION__FAILURES="1")
    kill(running, part)
    lines = lines_until(running, f"aurum: {role}: ended")
    assert "1 failure within 60 s" in lines[-1]
    running.process.communicate(timeout=300)
    assert running.process.returncode == 1
    wait_until_blocking(lambda: not processes_of(data_dir))


def submit(instance: Instance, name: str, **payload: str) -> str:
    """Submit a job and return its path."""
    submitted = instance.post("/v2/jobs", json={"name": name, "payload": payload})
    assert submitted.status_code == 202, submitted.text
    return submitted.headers["Location"]


def state_of(instance: Instance, location: str) -> str:
    return instance.data(location).json()["data"]["state"]


def has_ended(instance: Instance, location: str) -> bool:
    """Kill the processes of jobs for a while, so often that none can end by itself, and return whether the job has ended."""
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        kill_processes_of_jobs(instance)
        time.sleep(0.005)
    return state_of(instance, location) not in ("queued", "running")


def kill_processes_of_jobs(instance: Instance) -> None:
    """Kill what the ready job process has forked; the worker has started that process."""
    with contextlib.suppress(OSError):  # one of them has just ended
        for worker in [pid for pid, line in descendants(instance.process.pid).items() if "aurum.workers" in line]:
            for ready in descendants(worker):
                for child in descendants(ready):
                    os.kill(child, signal.SIGKILL)


def test_a_job_that_ends_its_process_each_time_is_parked_and_everything_stays_up(data_dir: Path) -> None:
    running = start_up(data_dir, "--no-sample", AURUM_WORKERS__FIRST_RETRY_S="0.01", AURUM_WORKERS__METRICS_PORT="0")
    # First a job that may succeed: the worker prepares its store in a process that must not be killed.
    first = submit(running, "ingest.file", path=str(SAMPLE / "nyiso/20251102damlbmp_zone.csv"))
    wait_until_blocking(lambda: state_of(running, first) == "succeeded")
    location = submit(running, "ingest.file", path=str(invented_day(data_dir / "WW_DALMP_ISO_20260604.csv", 4)))
    wait_until_blocking(lambda: has_ended(running, location), within_s=300)
    assert state_of(running, location) == "parked"
    job = running.data(location).json()["data"]
    assert job["deaths"] == 3
    assert "SIGKILL" in job["reason"]
    wait_until_blocking(lambda: state_of_worker(running) == "ok")
    again = running.post(f"{location}/retry")
    assert again.is_success, again.text
    wait_until_blocking(lambda: state_of(running, location) == "succeeded")
    assert running.stop() == 0
