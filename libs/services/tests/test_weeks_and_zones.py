"""Ends of weekly intervals, and days and blocks of markets with several clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.core.calendars import default_blocks
from aurum.core.frequency import Frequency
from aurum.services.observations import Question, Reading, read_many, read_one, series_of
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.builders import T0, Point, file_load

NEW_YORK = {"frequency": "1w", "zone": "America/New_York"}
FLOW = "eia:api_weekly:WCRFPUS2:value"
STOCK = "eia:api_weekly:WCESTUS1:value"
PRICE_BE = "entsoe:day_ahead_prices:10YBE----------2:price_15min"
LOAD_FI = "entsoe:load:10YFI-1--------U:load_60min"


def hours_from(instant: datetime) -> float:
    return (instant - T0) / timedelta(hours=1)


@pytest.fixture
async def reading() -> Reading:
    store = MemoryStore(SystemClock())
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[block.to_document() for block in default_blocks()])
    # The week that ends on Friday 2025-11-07, over the change to winter time; the stock of that Friday.
    flow: list[Point] = [(hours_from(datetime(2025, 11, 1, 4, tzinfo=UTC)), 0, 13862.0)]
    stock: list[Point] = [(hours_from(datetime(2025, 11, 7, 5, tzinfo=UTC)), 0, 427.0)]
    quarters: list[Point] = [(hours_from(datetime(2025, 10, 25, 22, tzinfo=UTC)) + n / 4, 0, float(n)) for n in range(100)]
    load: list[Point] = [(hours_from(datetime(2025, 11, 3, tzinfo=UTC)) + n, 0, float(n)) for n in range(-24, 48)]
    for file in (
        file_load(flow, key=FLOW, labels={"week": "flow"}, **NEW_YORK),
        file_load(stock, key=STOCK, labels={"week": "level"}, **NEW_YORK),
        file_load(quarters, key=PRICE_BE, frequency="15min", zone="Europe/Brussels", market="ENTSOE"),
        file_load(load, key=LOAD_FI, zone="Europe/Helsinki", market="ENTSOE"),
    ):
        await store.loader.load(file)
    return Reading(store.catalog, store.reader, store.partials)


@pytest.mark.parametrize("tz", [None, "market", "UTC", "Europe/Berlin"])
async def test_a_weekly_flow_ends_with_its_stamp_and_a_level_after_one_day(reading: Reading, tz: str | None) -> None:
    for key, start, end in (
        (FLOW, datetime(2025, 11, 1, 4, tzinfo=UTC), datetime(2025, 11, 8, 5, tzinfo=UTC)),
        (STOCK, datetime(2025, 11, 7, 5, tzinfo=UTC), datetime(2025, 11, 8, 5, tzinfo=UTC)),
    ):
        answer = await read_one(reading, await series_of(reading.catalog, key), Question(tz=tz))
        assert answer.frame.select("ts", "end").rows() == [(start, end)]


async def test_flows_and_levels_in_one_answer_keep_their_ends(reading: Reading) -> None:
    series = [await series_of(reading.catalog, key) for key in (FLOW, STOCK)]
    answer = await read_many(reading, series, Question())
    assert answer.frame["end"].unique().to_list() == [datetime(2025, 11, 8, 5, tzinfo=UTC)]


async def test_a_coarser_step_of_a_level_is_the_whole_step(reading: Reading) -> None:
    answer = await read_one(reading, await series_of(reading.catalog, STOCK), Question(freq=Frequency.MONTH, tz="market"))
    assert answer.frame.select("ts", "end").rows() == [
        (datetime(2025, 11, 1, 4, tzinfo=UTC), datetime(2025, 12, 1, 5, tzinfo=UTC))
    ]


async def test_the_fall_day_of_a_coupled_zone_has_100_quarter_hours(reading: Reading) -> None:
    question = Question(start="2025-10-26", end="2025-10-27", tz="market", freq=Frequency.DAY)
    answer = await read_one(reading, await series_of(reading.catalog, PRICE_BE), question)
    assert answer.frame.select("ts", "value").rows() == [(datetime(2025, 10, 25, 22, tzinfo=UTC), 49.5)]


async def test_a_block_of_a_market_of_several_clocks_is_on_the_clock_of_the_series(reading: Reading) -> None:
    series = await series_of(reading.catalog, LOAD_FI)
    for block in ("PEAK", "entsoe:PEAK"):
        answer = await read_one(reading, series, Question(start="2025-11-03", end="2025-11-04", tz="market", block=block))
        hours = answer.frame.select(pl.col("ts").dt.convert_time_zone("Europe/Helsinki").dt.hour())["ts"].to_list()
        assert hours == list(range(8, 20))
