"""Questions about observations and their answers: over the memory adapter, and the same over PostgreSQL."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.calendars import default_blocks
from aurum.core.catalog import Quality
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.frequency import Frequency
from aurum.core.series.coverage import COVERAGE
from aurum.core.series.model import Series
from aurum.core.series.resample import Aggregation
from aurum.services.observations import (
    MANY_WITH_END,
    WITH_END,
    Question,
    Reading,
    TooManyPoints,
    all_series_of,
    read_many,
    read_one,
    revisions,
    series_of,
    stream_many,
    unit_of,
)
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.builders import T0, Point, file_load
from aurum.storage.testing.stores import PostgresStore, Store

NYC = "nyiso:damlbmp_zone:61761:lmp"
WEST = "nyiso:damlbmp_zone:61752:lmp"
LOAD = "nyiso:pal:61761:load"
GAS = "eia:henry_hub:daily:price"
FALL = {"start": "2025-11-02", "end": "2025-11-03", "tz": "market"}
SPRING = {"start": "2025-03-09", "end": "2025-03-10", "tz": "market"}
MONDAY = {"start": "2025-11-03", "end": "2025-11-04", "tz": "market"}

MARCH = (datetime(2025, 3, 8, 5, tzinfo=UTC) - T0) // timedelta(hours=1)
"""Midnight in New York on the day before the spring day."""
OCTOBER = (datetime(2025, 10, 31, 4, tzinfo=UTC) - T0) // timedelta(hours=1)
"""Midnight in New York, two days before the fall day."""
PUBLISHED, REVISED = 0, 330
"""Known times, in days after ``T0``: before all of it, and after."""


def hours(first: int, count: int) -> list[Point]:
    return [(first + n, PUBLISHED, 30.0 + n) for n in range(count)]


def files() -> list[FileLoad]:
    prices = [*hours(MARCH, 72), *hours(OCTOBER, 121), (OCTOBER + 48, REVISED, 1000.0)]
    load = [(OCTOBER + n / 12, PUBLISHED, float(n % 12)) for n in range(12 * 100)]
    rates = [(OCTOBER + 18 + 24 * n, PUBLISHED, 1.25) for n in range(-4, 4)]
    gas = [(OCTOBER + 24 * n, PUBLISHED, 3.5) for n in range(2)]
    of_new_york = {"zone": "America/New_York", "market": "NYISO"}
    return [
        file_load(prices, key=NYC, unit="USD/MWh", currency="USD", **of_new_york),
        file_load(hours(OCTOBER, 60), key=WEST, unit="USD/MWh", currency="USD", **of_new_york),
        file_load(load, key=LOAD, frequency="5min", **of_new_york),
        file_load(gas, key=GAS, unit="USD/MMBtu", currency="USD", frequency="1d", zone="America/New_York"),
        file_load(
            rates, key="ecb:reference_rates:EURUSD:rate", unit="USD/EUR", currency="USD", frequency="1d", zone="Europe/Brussels"
        ),
    ]


async def filled(store: Store) -> Reading:
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[block.to_document() for block in default_blocks()])
    for file in files():
        await store.loader.load(file)
    return Reading(store.catalog, store.reader, store.partials)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reading() -> Reading:
    """The series of the files, in memory; tests only read them."""
    return await filled(MemoryStore(SystemClock()))


@pytest.fixture
async def nyc(reading: Reading) -> Series:
    return await series_of(reading.catalog, NYC)


async def values(reading: Reading, series: Series, question: Question) -> list[float]:
    return (await read_one(reading, series, question)).frame["value"].to_list()


async def test_the_fall_day_has_25_hours_and_its_mean_is_over_25(reading: Reading, nyc: Series) -> None:
    answer = await read_one(reading, nyc, Question(**FALL))
    assert answer.frame.schema == WITH_END
    assert answer.frame.height == 25
    assert answer.frame["ts"][0] == datetime(2025, 11, 2, 4, tzinfo=UTC)
    assert answer.frame["end"][-1] == datetime(2025, 11, 3, 5, tzinfo=UTC)
    assert answer.plan.zone == "America/New_York"
    daily = await read_one(reading, nyc, Question(**FALL, freq=Frequency.DAY))
    assert daily.frame["value"].to_list() == [pytest.approx(answer.frame["value"].mean())]
    assert daily.frame["end"].to_list() == [datetime(2025, 11, 3, 5, tzinfo=UTC)]


async def test_the_spring_day_has_23_hours(reading: Reading, nyc: Series) -> None:
    assert await values(reading, nyc, Question(**SPRING, freq=Frequency.DAY, agg=Aggregation.COUNT)) == [23.0]


async def test_a_block_takes_its_hours_of_a_weekday_and_none_of_a_sunday(reading: Reading, nyc: Series) -> None:
    monday = (await read_one(reading, nyc, Question(**MONDAY, block="ON_PEAK"))).frame
    local = [ts.astimezone(ZoneInfo("America/New_York")).hour for ts in monday["ts"]]
    assert local == list(range(7, 23))
    assert await values(reading, nyc, Question(**FALL, block="ON_PEAK")) == []
    assert len(await values(reading, nyc, Question(**FALL, block="nyiso:OFF_PEAK"))) == 25


async def test_values_are_converted_to_a_unit_and_a_currency(reading: Reading, nyc: Series) -> None:
    (first, *_) = await values(reading, nyc, Question(**MONDAY))
    per_heat = await read_one(reading, nyc, Question(**MONDAY, unit="USD/MMBtu"))
    assert per_heat.frame["value"][0] == pytest.approx(first / 3.412141633, rel=1e-6)
    assert unit_of(nyc, per_heat.plan) == ("USD/MMBtu", "USD")
    euros = await read_one(reading, nyc, Question(**MONDAY, currency="EUR"))
    assert euros.frame["value"][0] == pytest.approx(first / 1.25)
    assert unit_of(nyc, euros.plan) == ("EUR/MWh", "EUR")
    assert await values(reading, nyc, Question(**MONDAY, unit="EUR/MWh")) == euros.frame["value"].to_list()


async def test_an_answer_as_of_then_knows_no_later_revision(reading: Reading, nyc: Series) -> None:
    now = await values(reading, nyc, Question(**FALL))
    then = await values(reading, nyc, Question(**FALL, as_of=T0 + timedelta(days=REVISED - 1)))
    assert (now[0], then[0]) == (1000.0, 30.0 + 48)
    assert now[1:] == then[1:]


async def test_revisions_are_every_version_of_a_point(reading: Reading, nyc: Series) -> None:
    answer = await revisions(reading, nyc, Question(**FALL))
    assert answer.frame.schema == WITH_END
    assert answer.frame["value"].to_list()[:3] == [78.0, 1000.0, 79.0]
    with pytest.raises(InvalidParameters, match="as_of: does not apply to revisions"):
        await revisions(reading, nyc, Question(**FALL, as_of="2025-11-02"))


async def test_a_bucket_that_starts_in_the_span_is_whole_and_one_that_started_before_is_left_out(
    reading: Reading, nyc: Series
) -> None:
    span = {"start": "2025-11-01T06:00", "end": "2025-11-03T06:00", "tz": "market"}
    counts = await read_one(reading, nyc, Question(**span, freq=Frequency.DAY, agg=Aggregation.COUNT))
    assert [ts.astimezone(ZoneInfo("America/New_York")).day for ts in counts.frame["ts"]] == [2, 3]
    assert counts.frame["value"].to_list() == [25.0, 24.0]


async def test_a_bucket_that_the_series_enters_or_leaves_is_partial_and_may_be_withheld(reading: Reading, nyc: Series) -> None:
    month = Question(tz="market", freq=Frequency.MONTH, block="ON_PEAK")
    frame = (await read_one(reading, nyc, month)).frame
    assert (frame["count"] < frame["expected"]).all()
    assert set(frame["quality"]) == {Quality.PARTIAL}
    assert frame["coverage"].to_list() == (frame["count"] / frame["expected"]).to_list()
    withheld = (await read_one(reading, nyc, replace(month, min_coverage=1.0))).frame
    assert withheld["value"].is_nan().all()
    assert withheld.drop("value").equals(frame.drop("value"))


async def test_counts_follow_the_instant_of_the_read(reading: Reading, nyc: Series) -> None:
    before_all = datetime(2020, 1, 1, tzinfo=UTC)
    assert (await read_one(reading, nyc, Question(freq=Frequency.DAY, as_of=before_all))).frame.is_empty()
    day = Question(**FALL, freq=Frequency.DAY)
    assert (await read_one(reading, nyc, day)).frame.select("count", "expected", "quality").rows() == [(25, 25, 0)]


async def test_texts_and_typed_instants_ask_the_same(reading: Reading, nyc: Series) -> None:
    start, end = datetime(2025, 11, 2, 4, tzinfo=UTC), datetime(2025, 11, 3, 0, tzinfo=ZoneInfo("America/New_York"))
    assert await values(reading, nyc, Question(start=start, end=end)) == await values(reading, nyc, Question(**FALL))


async def test_several_series_read_at_once_streamed_and_one_by_one_are_the_same(reading: Reading) -> None:
    series = await all_series_of(reading.catalog, [f"{NYC},{WEST}"], most=2)
    for question in (Question(**FALL), Question(freq=Frequency.DAY), Question(**FALL, block="OFF_PEAK", currency="EUR")):
        together = (await read_many(reading, series, question)).frame
        coverage = {} if question.freq is None else COVERAGE
        assert together.schema == pl.Schema({**MANY_WITH_END, **coverage})
        streamed = await stream_many(reading, series, question)
        async with aclosing(streamed.batches) as batches:
            assert_frame_equal(pl.concat([batch async for batch in batches]), together)
        for one in series:
            alone = (await read_one(reading, one, question)).frame
            assert_frame_equal(together.filter(pl.col("series_id") == one.series_id).drop("series_id"), alone)
    assert (await read_many(reading, [], Question(**FALL))).frame.schema == MANY_WITH_END


async def test_hours_and_rows_give_the_same_days(reading: Reading) -> None:
    load = await series_of(reading.catalog, LOAD)
    by_rows = Reading(reading.catalog, reading.reader)
    question = Question(tz="market", freq=Frequency.DAY, agg=Aggregation.SUM)
    assert_frame_equal((await read_one(reading, load, question)).frame, (await read_one(by_rows, load, question)).frame)


@pytest.mark.parametrize(
    ("question", "field", "why"),
    [
        (Question(start="soon"), "start", "time"),
        (Question(start="2025-11-03", end="2025-11-02"), "start", "is after end 2025-11-02"),
        (Question(start="2025-11-02T01:30", tz="market"), "start", "happens twice"),
        (Question(as_of=datetime(2025, 11, 2)), "as_of", "no time zone"),
        (Question(tz="Mars/Base"), "tz", "unknown time zone"),
        (Question(agg=Aggregation.MAX), "agg", "needs freq"),
        (Question(freq=Frequency.MIN_5), "freq", "finer"),
        (Question(unit="USD/MW"), "unit", "USD/MW"),
        (Question(unit="furlong"), "unit", "unknown unit"),
        (Question(currency="ZZZ"), "currency", "ZZZ"),
        (Question(currency="JPY"), "currency", "the store has no rate for EURJPY"),
        (Question(**SPRING, currency="EUR"), "currency", "2025-03-09"),
        (Question(block="TEATIME"), "block", "TEATIME"),
        (Question(min_coverage=1.0), "min_coverage", "needs freq or block"),
        (Question(freq=Frequency.DAY, min_coverage=1.5), "min_coverage", "from 0 to 1"),
        (Question(freq=Frequency.DAY, min_coverage=float("nan")), "min_coverage", "from 0 to 1"),
    ],
    ids=str,
)
async def test_what_cannot_be_answered_is_refused_by_the_name_of_its_field(
    reading: Reading, nyc: Series, question: Question, field: str, why: str
) -> None:
    with pytest.raises(InvalidParameters) as refused:
        await read_one(reading, nyc, question)
    ((error),) = refused.value.facts["errors"]
    assert (error["field"], why in error["message"]) == (field, True), error


async def test_blocks_are_refused_for_days_and_outside_markets(reading: Reading) -> None:
    gas = await series_of(reading.catalog, GAS)
    with pytest.raises(InvalidParameters, match="a block selects hours"):
        await read_one(reading, gas, Question(block="ON_PEAK"))


async def test_an_unknown_key_is_told_with_the_nearest(reading: Reading) -> None:
    with pytest.raises(UnknownName) as unknown:
        await series_of(reading.catalog, "nyiso:damlbmp_zone:61761:lmpp")
    assert NYC in unknown.value.nearest


async def test_a_question_that_spans_more_than_the_limit_is_refused_before_it_is_read(reading: Reading, nyc: Series) -> None:
    limited = Reading(reading.catalog, reading.reader, most_points=24)
    with pytest.raises(TooManyPoints):
        await read_one(limited, nyc, Question(**FALL))
    assert len(await values(limited, nyc, Question(start="2025-11-02", end="2025-11-02T12:00", tz="market"))) == 13


async def test_postgresql_and_memory_give_the_same_answers(reading: Reading, postgres_store: PostgresStore) -> None:
    real = await filled(postgres_store)
    for question in (
        Question(**FALL),
        Question(**SPRING, freq=Frequency.DAY, agg=Aggregation.MAX),
        Question(**MONDAY, block="ON_PEAK", unit="USD/MMBtu"),
        Question(**FALL, currency="EUR", as_of=T0 + timedelta(days=REVISED - 1)),
    ):
        parts: list[list[pl.DataFrame]] = []
        for one in (reading, real):
            series = await all_series_of(one.catalog, [NYC, WEST], most=2)
            streamed = await stream_many(one, series, question)
            async with aclosing(streamed.batches) as batches:
                stream = pl.concat([batch async for batch in batches])
            many = (await read_many(one, series, question)).frame
            alone = (await read_one(one, series[0], question)).frame
            assert_frame_equal(stream, many)
            parts.append([many.drop("series_id"), alone, (await revisions(one, series[0], Question(**FALL))).frame])
        for remembered, stored in zip(*parts, strict=True):
            assert_frame_equal(remembered, stored)
