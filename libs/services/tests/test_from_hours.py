"""Answers in coarse steps from hourly sums: equal to those from rows, or None."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.calendars import default_blocks
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series
from aurum.core.series.resample import Aggregation
from aurum.services.observations import Question, ReadPlan, make_plan
from aurum.services.observations.batches import batches
from aurum.services.observations.hours import from_hours
from aurum.services.observations.transform import group_for
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.observations import MemoryPartialsReader
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.builders import T0, file_load

FIVE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
START = datetime(2025, 10, 31, 4, tzinfo=UTC)
"""Midnight in New York, two days before the fall day."""
NYC = "nyiso:rt:61761:load"
WEST = "caiso:rt:SP15:load"


class WithoutHours(MemoryPartialsReader):
    """A store without hourly sums."""

    has_sums = False


async def store_of(*files: FileLoad) -> MemoryStore:
    store = MemoryStore(SystemClock())
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[block.to_document() for block in default_blocks()])
    for file in files:
        await store.loader.load(file)
    return store


def five_minutes(key: str, zone: str, market: str, *, days: int = 6) -> FileLoad:
    """Return a file of whole numbers, so that sums are exact. Every 50th is withdrawn, and not part of a sum."""
    points = [
        (
            (START - T0 + n * FIVE) / HOUR,
            0,
            float("nan") if n % 50 == 49 else float(n * 7919 % 1000),
            9 if n % 50 == 49 else n % 3,
        )
        for n in range(12 * 24 * days)
    ]
    return file_load(points, key=key, frequency="5min", zone=zone, market=market)


def one_point(key: str, value: float, *, frequency: str) -> FileLoad:
    return file_load([((START - T0) / HOUR, 0, value)], key=key, frequency=frequency)


def question(*, freq: str | None = None, agg: str | None = None, **texts: str) -> Question:
    return Question(freq=Frequency(freq) if freq else None, agg=Aggregation(agg) if agg else None, **texts)


async def planned(store: MemoryStore, *keys: str, **texts: str) -> tuple[list[Series], ReadPlan]:
    by_key = await store.catalog.series_by_key(keys)
    series = [by_key[key] for key in keys]
    return series, await make_plan(question(**texts), series, store.catalog)


async def of_rows(store: MemoryStore, series: list[Series], plan: ReadPlan) -> pl.DataFrame:
    return pl.concat([part async for part in batches(store.reader, group_for(series, plan), plan, {})])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def new_york() -> MemoryStore:
    """Six days; tests only read them."""
    return await store_of(five_minutes(NYC, "America/New_York", "NYISO"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def one_day() -> MemoryStore:
    """The first of these days; tests only read it."""
    return await store_of(five_minutes(NYC, "America/New_York", "NYISO", days=1))


FREQS = ["1h", "1d", "1w", "1mo", "1q", "1y"]
SPANS = [
    {"tz": "market"},
    {"tz": "market", "start": "2025-11-01", "end": "2025-11-04"},
    {"tz": "UTC", "start": "2025-11-01T04:30:00Z", "end": "2025-11-03T05:10:00Z"},
]


@pytest.mark.parametrize(
    ("freq", "agg", "span"),
    [
        *itertools.product(FREQS, ["mean"], SPANS),
        *itertools.product(["1h", "1mo"], ["sum", "min", "max", "count"], SPANS[2:]),
        *itertools.product(["1d", "1w"], ["sum", "min", "max", "count"], SPANS[:1]),
    ],
)
async def test_days_and_longer_are_those_of_the_rows(new_york: MemoryStore, freq: str, agg: str, span: dict[str, str]) -> None:
    series, plan = await planned(new_york, NYC, freq=freq, agg=agg, **span)
    answer = await from_hours(new_york.partials, series, plan)
    assert answer is not None
    assert_frame_equal(answer, await of_rows(new_york, series, plan), check_exact=True)


async def test_the_fall_day_is_the_sum_of_25_hours(new_york: MemoryStore) -> None:
    series, plan = await planned(new_york, NYC, freq="1d", start="2025-11-02", end="2025-11-03", tz="market", agg="count")
    answer = await from_hours(new_york.partials, series, plan)
    assert answer is not None
    assert answer["value"].to_list() == [300.0 - 6]


async def test_several_series_in_their_own_days_and_blocks() -> None:
    store = await store_of(five_minutes(NYC, "America/New_York", "NYISO"), five_minutes(WEST, "America/Los_Angeles", "CAISO"))
    for texts in ({}, {"block": "ON_PEAK"}, {"block": "OFF_PEAK"}):
        series, plan = await planned(store, NYC, WEST, freq="1d", agg="sum", **texts)
        answer = await from_hours(store.partials, series, plan)
        assert answer is not None
        assert set(answer["series_id"]) == {one.series_id for one in series}
        assert_frame_equal(answer, await of_rows(store, series, plan), check_exact=True)


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"freq": "15min"},
        {"freq": "1d", "agg": "median"},
        {"freq": "1d", "agg": "last"},
        {"freq": "1d", "as_of": "2025-11-02T00:00:00Z"},
        {"freq": "1d", "unit": "GW"},
        {"freq": "1d", "tz": "Asia/Kolkata"},
        {"freq": "1d", "tz": "Australia/Lord_Howe"},
    ],
)
async def test_what_hours_cannot_say_is_left_to_the_rows(one_day: MemoryStore, texts: dict[str, str]) -> None:
    series, plan = await planned(one_day, NYC, **texts)
    assert await from_hours(one_day.partials, series, plan) is None


async def test_data_no_finer_than_hours_and_stores_without_them_are_left_to_the_rows() -> None:
    hourly = one_point(WEST, 1.0, frequency="1h")
    store = await store_of(hourly, five_minutes(NYC, "America/New_York", "NYISO", days=1))
    series, plan = await planned(store, WEST, freq="1d")
    assert await from_hours(store.partials, series, plan) is None
    series, plan = await planned(store, NYC, freq="1d")
    assert await from_hours(store.partials, series, plan) is not None
    assert await from_hours(WithoutHours(store.state), series, plan) is None
    assert await from_hours(None, series, plan) is None


async def test_a_value_too_great_for_sums_is_left_to_the_rows() -> None:
    store = await store_of(one_point(NYC, 1e300, frequency="5min"))
    series, plan = await planned(store, NYC, freq="1d", agg="sum")
    assert await from_hours(store.partials, series, plan) is None
    series, plan = await planned(store, NYC, freq="1d", agg="max")
    assert (await from_hours(store.partials, series, plan)) is not None
