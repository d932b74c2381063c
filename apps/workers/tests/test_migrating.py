"""Workers and the schema: none starts on a schema that it cannot use, and none runs a job below the floor of the schema."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aurum.common.settings import DatabaseSettings, RedisSettings, Settings
from aurum.core.errors import Unavailable
from aurum.pipelines.loading.sample import sample_files
from aurum.storage.embedded import EmbeddedValkey
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.testing.migrating import later_release
from aurum.workers.fates import JobFate, fate_of
from aurum.workers.jobs.ingest import IngestJob
from aurum.workers.wiring import worker_context

pytestmark = pytest.mark.needs_postgres

SAMPLE = next(path for path in sample_files() if path.name == "20251102damlbmp_zone.csv")
EXPAND = 'op.add_column("series", sa.Column("extra", sa.Text()))'
CONTRACT = 'raise_floor("{revision}", release="9.1")'


def worker(database: str, queue: str) -> subprocess.CompletedProcess[str]:
    inherited = os.environ  # noqa: TID251 - the variables that a shell would pass on
    environment = {name: value for name, value in inherited.items() if not name.startswith("AURUM_")}
    environment |= {"AURUM_DATABASE__URL": database, "AURUM_REDIS__URL": queue}
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


async def test_jobs_are_done_on_the_schema_of_the_next_release(database_url: str, tmp_path: Path) -> None:
    await upgrade(database_url, versions=later_release(tmp_path, EXPAND))
    with worker_context(settings_of(database_url, tmp_path)) as context:
        context.loop.run(context.check_schema())
        (report,) = context.loop.run(IngestJob(context.pipelines).run({"path": str(SAMPLE)}))
    assert report.new == 300


async def test_a_job_below_the_floor_is_left_for_a_newer_worker(database_url: str, tmp_path: Path) -> None:
    with worker_context(settings_of(database_url, tmp_path)) as context:
        await upgrade(database_url, versions=later_release(tmp_path, CONTRACT, kind="contract"))
        with pytest.raises(Unavailable, match=r"install release 9\.1") as caught:
            context.loop.run(context.check_schema())
    assert fate_of(caught.value) is JobFate.RETRY


def settings_of(url: str, folder: Path) -> Settings:
    return Settings(data_dir=folder, database=DatabaseSettings(url=url), redis=RedisSettings(url="redis://127.0.0.1:1/0"))
