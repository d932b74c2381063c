"""Fetches since the last one: which publications are requested, and what the watermark says then."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest

from aurum.core.errors import Unavailable
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Moment, OnDay, PublicationRule
from aurum.pipelines.fetch.backfill import Backfill
from aurum.pipelines.fetch.catch_up import CatchUp, Load, Loaded, SinceLast
from aurum.pipelines.public_files import Granularity, PublicFiles, publications
from aurum.pipelines.source import Dataset, Measure
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.watermarks import DayState, FetchState

ZONE = "America/New_York"
BY = Actor("test")
NOON = OnDay(0, time(12), ZONE)
BY_DAY = PublicFiles(day="https://example.org/{:%d}".format)


class StillClock:
    def __init__(self, text: str) -> None:
        self.at = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class Publisher:
    """Answers requests from a set of addresses, and remembers them."""

    def __init__(self, *published: str, fails: str = "", refused: str = "") -> None:
        self.published, self.fails, self.refused = set(published), fails, refused
        self.error = Unavailable("no answer")
        self.requested: list[str] = []
        self.loaded: set[str] = set()

    def of(self, files: PublicFiles, clock: StillClock) -> Load:
        """Return what fetches days from this publisher."""

        async def load(days: Sequence[date]) -> AsyncGenerator[Loaded]:
            for publication in publications(files, days, today=clock.now().date()):
                is_growing = publication.granularity is not Granularity.DAY
                name = publication.requests[0].url.rpartition("/")[2]
                self.requested.append(name)
                if name == self.fails:
                    yield Loaded((), DayState.FAILED, reason="no answer", error=self.error)
                    return
                if name == self.refused:
                    yield Loaded(publication.days, DayState.REFUSED, reason="no header")
                elif name not in self.published:
                    yield Loaded(publication.days, DayState.MISSING)
                else:
                    yield Loaded(publication.days, DayState.LOADED, is_new=name not in self.loaded, is_growing=is_growing)
                    self.loaded.add(name)

        return load


class Fetches:
    """Fetches of one dataset over a store in memory."""

    def __init__(self, now: str, moment: Moment | None = NOON, files: PublicFiles = BY_DAY) -> None:
        self.clock = StillClock(now)
        self.store = MemoryStore(self.clock)
        self.files = files
        rules = () if moment is None else (PublicationRule(moment, "a test"),)
        measures = (Measure("load", "MW"),)
        self.dataset = Dataset("inva", "load", "Load", ZONE, Frequency.HOUR, measures, rules=rules)

    async def since_last(self, publisher: Publisher, now: str | None = None) -> CatchUp:
        if now is not None:
            self.clock.at = datetime.fromisoformat(now).replace(tzinfo=UTC)
        publisher.requested.clear()
        return await SinceLast(
            self.dataset,
            publisher.of(self.files, self.clock),
            self.store.watermarks,
            self.store.transactions,
            self.clock,
            BY,
            first_days=3,
        ).run()

    async def states(self) -> dict[int, DayState]:
        days = await self.store.watermarks.days("inva", "load", date(2025, 1, 1), date(2026, 1, 1))
        return {one.day.day: one.state for one in days}


async def test_the_first_fetch_brings_the_last_days() -> None:
    fetches, publisher = Fetches("2025-11-10T18:00"), Publisher("08", "09", "10")
    caught_up = await fetches.since_last(publisher)
    assert publisher.requested == ["08", "09", "10"]
    assert (caught_up.watermark.fetched_to, caught_up.watermark.state) == (date(2025, 11, 10), FetchState.OK)
    assert caught_up.watermark.next_due == datetime(2025, 11, 11, 17, tzinfo=UTC)
    assert caught_up.again_at is None
    assert await fetches.store.watermarks.watermark("inva", "load") == caught_up.watermark


async def test_the_next_fetch_goes_on_after_the_last() -> None:
    fetches, publisher = Fetches("2025-11-10T18:00"), Publisher(*(f"{day:02}" for day in range(8, 15)))
    await fetches.since_last(publisher)
    caught_up = await fetches.since_last(publisher, "2025-11-13T18:00")
    assert publisher.requested == ["11", "12", "13"]
    assert caught_up.loaded == (date(2025, 11, 11), date(2025, 11, 12), date(2025, 11, 13))
    assert (await fetches.since_last(publisher)).loaded == ()
    assert publisher.requested == []


async def test_it_stops_at_the_first_day_that_is_not_published_and_looks_again_soon() -> None:
    fetches, publisher = Fetches("2025-11-10T17:00"), Publisher("08", "09")
    caught_up = await fetches.since_last(publisher)
    assert (caught_up.watermark.fetched_to, caught_up.watermark.state) == (date(2025, 11, 9), FetchState.DUE)
    assert caught_up.watermark.next_due == datetime(2025, 11, 10, 17, tzinfo=UTC)
    assert caught_up.again_at == datetime(2025, 11, 10, 17, 5, tzinfo=UTC)
    publisher.published.add("10")
    assert (await fetches.since_last(publisher, "2025-11-10T17:05")).watermark.state is FetchState.OK
    assert publisher.requested == ["10"]


@pytest.mark.parametrize(
    ("now", "again_at"),
    [("17:05", "17:15"), ("17:20", "17:35"), ("18:30", "19:15"), ("22:00", "22:15")],
)
async def test_it_looks_again_less_and_less_often(now: str, again_at: str) -> None:
    fetches, publisher = Fetches(f"2025-11-10T{now}"), Publisher("08", "09")
    caught_up = await fetches.since_last(publisher)
    assert f"{caught_up.again_at:%H:%M}" == again_at


async def test_it_does_not_look_again_before_the_time_that_the_publisher_asks_to_wait() -> None:
    fetches, publisher = Fetches("2025-11-10T17:02"), Publisher("08", fails="09")
    publisher.error = Unavailable("no answer", retry_after=1800)
    assert (await fetches.since_last(publisher)).again_at == datetime(2025, 11, 10, 17, 32, tzinfo=UTC)


async def test_after_a_day_it_waits_for_the_schedule() -> None:
    fetches, publisher = Fetches("2025-11-10T17:00"), Publisher("08")
    assert (await fetches.since_last(publisher, "2025-11-11T16:00")).again_at == datetime(2025, 11, 11, 16, 15, tzinfo=UTC)
    assert (await fetches.since_last(publisher, "2025-11-11T16:30")).again_at is None
    assert (await fetches.since_last(publisher, "2025-11-11T17:00")).again_at == datetime(2025, 11, 11, 17, 5, tzinfo=UTC)


async def test_a_day_that_is_late_is_said_to_be() -> None:
    fetches, publisher = Fetches("2025-11-10T19:00"), Publisher("08", "09")
    caught_up = await fetches.since_last(publisher)
    assert caught_up.watermark.state is FetchState.LATE
    assert caught_up.watermark.reason == "2025-11-10 is not published; it usually is at 2025-11-10T17:00Z"


async def test_a_day_without_a_file_among_days_with_one_is_missing() -> None:
    fetches, publisher = Fetches("2025-11-10T18:00"), Publisher("08", "10")
    caught_up = await fetches.since_last(publisher)
    assert publisher.requested == ["08", "09", "10", "09"]
    assert (caught_up.watermark.fetched_to, caught_up.watermark.state) == (date(2025, 11, 10), FetchState.OK)
    assert await fetches.states() == {8: DayState.LOADED, 9: DayState.MISSING, 10: DayState.LOADED}


async def test_a_publisher_that_pauses_is_asked_for_two_days_only() -> None:
    fetches, publisher = Fetches("2025-11-03T18:00"), Publisher("01", "02", "03")
    await fetches.since_last(publisher)
    caught_up = await fetches.since_last(publisher, "2025-11-20T18:00")
    assert publisher.requested == ["04", "20"]
    assert (caught_up.watermark.fetched_to, caught_up.watermark.state) == (date(2025, 11, 3), FetchState.LATE)
    publisher.published.add("20")
    assert (await fetches.since_last(publisher)).watermark.fetched_to == date(2025, 11, 20)


async def test_a_refused_file_is_recorded_and_the_next_days_follow() -> None:
    fetches, publisher = Fetches("2025-11-10T18:00"), Publisher("08", "10", refused="09")
    caught_up = await fetches.since_last(publisher)
    assert caught_up.watermark.fetched_to == date(2025, 11, 10)
    assert (await fetches.states())[9] is DayState.REFUSED


async def test_a_failure_ends_the_run_and_says_why() -> None:
    fetches, publisher = Fetches("2025-11-10T17:02"), Publisher("08", "10", fails="09")
    caught_up = await fetches.since_last(publisher)
    assert publisher.requested == ["08", "09"]
    watermark = caught_up.watermark
    assert (watermark.fetched_to, watermark.state, watermark.reason) == (date(2025, 11, 8), FetchState.FAILING, "no answer")
    assert watermark.last_success == fetches.clock.now()
    publisher.fails = ""
    publisher.published.add("09")
    assert (await fetches.since_last(publisher)).watermark.state is FetchState.OK
    assert publisher.requested == ["09", "10"]


async def test_the_file_of_a_day_that_is_written_until_now_is_fetched_and_does_not_move_the_watermark() -> None:
    fetches = Fetches("2025-11-10T18:00", AfterInterval(timedelta(minutes=5)))
    publisher = Publisher("07", "08", "09", "10")
    caught_up = await fetches.since_last(publisher)
    assert publisher.requested == ["07", "08", "09", "10"]
    assert (caught_up.watermark.fetched_to, caught_up.watermark.state) == (date(2025, 11, 9), FetchState.OK)
    await fetches.since_last(publisher, "2025-11-11T05:05")
    assert publisher.requested == ["10"]


async def test_a_history_that_has_not_changed_has_nothing_new() -> None:
    fetches = Fetches("2025-11-10T17:00", files=PublicFiles(history="https://example.org/all"))
    publisher = Publisher("all")
    assert (await fetches.since_last(publisher)).watermark.fetched_to == date(2025, 11, 10)
    caught_up = await fetches.since_last(publisher, "2025-11-11T17:00")
    assert (caught_up.watermark.fetched_to, caught_up.watermark.state) == (date(2025, 11, 10), FetchState.DUE)
    publisher.loaded.clear()
    assert (await fetches.since_last(publisher, "2025-11-11T17:05")).watermark.fetched_to == date(2025, 11, 11)
    assert publisher.requested == ["all"]


async def test_a_month_that_is_over_comes_as_an_archive() -> None:
    files = PublicFiles(day="https://example.org/{:%d}".format, month="https://example.org/{:%Y-%m}".format)
    fetches, publisher = Fetches("2025-09-30T18:00", files=files), Publisher("28", "29", "30", "2025-10")
    await fetches.since_last(publisher)
    caught_up = await fetches.since_last(publisher, "2025-11-01T12:00")
    assert publisher.requested == ["2025-10"]
    assert caught_up.watermark.fetched_to == date(2025, 10, 31)


async def test_days_of_a_backfill_are_not_requested_again() -> None:
    fetches, publisher = Fetches("2025-11-08T18:00"), Publisher(*(f"{day:02}" for day in range(6, 11)))
    await fetches.since_last(publisher)
    await fetches.since_last(publisher, "2025-11-09T18:00")
    assert publisher.requested == ["09"]


async def test_a_backfill_up_to_a_day_that_is_still_written_leaves_it_to_the_next_fetch() -> None:
    fetches = Fetches("2025-11-10T18:00", AfterInterval(timedelta(minutes=5)))
    publisher = Publisher("08", "09", "10")
    load, store = publisher.of(BY_DAY, fetches.clock), fetches.store
    backfill = Backfill(fetches.dataset, load, store.transactions, fetches.clock, BY)
    report = await backfill.run([date(2025, 11, day) for day in (8, 9, 10)])
    assert report.days == {DayState.LOADED: 3}
    assert await fetches.states() == {8: DayState.LOADED, 9: DayState.LOADED}
    caught_up = await fetches.since_last(publisher, "2025-11-11T05:05")
    assert publisher.requested == ["10"]
    assert caught_up.watermark.fetched_to == date(2025, 11, 10)


async def test_without_a_rule_days_are_fetched_when_they_are_over() -> None:
    fetches, publisher = Fetches("2025-11-10T04:00", moment=None), Publisher("06", "07", "08", "09")
    caught_up = await fetches.since_last(publisher)
    assert caught_up.watermark.fetched_to == date(2025, 11, 8)
    assert caught_up.watermark.next_due is None
