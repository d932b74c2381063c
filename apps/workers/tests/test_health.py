"""The health of a worker: ``/live`` names what has ended, and the worker ends with it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
import structlog
import trial_jobs
from trial_log import LIGHT, QUICK, Log, Serve

from aurum.common.settings import Settings, environment
from aurum.common.settings.workers import WorkersSettings
from aurum.common.telemetry.metrics import Metrics
from aurum.core.jobs.states import JobState
from aurum.storage.testing.waiting import wait_until
from aurum.workers.essentials import STALLED_EXIT, EssentialEnded, Essentials
from aurum.workers.health import served_health


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def get(port: int, path: str) -> tuple[int, Any]:
    """Return the status and the JSON document of a path."""

    def ask() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return await asyncio.to_thread(ask)


@pytest.mark.needs_postgres
@pytest.mark.needs_redis
@pytest.mark.usefixtures("patient_counts")
async def test_health_shows_queues_running_jobs_and_servers(log: Log, serve: Serve) -> None:
    port = free_port()
    workers = QUICK.model_copy(update={"metrics_port": port, "bulk_places": 1})
    async with serve(workers=workers) as service:
        running, waiting = [await log.submit("trial.process", key=key, takes_s=60.0) for key in "ab"]
        await log.until(running, JobState.RUNNING)
        status, health = await get(port, "/health")
        assert (status, health["status"], health["worker"]) == (200, "live", service.worker)
        assert (health["database"], health["redis"], health["roles"]) == ("ok", "ok", ["relay", "run", "schedule"])
        assert [job["id"] for job in health["running"]] == [running]
        (bulk,) = [queue for queue in health["queues"] if queue["queue"] == "bulk"]
        assert (bulk["waiting"], bulk["running"]) == (1, 1)
        assert bulk["oldest_waiting_s"] >= 0
        assert health["last_heartbeat_s"] >= 0
        assert health["ready_job_process"] == service.ready.pid
        assert await get(port, "/live") == (200, {"status": "live"})
        status, refused = await get(port, "/elsewhere")
        assert (status, refused["detail"]) == (404, "there is no /elsewhere: ask for /metrics, /live, /health")
        for job_id in (running, waiting):
            await log.cancel(job_id)


async def test_the_dead_are_named_and_end_the_worker() -> None:
    essentials, ending = Essentials(), threading.Event()
    listener = threading.Thread(target=ending.wait, name="wake-ups of bulk")
    listener.start()
    essentials.add_thread(listener)
    essentials.add_task("heartbeat", asyncio.Event().wait())  # type: ignore[arg-type]
    assert essentials.ended() == []
    ending.set()
    with pytest.raises(EssentialEnded, match="the thread 'wake-ups of bulk' has ended"):
        await essentials.watch()
    assert essentials.ended() == ["wake-ups of bulk"]
    await essentials.stop()


async def test_a_task_that_fails_is_named_with_its_reason() -> None:
    async def fail() -> None:
        raise ZeroDivisionError("of zero")

    essentials = Essentials()
    essentials.add_task("sweep", fail())
    with pytest.raises(EssentialEnded, match=r"the task 'sweep' has ended \(ZeroDivisionError: of zero\)"):
        await essentials.watch()


@pytest.mark.needs_postgres
@pytest.mark.needs_redis
async def test_a_worker_ends_when_an_essential_task_does(log: Log, serve: Serve) -> None:
    async def break_it() -> None:
        async with serve(workers=LIGHT) as service:
            assert service.live()[1] == {"status": "live"}
            service.essentials.task("recorder").cancel()
            # Others end soon after it.
            await wait_until(lambda: "recorder" in service.live()[1].get("ended", ()))
            assert service.live()[1]["status"] == "dead"

    with structlog.testing.capture_logs(), pytest.raises(EssentialEnded, match="'recorder'"):
        await break_it()


@pytest.mark.needs_postgres
@pytest.mark.needs_redis
async def test_a_worker_whose_event_loop_is_blocked_ends_and_names_the_light_job(log: Log, settings: Settings) -> None:
    variables = {
        "AURUM_DATABASE__URL": settings.database.url or "",
        "AURUM_REDIS__URL": settings.redis.url or "",
        "AURUM_WORKERS__METRICS_PORT": "0",
        "AURUM_WORKERS__STALLED_S": "1",
    }
    job_id = await log.submit("trial.block")
    command = [sys.executable, trial_jobs.__file__]

    async def named() -> bool:
        run = await asyncio.to_thread(
            subprocess.run, command, env=environment(variables), capture_output=True, text=True, timeout=300, check=False
        )
        assert run.returncode == STALLED_EXIT
        return f"trial.block {job_id}" in run.stderr

    # On a busy machine a worker may be blocked before it has claimed the job, and ends for that.
    await wait_until(named)


def test_a_port_that_is_taken_is_one_line_and_the_worker_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, structlog.testing.capture_logs() as lines:
        port = listener.getsockname()[1]
        with served_health(WorkersSettings(metrics_port=port), Metrics(), live=_unasked, health=_unasked) as served:
            assert served is None
    (line,) = lines
    assert (line["event"], line["where"]) == ("metrics and health not served", f"127.0.0.1:{port}")
    assert line["reason"] == os.strerror(98)


def _unasked() -> Any:
    raise AssertionError
