"""Workers and the schema: none starts on a schema that it cannot use, and none runs a job below the floor of the schema."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from trial_log import Log, Serve

from aurum.common.settings import Settings
from aurum.core.jobs.states import JobState
from aurum.storage.embedded import EmbeddedValkey
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.testing.migrating import later_release
from aurum.storage.testing.patience import PATIENT_VARIABLES
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

EXPAND = 'op.add_column("series", sa.Column("extra", sa.Text()))'
CONTRACT = 'raise_floor("{revision}", release="9.1")'


def worker(database: str, queue: str) -> subprocess.CompletedProcess[str]:
    inherited = os.environ  # noqa: TID251 - the variables that a shell would pass on
    environment = {name: value for name, value in inherited.items() if not name.startswith("AURUM_")}
    environment |= {**PATIENT_VARIABLES, "AURUM_DATABASE__URL": database, "AURUM_REDIS__URL": queue}
    command = [sys.executable, "-m", "aurum.workers"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.needs_redis
async def test_a_worker_does_not_start_on_a_schema_it_does_not_run_on(
    database_url: str, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    await upgrade(database_url, versions=later_release(tmp_path, CONTRACT, kind="contract"))
    cases = [(database_url, "install release 9.1 or newer"), (postgres_server.url_of("postgres"), "run `aurum db migrate`")]
    with EmbeddedValkey(tmp_path / "valkey") as server:
        for url, step in cases:
            done = await asyncio.to_thread(worker, url, server.url)
            (line,) = done.stderr.splitlines()
            assert (done.returncode, done.stdout) == (1, "")
            assert line.startswith("aurum.workers: AURUM_DATABASE__URL: the database is at schema")
            assert line.endswith(step)


@pytest.mark.needs_redis
async def test_jobs_are_done_on_the_schema_of_the_next_release(
    settings: Settings, log: Log, serve: Serve, tmp_path: Path
) -> None:
    await upgrade(settings.database.url or "", versions=later_release(tmp_path, EXPAND))
    async with serve():
        for name in ("trial.light", "trial.process"):
            assert (await log.until(await log.submit(name, key=name))).state is JobState.SUCCEEDED


@pytest.mark.needs_redis
async def test_a_job_below_the_floor_is_left_for_a_newer_worker(
    settings: Settings, log: Log, serve: Serve, tmp_path: Path
) -> None:
    with structlog.testing.capture_logs() as lines:
        async with serve():
            await log.until(await log.submit("trial.light", key="before"))
            await upgrade(settings.database.url or "", versions=later_release(tmp_path, CONTRACT, kind="contract"))
            await wait_until(lambda: any(line["event"] == "jobs wait for a newer worker" for line in lines))
            left = [await log.submit(name, key=name) for name in ("trial.light", "trial.process")]
    for job_id in left:
        job = await log.store.jobs.job(job_id)
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert any("install release 9.1" in line.get("reason", "") for line in lines)
