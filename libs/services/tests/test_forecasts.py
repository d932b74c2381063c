"""Reads of forecasts: by lead and by issue, over the memory adapter and over PostgreSQL, hot and archived."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.core.errors import InvalidParameters
from aurum.core.frequency import Frequency
from aurum.core.markettime import day_bounds, day_start, local_instant
from aurum.core.series.model import Series
from aurum.services.observations import Question, Reading, all_series_of, read_many, read_one, series_of, stream_many
from aurum.services.observations.forecasts import UnknownIssue
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.builders import T0, Point, file_load, together
from aurum.storage.testing.stores import PostgresStore, Store

NEW_YORK = "America/New_York"
NYC, WEST = "nyiso:isolf:n_y_c:forecast_load", "nyiso:isolf:west:forecast_load"
ACTUAL = "nyiso:pal:61761:load"
STORES = ["memory", *(pytest.param(name, marks=pytest.mark.needs_postgres) for name in ("postgres", "tiered"))]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def tiered_store(postgres_store: PostgresStore, tmp_path: Path) -> AsyncIterator[TieredStore]:
    """PostgreSQL that archives everything to Parquet after every load."""
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock())
    yield TieredStore(postgres_store.pool, SystemClock(), history)
    await history.close()


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore(SystemClock())


@pytest.fixture(params=STORES)
def empty_store(request: pytest.FixtureRequest) -> Store:
    return request.getfixturevalue(f"{request.param}_store")


@pytest_asyncio.fixture(loop_scope="session")
async def store(empty_store: Store) -> Store:
    """A store that knows a forecast and a dataset that is none."""
    await empty_store.catalog_writer.declare(
        sources=[SourceEntry("nyiso", "New York ISO", "")],
        datasets=[
            DatasetEntry("nyiso", "isolf", "Load forecast", NEW_YORK, "1h", (), market="NYISO", is_forecast=True),
            DatasetEntry("nyiso", "pal", "Load", NEW_YORK, "1h", (), market="NYISO"),
        ],
        blocks=[],
    )
    return empty_store


@pytest.fixture
def reading(store: Store) -> Reading:
    return Reading(store.catalog, store.reader)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours_after(instant: datetime) -> float:
    return (instant - T0) / HOUR


def issue(known_at: datetime, values: dict[datetime, float], *, key: str = NYC) -> FileLoad:
    """Return a file that is one issue: values of hours, known at one time."""
    points: list[Point] = [(hours_after(ts), None, value) for ts, value in values.items()]
    return file_load(
        points,
        key=key,
        zone=NEW_YORK,
        known_at=known_at,
        digest=f"{key} {known_at} {len(values)}",
        name=f"{known_at:%Y%m%d%H}isolf.csv",
        market="NYISO",
        is_forecast=True,
    )


def six_days(day: date, version: float) -> dict[datetime, float]:
    """Return a value of each hour of six local days from ``day`` on, which names the hour and the issue."""
    start, end = day_start(day, NEW_YORK), day_start(day + 6 * DAY, NEW_YORK)
    return {start + n * HOUR: version + n / 1000 for n in range((end - start) // HOUR)}


def known_on(day: date, at: time = time(8)) -> datetime:
    return local_instant(day, at, NEW_YORK)


async def load(store: Store, *files: FileLoad) -> None:
    for file in files:
        await store.loader.load(file)


async def values(reading: Reading, series: Series, **requested: object) -> dict[datetime, float]:
    frame = (await read_one(reading, series, Question(**requested))).frame  # type: ignore[arg-type] - fields by name
    return dict(frame.select("ts", "value").iter_rows())


async def daily_issues(store: Store, first: date, days: int) -> Series:
    """Load an issue a day for six days from that day on, known at eight in the morning; every third repeats some hours."""
    for number in range(days):
        day = first + number * DAY
        stated = six_days(day, float(number))
        if number % 3 == 2:
            stated = {ts: (n // 24 if n < 48 else value) for n, (ts, value) in enumerate(stated.items())}
        await load(store, issue(known_on(day), stated))
    return await series_of(store.catalog, NYC)


LEADS = [(1, None), (1, "10:00"), (1, "07:59"), (1, "08:00"), (2, "10:00"), (3, None), (1, "02:30"), (1, "01:30")]


@pytest.mark.parametrize("first", [date(2026, 3, 4), date(2025, 10, 29)])
async def test_a_lead_equals_reads_as_of_cut_to_their_day(store: Store, reading: Reading, first: date) -> None:
    series = await daily_issues(store, first, 9)
    days = [first + number * DAY for number in range(-1, 12)]
    for days_ahead, before in LEADS:
        requested = Question(
            start=days[0].isoformat(), end=days[-1].isoformat(), tz="market", days_ahead=days_ahead, before=before
        )
        lead = (await read_one(reading, series, requested)).frame
        parts: list[pl.DataFrame] = []
        for day in days[:-1]:
            if before is None:
                at = day_start(day - (days_ahead - 1) * DAY, NEW_YORK) - timedelta(microseconds=1)
            else:
                at = local_instant(day - days_ahead * DAY, time.fromisoformat(before), NEW_YORK)
            start, end = day_bounds(day, NEW_YORK)
            parts.append((await read_one(reading, series, Question(start=start, end=end, as_of=at, tz="market"))).frame)
        assert_frame_equal(lead, pl.concat(parts))
        assert not lead.is_empty()


async def test_hours_ahead_equals_a_read_as_of_for_each_hour(store: Store, reading: Reading) -> None:
    first = date(2025, 10, 31)
    series = await daily_issues(store, first, 4)
    start = day_start(first, NEW_YORK)
    for hours in (0.5, 6, 16, 40):
        requested = Question(start=start, end=start + 60 * HOUR, hours_ahead=hours)
        lead = (await read_one(reading, series, requested)).frame
        parts = [
            (await read_one(reading, series, Question(start=ts, end=ts + HOUR, as_of=ts - hours * HOUR))).frame
            for ts in (start + n * HOUR for n in range(60))
        ]
        assert_frame_equal(lead, pl.concat(parts))


async def test_a_lead_with_as_of_reads_only_what_was_known_then(store: Store, reading: Reading) -> None:
    first = date(2026, 3, 6)
    series = await daily_issues(store, first, 3)
    as_of = known_on(first + DAY) - HOUR
    day = day_start(first + 2 * DAY, NEW_YORK)
    requested = {"start": day, "end": day + HOUR}
    assert await values(reading, series, **requested, days_ahead=1) == {day: 1.024}
    assert await values(reading, series, **requested, days_ahead=1, as_of=as_of) == {day: 0.048}


async def test_days_of_a_lead_are_those_of_the_series_or_of_the_chosen_zone(store: Store, reading: Reading) -> None:
    ts = utc("2025-11-02T02:00")  # ten in the evening of the day before in New York
    await load(store, issue(utc("2025-11-01T03:00"), {ts: 1.0}), issue(utc("2025-11-01T23:00"), {ts: 2.0}))
    series = await series_of(store.catalog, NYC)
    assert await values(reading, series, days_ahead=1) == {ts: 1.0}
    assert await values(reading, series, days_ahead=1, tz="UTC") == {ts: 2.0}


async def test_leads_are_resampled_and_converted_like_other_rows(store: Store, reading: Reading) -> None:
    first = date(2025, 11, 1)
    series = await daily_issues(store, first, 3)
    requested = {"start": "2025-11-02", "end": "2025-11-03", "tz": "market", "days_ahead": 1}
    hours = await values(reading, series, **requested)
    assert len(hours) == 25
    daily = (await read_one(reading, series, Question(**requested, freq=Frequency.DAY, unit="GW"))).frame  # type: ignore[arg-type]
    assert daily["value"].item() == pytest.approx(sum(hours.values()) / 25 / 1000)
    assert daily["count"].item() == 25


async def test_several_series_have_their_leads_in_one_stream(store: Store, reading: Reading) -> None:
    day = date(2026, 3, 7)
    for number in range(3):
        stated = {key: six_days(day + number * DAY, base + number) for key, base in ((NYC, 10.0), (WEST, 20.0))}
        known = known_on(day + number * DAY)
        await load(store, together(*(issue(known, each, key=key) for key, each in stated.items())))
    series = await all_series_of(store.catalog, [WEST, NYC], most=5)
    question = Question(days_ahead=1, before="10:00", tz="market")
    whole = (await read_many(reading, series, question)).frame
    streamed = await stream_many(reading, series, question)
    assert_frame_equal(pl.concat([batch async for batch in streamed.batches]), whole)
    for one in series:
        alone = (await read_one(reading, one, question)).frame
        assert_frame_equal(whole.filter(series_id=one.series_id).select(alone.columns), alone)
    assert whole["series_id"].n_unique() == 2


async def test_an_issue_has_the_points_it_states_also_those_it_repeats(store: Store, reading: Reading) -> None:
    a, b, c = (utc(f"2026-03-10T0{hour}:00") for hour in (4, 5, 6))
    times = [utc(f"2026-03-0{day}T12:00") for day in (6, 7, 8)]
    await load(store, issue(times[0], {a: 1.0, b: 2.0}), issue(times[2], {b: 2.0, c: 5.0}), issue(times[1], {a: 1.0, b: 3.0}))
    series = await series_of(store.catalog, NYC)
    assert await values(reading, series, issue=times[0]) == {a: 1.0, b: 2.0}
    assert await values(reading, series, issue=times[1]) == {a: 1.0, b: 3.0}
    assert await values(reading, series, issue=times[2].isoformat()) == {b: 2.0, c: 5.0}
    assert await values(reading, series, issue="latest") == {b: 2.0, c: 5.0}
    assert await values(reading, series, issue="first") == {a: 1.0, b: 2.0}
    assert await values(reading, series, issue="latest", start=c) == {c: 5.0}
    assert await values(reading, series, issue="latest", end=b) == {}
    assert await values(reading, series, issue="latest", as_of=times[2] - HOUR) == {a: 1.0, b: 3.0}
    assert await values(reading, series, issue="latest", as_of=times[0] - HOUR) == {}


async def test_an_issue_that_only_repeats_is_an_issue(store: Store, reading: Reading) -> None:
    ts = utc("2026-03-10T04:00")
    times = [utc("2026-03-06T12:00"), utc("2026-03-07T12:00")]
    await load(store, issue(times[0], {ts: 1.0, ts + HOUR: 2.0}), issue(times[1], {ts + HOUR: 2.0}))
    series = await series_of(store.catalog, NYC)
    assert await values(reading, series, issue="latest") == {ts + HOUR: 2.0}


async def test_an_issue_is_chosen_for_each_series(store: Store, reading: Reading) -> None:
    ts = utc("2026-03-10T04:00")
    early, late = utc("2026-03-06T12:00"), utc("2026-03-07T12:00")
    await load(store, issue(early, {ts: 1.0}), issue(early, {ts: 3.0}, key=WEST), issue(late, {ts: 2.0}))
    series = await all_series_of(store.catalog, [NYC, WEST], most=5)
    frame = (await read_many(reading, series, Question(issue="latest"))).frame
    assert dict(frame.select("series_id", "value").iter_rows()) == {series[0].series_id: 2.0, series[1].series_id: 3.0}


async def test_a_time_that_is_no_issue_is_refused_with_the_nearest(store: Store, reading: Reading) -> None:
    ts = utc("2026-03-10T04:00")
    times = [utc(f"2026-03-0{day}T12:00") for day in range(1, 8)]
    await load(store, *(issue(known, {ts: float(number)}) for number, known in enumerate(times)))
    series = await series_of(store.catalog, NYC)
    with pytest.raises(UnknownIssue) as refused:
        await values(reading, series, issue=times[3] + HOUR)
    assert refused.value.facts["nearest"] == [times[n].isoformat() for n in (3, 4, 2, 5, 1)]
    with pytest.raises(UnknownIssue, match="known at"):
        await values(reading, series, issue=times[3], as_of=times[2])
    with pytest.raises(UnknownIssue, match="no issue"):
        await values(reading, series, issue=times[3], as_of=times[0] - HOUR)


async def test_issues_are_listed_newest_first_in_pages(store: Store, reading: Reading) -> None:
    ts = utc("2026-03-10T04:00")
    times = [utc(f"2026-03-0{day}T12:00") for day in (1, 3, 2)]
    await load(store, *(issue(known, {ts: 1.0, ts + HOUR: 2.0}) for known in times))
    await load(store, issue(times[1], {ts + 2 * HOUR: 2.0}))
    series_id = (await series_of(store.catalog, NYC)).series_id
    page = await store.catalog.issues_page(series_id, before=None, limit=10)
    assert [entry.known_at for entry in page] == [times[1], times[1], times[2], times[0]]
    assert (page[3].first_ts, page[3].last_ts, page[3].series, page[3].file_name) == (ts, ts + HOUR, 1, "2026030112isolf.csv")
    rest = await store.catalog.issues_page(series_id, before=(page[0].known_at, page[0].file_id), limit=2)
    assert rest == page[1:3]
    then = await store.catalog.issues_page(series_id, as_of=times[2], before=None, limit=10)
    assert then == page[2:]
    assert await store.catalog.issues_page(987_654, before=None, limit=10) == []
    both = (await store.catalog.series_issues([series_id], "latest"))[series_id]
    assert (both.file_ids, both.last_ts) == (tuple(sorted((page[0].file_id, page[1].file_id))), ts + 2 * HOUR)


@pytest.mark.parametrize("empty_store", ["memory"], indirect=True)
@pytest.mark.parametrize(
    ("requested", "name"),
    [
        ({"days_ahead": 1, "hours_ahead": 6}, "hours_ahead"),
        ({"issue": "latest", "days_ahead": 1}, "days_ahead"),
        ({"before": "10:00"}, "before"),
        ({"before": "10:00", "hours_ahead": 6}, "before"),
        ({"before": "24:00", "days_ahead": 1}, "before"),
        ({"before": "10", "days_ahead": 1}, "before"),
        ({"days_ahead": 0}, "days_ahead"),
        ({"days_ahead": 10_000}, "days_ahead"),
        ({"hours_ahead": 0}, "hours_ahead"),
        ({"hours_ahead": float("nan")}, "hours_ahead"),
        ({"issue": "newest"}, "issue"),
    ],
)
async def test_a_lead_that_cannot_be_read_names_the_parameter(
    store: Store, reading: Reading, requested: dict[str, object], name: str
) -> None:
    await load(store, issue(utc("2026-03-06T12:00"), {utc("2026-03-10T04:00"): 1.0}))
    with pytest.raises(InvalidParameters) as refused:
        await values(reading, await series_of(store.catalog, NYC), **requested)
    assert [error["field"] for error in refused.value.facts["errors"]] == [name]  # type: ignore[attr-defined]


@pytest.mark.parametrize("empty_store", ["memory"], indirect=True)
@pytest.mark.parametrize("requested", [{"days_ahead": 1}, {"hours_ahead": 1.5}, {"issue": "latest"}])
async def test_leads_and_issues_are_refused_for_what_is_no_forecast(
    store: Store, reading: Reading, requested: dict[str, object]
) -> None:
    await load(store, issue(utc("2026-03-06T12:00"), {utc("2026-03-05T04:00"): 1.0}, key=ACTUAL))
    with pytest.raises(InvalidParameters, match="is not a forecast") as refused:
        await values(reading, await series_of(store.catalog, ACTUAL), **requested)
    assert refused.value.facts["errors"][0]["field"] == next(iter(requested))  # type: ignore[index]


@pytest.mark.needs_postgres
async def test_a_year_read_ahead_equals_365_reads_as_of(postgres_store: PostgresStore) -> None:
    await postgres_store.catalog_writer.declare(
        sources=[SourceEntry("nyiso", "New York ISO", "")],
        datasets=[DatasetEntry("nyiso", "isolf", "Load forecast", NEW_YORK, "1h", (), market="NYISO", is_forecast=True)],
        blocks=[],
    )
    first = date(2025, 1, 1)
    # Six issues of each interval. One file with the known times of all keeps the loads of a year to one.
    points: list[Point] = [
        (hours_after(ts), (known_on(first + number * DAY, time(9, 30)) - T0) / DAY, value)
        for number in range(-7, 366)
        for ts, value in six_days(first + number * DAY, float(number)).items()
    ]
    await load(postgres_store, file_load(points, key=NYC, zone=NEW_YORK, market="NYISO", is_forecast=True))
    series = await series_of(postgres_store.catalog, NYC)
    reading = Reading(postgres_store.catalog, postgres_store.reader)
    days = [first + number * DAY for number in range(365)]
    requested = Question(start="2025-01-01", end="2026-01-01", tz="market", days_ahead=1, before="10:00")
    year = (await read_one(reading, series, requested)).frame
    daily = [
        await postgres_store.reader.observations(
            series.series_id, span=Span(*day_bounds(day, NEW_YORK)), as_of=known_on(day - DAY, time(10))
        )
        for day in days
    ]
    assert year.height == 8_760
    assert_frame_equal(year.select(daily[0].columns), pl.concat(daily), check_exact=True)
