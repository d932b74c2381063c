"""The jobs of the schedule over PostgreSQL, with a publisher on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aurum.assembly.pipelines import Pipelines
from aurum.assembly.postgres import open_store
from aurum.assembly.schedule_jobs import ScheduleJobs
from aurum.assembly.store import Store
from aurum.common.settings import DatabaseSettings, InboxSettings, ScheduleSettings, Settings
from aurum.core.asof import ALL_TIME
from aurum.pipelines.fetch.client import DownloadLimits
from aurum.pipelines.fetch.downloads import Downloads
from aurum.pipelines.fetch.errors import FetchFailed
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.inbox import NoInbox
from aurum.pipelines.testing.publisher import Publisher, Received, Reply, SteppingClock, publisher_on_loopback
from aurum.pipelines.warming import WarmingFailed
from aurum.services.jobs.definitions import BackfillPart, BackfillRange, FetchDue, Nothing
from aurum.services.jobs.running import JobTransaction, Result
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.jobs import Job, JobFilter, NewJob
from aurum.storage.ports.watermarks import DayState, FetchState

pytestmark = pytest.mark.needs_postgres

ZONE_PRICES = ("nyiso", "damlbmp_zone")
NOW = datetime(2025, 12, 5, 16, 30, tzinfo=UTC)  # half an hour after NYISO's day-ahead prices of 6 December
IMPATIENT = DownloadLimits(tries=1, first_wait_s=0.001, longest_wait_s=0.01)
_HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)"


def prices(day: date) -> bytes:
    rows = [f"{day:%m/%d/%Y} {hour:02}:00,CAPITL,61757,{30 + hour}.50,1.00,0.00" for hour in range(24)]
    return "\n".join([_HEADER, *rows, ""]).encode()


class Nyiso:
    """Answers for the days that are published; ``fails``: with 500."""

    def __init__(self, *published: date) -> None:
        self.published = set(published)
        self.fails = False

    def __call__(self, request: Received) -> Reply:
        if self.fails:
            return Reply(status=500)
        name = request.path.rpartition("/")[2]
        day = datetime.strptime(name[:8], "%Y%m%d").date()
        return Reply(prices(day)) if day in self.published and name.endswith("zone.csv") else Reply(status=404)


@dataclass(frozen=True)
class LocalPipelines(Pipelines):
    """Pipelines whose publisher is on loopback."""

    publisher: Publisher = field(kw_only=True)

    def downloads(self, folder: Path | None = None) -> Downloads:
        settings, clock = self.store.settings, SteppingClock(NOW)
        turns = Turns(settings.data_dir / "turns", clock, [], seconds={"mis.nyiso.com": 0.0}, sleep=clock.sleep)
        return Downloads(
            self.registry,
            settings.fetch,
            folder or settings.data_dir / "fetched",
            self.store.clock,
            turns,
            address=self.publisher.address,
            limits=IMPATIENT,
        )


class Attempt:
    """An attempt as the worker runs it. Successes that a function records itself are in ``recorded``."""

    def __init__(self, number: int = 1) -> None:
        self.job_id, self.attempt, self.tenant, self.subject = "01234567-89ab-7def-8123-456789abcdef", number, None, "test"
        self.recorded: list[Result] = []
        self.done = 0

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        del total, note
        self.done = done

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None:
        del tx
        self.recorded.append(result)


@dataclass
class Opened:
    store: Store
    jobs: ScheduleJobs
    publisher: Publisher
    clock: SteppingClock
    attempt: Attempt

    async def submitted(self, name: str) -> list[Job]:
        return sorted(await self.store.jobs.page(JobFilter(name=name), limit=100), key=lambda job: job.key or "")

    async def states(self) -> dict[int, DayState]:
        days = await self.store.watermarks.days(*ZONE_PRICES, date(2025, 1, 1), date(2026, 1, 1))
        return {one.day.day: one.state for one in days}


Opening = Callable[..., AbstractAsyncContextManager[Opened]]


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publisher_on_loopback() as running:
        yield running


@pytest.fixture
def opening(database_url: str, tmp_path: Path, publisher: Publisher) -> Opening:
    @asynccontextmanager
    async def opened(**changed: object) -> AsyncIterator[Opened]:
        settings = Settings(data_dir=tmp_path / "data", database=DatabaseSettings(url=database_url))
        clock = SteppingClock(NOW)
        async with open_store(settings.model_copy(update=changed), clock=clock) as store:
            jobs = ScheduleJobs(LocalPipelines(store, publisher=publisher), lambda _report: None)
            yield Opened(store, jobs, publisher, clock, Attempt())

    return opened


def december(*days: int) -> list[date]:
    return [date(2025, 12, day) for day in days]


async def test_what_is_due_is_fetched_and_the_rest_is_looked_for_again(opening: Opening) -> None:
    async with opening(schedule=ScheduleSettings(first_days=3)) as one:
        nyiso = one.publisher.script = Nyiso(*december(4, 5))
        job = FetchDue(source="nyiso", dataset="damlbmp_zone")
        result = await one.jobs.fetch_due(job, one.attempt)
        assert one.attempt.recorded == [result]
        assert result is not None
        assert (result["fetched_to"], result["state"], result["days"]) == ("2025-12-05", "due", ["2025-12-04", "2025-12-05"])
        (again,) = await one.submitted("fetch.due")
        assert (again.payload, again.run_after) == (job.model_dump(), datetime(2025, 12, 5, 16, 35, tzinfo=UTC))
        # The same look is submitted once, however often it is found to be needed.
        await one.jobs.fetch_due(job, one.attempt)
        assert len(await one.submitted("fetch.due")) == 1

        nyiso.published.update(december(6))
        one.publisher.received.clear()
        await one.jobs.fetch_due(job, one.attempt)
        assert [path[-24:] for path in one.publisher.paths] == ["20251206damlbmp_zone.csv"]
        watermark = await one.store.watermarks.watermark(*ZONE_PRICES)
        assert watermark is not None
        assert (watermark.fetched_to, watermark.state) == (date(2025, 12, 6), FetchState.OK)
        assert watermark.next_due == datetime(2025, 12, 6, 16, tzinfo=UTC)
        assert len(await one.store.catalog.reader.series_page(SeriesFilter(source="nyiso"), after=None, limit=9)) == 4


async def test_a_publisher_that_fails_does_not_fail_the_job(opening: Opening) -> None:
    async with opening() as one:
        nyiso = one.publisher.script = Nyiso()
        nyiso.fails = True
        result = await one.jobs.fetch_due(FetchDue(source="nyiso", dataset="damlbmp_zone"), one.attempt)
        assert result is not None
        assert result["state"] == "failing"
        assert "status 500" in str(result["reason"])
        assert len(await one.submitted("fetch.due")) == 1


async def test_a_backfill_is_submitted_in_parts_of_which_some_run_at_a_time(opening: Opening) -> None:
    async with opening() as one:
        job = BackfillRange(
            source="nyiso", dataset="damlbmp_zone", first=date(2025, 9, 15), last=date(2025, 12, 31), parallel=2
        )
        result = await one.jobs.backfill_range(job, one.attempt)
        assert result == {"parts": 4, "days": 83, "done_before": 0, "not_published_yet": 25}
        parts = await one.submitted("backfill.part")
        assert [(part.payload["days"][0], part.payload["days"][-1]) for part in parts] == [  # type: ignore[index]
            ("2025-09-15", "2025-09-30"),
            ("2025-10-01", "2025-10-31"),
            ("2025-11-01", "2025-11-30"),
            ("2025-12-01", "2025-12-06"),
        ]
        assert len({part.exclusive for part in parts}) == 2
        assert {part.parent for part in parts} == {one.attempt.job_id}
        # A second attempt, after the first was lost, submits nothing twice.
        await one.jobs.backfill_range(job, one.attempt)
        assert len(await one.submitted("backfill.part")) == 4


async def test_a_part_goes_on_where_it_stopped(opening: Opening) -> None:
    async with opening() as one:
        nyiso = one.publisher.script = Nyiso(*december(1, 2, 4))
        job = BackfillPart(source="nyiso", dataset="damlbmp_zone", days=tuple(december(1, 2)), known_at="schedule")
        await one.jobs.backfill_part(job, one.attempt)
        assert await one.states() == {1: DayState.LOADED, 2: DayState.LOADED}

        nyiso.fails = True
        more = job.model_copy(update={"days": tuple(december(1, 2, 3, 4))})
        with pytest.raises(FetchFailed, match="status 500"):
            await one.jobs.backfill_part(more, one.attempt)
        assert (await one.states())[3] is DayState.FAILED

        nyiso.fails = False
        one.publisher.received.clear()
        result = await one.jobs.backfill_part(more, Attempt(number=2))
        assert [path[-24:-16] for path in one.publisher.paths] == ["20251203", "20251204"]
        assert await one.states() == {
            1: DayState.LOADED,
            2: DayState.LOADED,
            3: DayState.MISSING,
            4: DayState.LOADED,
        }
        assert result is not None
        assert result["days"] == {"missing": 1, "loaded": 1}


async def test_a_forced_part_fetches_again_what_was_fetched_before_it_and_nothing_twice(opening: Opening) -> None:
    async with opening() as one:
        nyiso = one.publisher.script = Nyiso(*december(1, 2))
        days = {"source": "nyiso", "dataset": "damlbmp_zone", "first": date(2025, 12, 1), "last": date(2025, 12, 2)}
        plain = BackfillPart(source="nyiso", dataset="damlbmp_zone", days=tuple(december(1, 2)))
        await one.jobs.backfill_part(plain, one.attempt)
        await one.clock.sleep(60)
        await one.jobs.backfill_range(BackfillRange.model_validate({**days, "force": True}), one.attempt)
        (submitted,) = await one.submitted("backfill.part")
        forced = BackfillPart.model_validate(submitted.payload)
        await one.clock.sleep(60)

        nyiso.fails = True
        with pytest.raises(FetchFailed):
            await one.jobs.backfill_part(forced, Attempt())
        nyiso.fails = False
        one.publisher.received.clear()
        await one.jobs.backfill_part(forced, Attempt(number=2))
        assert [path[-24:-16] for path in one.publisher.paths] == ["20251201", "20251202"]
        await one.jobs.backfill_part(forced, Attempt(number=3))
        assert len(one.publisher.paths) == 2


async def test_history_is_known_when_its_publisher_usually_publishes_it(opening: Opening) -> None:
    async with opening() as one:
        one.publisher.script = Nyiso(*december(1))
        job = BackfillPart(source="nyiso", dataset="damlbmp_zone", days=tuple(december(1)), known_at="schedule")
        await one.jobs.backfill_part(job, one.attempt)
        series = await one.store.catalog.reader.series_page(SeriesFilter(source="nyiso"), after=None, limit=1)
        versions = await one.store.observations.reader.versions([series[0].series_id], span=ALL_TIME)
        assert versions["known_at"].unique().to_list() == [datetime(2025, 11, 30, 16, tzinfo=UTC)]


async def test_the_inbox_loads_a_file_after_two_looks(opening: Opening, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "20251201damlbmp_zone.csv").write_bytes(prices(date(2025, 12, 1)))
    (folder / "nonsense.csv").write_text("a,b\n1,2\n")
    async with opening(inbox=InboxSettings(folder=folder)) as one:
        assert await one.jobs.scan_inbox(Nothing(), one.attempt) == {"files": {"waiting": 2}}
        assert await one.jobs.scan_inbox(Nothing(), one.attempt) == {"files": {"loaded": 1, "refused": 1}}
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "loaded/20251201damlbmp_zone.csv",
        "refused/nonsense.csv",
        "refused/nonsense.csv.reason.txt",
    ]


async def test_without_a_folder_there_is_no_inbox(opening: Opening) -> None:
    async with opening() as one:
        with pytest.raises(NoInbox, match="AURUM_INBOX__FOLDER is not set"):
            await one.jobs.scan_inbox(Nothing(), one.attempt)


async def test_jobs_that_ended_long_ago_are_deleted(opening: Opening) -> None:
    async with opening(schedule=ScheduleSettings(jobs_days=1)) as one:
        async with one.store.transactions.transaction(by=Actor("test")) as tx:
            ended, waiting = await tx.jobs.submit([NewJob("catalog.declare", {}, "maintenance", key=key) for key in "ab"])
            await tx.jobs.cancel(ended)
        # The log has the times of its server, which are ahead of this clock.
        ahead = (await one.store.jobs.job(ended)).submitted_at + timedelta(days=2) - one.clock.now()
        await one.clock.sleep(ahead.total_seconds())
        assert await one.jobs.retain(Nothing(), one.attempt) == {"jobs": 1}
        assert [job.job_id for job in await one.submitted("catalog.declare")] == [waiting]


async def test_the_catalog_and_the_schedule_are_declared(opening: Opening) -> None:
    async with opening() as one:
        result = await one.jobs.declare(Nothing(), one.attempt)
        assert result is not None
        names = [stored.spec.name for stored in await one.store.schedule.schedules()]
        assert result == {"schedules": len(names)}
        assert "fetch:nyiso:damlbmp_zone" in names
        assert await one.jobs.refresh(Nothing(), one.attempt) == {"series": 0}


async def test_addresses_are_requested_to_warm_the_cache(opening: Opening, publisher: Publisher) -> None:
    good, bad = publisher.address("https://aurum.example/good"), publisher.address("https://aurum.example/bad")
    publisher.script = lambda request: Reply(status=200 if request.path.endswith("good") else 500)
    async with opening(schedule=ScheduleSettings(warm=(good,))) as one:
        assert await one.jobs.warm(Nothing(), one.attempt) == {"requested": 1}
    async with opening(schedule=ScheduleSettings(warm=(bad, good))) as one:
        with pytest.raises(WarmingFailed, match=r"1 of 2 addresses failed: .*bad: status 500"):
            await one.jobs.warm(Nothing(), one.attempt)
    assert len(publisher.received) == 3
