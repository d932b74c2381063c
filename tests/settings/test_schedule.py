"""Settings of the schedule, of fetches by themselves, and of the inbox."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aurum.assembly.memory import memory_store
from aurum.assembly.pipelines import Pipelines
from aurum.assembly.schedule_jobs import ScheduleJobs
from aurum.common.settings import Settings
from aurum.pipelines.fetch.catch_up import Loaded
from aurum.pipelines.registry import default_registry
from aurum.pipelines.seeds import seeds
from aurum.pipelines.testing.publisher import Reply, SteppingClock, publisher_on_loopback
from aurum.services.jobs.definitions import Nothing
from aurum.services.jobs.running import JobTransaction, Result
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import JobFilter, NewJob
from aurum.storage.ports.watermarks import DayState
from aurum.workers.service import scheduler_pace

shows = pytest.mark.shows


class Attempt:
    job_id, attempt, tenant, subject = "1", 1, None, "test"

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        pass

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None:
        pass


def jobs_in_memory(settings: Settings) -> ScheduleJobs:
    clock = SteppingClock(datetime(2025, 11, 3, 12, tzinfo=UTC))
    store = memory_store(settings, clock, MemoryStore(clock), MemoryChangeFeed())
    return ScheduleJobs(Pipelines(store), lambda _report: None)


@shows(AURUM_SCHEDULE__FETCH='["ecb"]', AURUM_SCHEDULE__ON='["history.archive"]')
def test_schedules_are_switched_on(settings: Settings) -> None:
    on = {spec.name for spec in seeds(default_registry(), settings) if spec.is_on}
    assert {"fetch:ecb:reference_rates", "history.archive"} <= on
    assert "fetch:nyiso:pal" not in on


@shows(AURUM_SCHEDULE__FIRST_DAYS="2")
async def test_the_first_fetch_brings_so_much(settings: Settings) -> None:
    requested: list[date] = []

    async def load(days):
        requested.extend(days)
        yield Loaded(tuple(days), DayState.LOADED)

    await jobs_in_memory(settings).pipelines.since_last("ecb", "reference_rates", load, by="test").run()
    assert len(requested) == 2


@shows(AURUM_SCHEDULE__LOOK_S="7")
def test_the_scheduler_looks_less_often(settings: Settings) -> None:
    assert scheduler_pace(settings).look_s == 7.0


@shows(AURUM_SCHEDULE__JOBS_DAYS="3")
async def test_ended_jobs_are_stored_for_so_long(settings: Settings) -> None:
    jobs = jobs_in_memory(settings)
    store = jobs.pipelines.store
    async with store.transactions.transaction(by=Actor("test")) as tx:
        (job_id,) = await tx.jobs.submit([NewJob("catalog.declare", {}, "maintenance")])
        await tx.jobs.cancel(job_id)
    assert isinstance(store.clock, SteppingClock)
    await store.clock.sleep(2.9 * 86_400)
    assert await jobs.retain(Nothing(), Attempt()) == {"jobs": 0}
    await store.clock.sleep(0.2 * 86_400)
    assert await jobs.retain(Nothing(), Attempt()) == {"jobs": 1}
    assert await store.jobs.page(JobFilter(), limit=1) == []


@shows(AURUM_SCHEDULE__WARM='["http://127.0.0.1:1/v2/series"]', AURUM_SCHEDULE__WARM_KEY="aurum_key")
async def test_addresses_are_warmed_with_a_key(settings: Settings) -> None:
    assert any(spec.name == "cache.warm" for spec in seeds(default_registry(), settings))
    with publisher_on_loopback() as api:
        api.replies = [Reply(b"{}")]
        local = settings.schedule.model_copy(update={"warm": (api.address(settings.schedule.warm[0]),)})
        await jobs_in_memory(settings.model_copy(update={"schedule": local})).warm(Nothing(), Attempt())
        assert [request.headers["x-api-key"] for request in api.received] == ["aurum_key"]


@shows(AURUM_INBOX__FOLDER="/srv/inbox", AURUM_INBOX__EVERY_S="45")
def test_the_inbox_is_looked_at(settings: Settings) -> None:
    (scan,) = [spec for spec in seeds(default_registry(), settings) if spec.name == "inbox.scan"]
    assert scan.every_s == 45


@shows(AURUM_INBOX__LOADED="leave", AURUM_INBOX__NEEDS_MARKER="true")
def test_files_are_left_and_wait_for_markers(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    inbox = settings.inbox.model_copy(update={"folder": folder})
    (folder / "README.md").write_text("waits")
    (folder / "20251102damlbmp_zone.csv").write_bytes(_sample())
    jobs = jobs_in_memory(settings.model_copy(update={"inbox": inbox, "data_dir": tmp_path / "data"}))

    def scan() -> Result:
        return asyncio.run(jobs.scan_inbox(Nothing(), Attempt()))

    assert scan() == scan() == {"files": {"waiting": 2}}
    (folder / "20251102damlbmp_zone.csv.done").touch()
    assert scan() == {"files": {"loaded": 1, "waiting": 1}}
    assert (folder / "20251102damlbmp_zone.csv").is_file()


def _sample() -> bytes:
    from aurum.pipelines.loading.sample import sample_files

    return next(path for path in sample_files() if path.name == "20251102damlbmp_zone.csv").read_bytes()
