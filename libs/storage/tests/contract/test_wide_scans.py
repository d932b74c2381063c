"""Wide scans: ClickHouse and this process compute the same buckets from the rows of history."""

import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.frames import HISTORY, UTC_US
from aurum.core.history import tally
from aurum.core.wide import PARTIALS, InvalidBucket, means, movers
from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
from aurum.storage.clickhouse import parts as clickhouse_parts
from aurum.storage.memory.wide import MemoryWideScans
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.ports.wide import CopyBehind, WideScans
from aurum.storage.testing.builders import day, hour

JANUARY = date(2025, 1, 1)


@pytest.fixture(params=["memory", "clickhouse"])
def scans(request: pytest.FixtureRequest, clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool) -> WideScans:
    return MemoryWideScans(clickhouse_history) if request.param == "memory" else ClickhouseWideScans(clickhouse_pool)


def history(versions: list[tuple[int, datetime, datetime, datetime | None, float, int]]) -> pl.DataFrame:
    return pl.DataFrame(versions, schema=HISTORY, orient="row").sort("series_id", "ts", "known_at")


async def write_rows(store: ClickhouseHistory, rows: pl.DataFrame, archive_id: int = 1) -> list[ArchivedPart]:
    """Write rows month by month, and return their parts."""
    parts = [
        ArchivedPart(series_id, month, archive_id, "invented", count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]
    for (month,), piece in rows.group_by(pl.col("ts").dt.date().dt.truncate("1mo"), maintain_order=True):
        assert isinstance(month, date)
        await store.write(piece, source="invented", month=month, archive_id=archive_id)
    return parts


def buckets(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    assert frame.schema == PARTIALS
    return list(frame.iter_rows())


async def test_buckets_are_counted_in_utc_and_ascend(clickhouse_history: ClickhouseHistory, scans: WideScans) -> None:
    points = [(2, hour(25), 8.0), (1, hour(0), 1.0), (1, hour(23.5), 5.0), (1, hour(24), 3.0)]
    rows = history([(series_id, ts, day(0), None, value, 0) for series_id, ts, value in points])
    parts = await write_rows(clickhouse_history, rows)
    frame = await scans.partials(parts, span=Span(), every=timedelta(days=1))
    assert buckets(frame) == [
        (1, day(0), 2, 6.0, 1.0, 5.0),
        (1, day(1), 1, 3.0, 3.0, 3.0),
        (2, day(1), 1, 8.0, 8.0, 8.0),
    ]


async def test_the_span_as_one_bucket_starts_where_the_first_value_does(
    clickhouse_history: ClickhouseHistory, scans: WideScans
) -> None:
    february = datetime(2025, 2, 1, tzinfo=UTC)
    rows = history([(1, hour(offset), day(0), None, float(offset), 0) for offset in range(4)])
    rows = pl.concat([rows, history([(1, february, day(0), None, 10.0, 0), (2, february, day(0), None, 7.0, 0)])])
    parts = await write_rows(clickhouse_history, rows.sort("series_id", "ts"))
    frame = await scans.partials(parts, span=Span(hour(1), None))
    assert buckets(frame) == [(1, hour(1), 4, 16.0, 1.0, 10.0), (2, february, 1, 7.0, 7.0, 7.0)]
    assert buckets(await scans.partials(parts, span=Span(hour(1), hour(2)))) == [(1, hour(1), 1, 1.0, 1.0, 1.0)]


async def test_withdrawn_values_do_not_count_and_empty_buckets_are_absent(
    clickhouse_history: ClickhouseHistory, scans: WideScans
) -> None:
    rows = history(
        [
            (1, hour(0), day(0), None, float("nan"), 9),
            (1, hour(1), day(0), None, float("nan"), 0),
            (1, hour(24), day(0), None, float("nan"), 9),
            (1, hour(25), day(0), None, 2.0, 1),
            (2, hour(0), day(0), None, float("nan"), 9),
        ]
    )
    parts = await write_rows(clickhouse_history, rows)
    frame = await scans.partials(parts, span=Span(), every=timedelta(days=1))
    assert buckets(frame) == [(1, day(1), 1, 2.0, 2.0, 2.0)]


async def test_buckets_are_as_of_then(clickhouse_history: ClickhouseHistory, scans: WideScans) -> None:
    rows = history(
        [
            (1, hour(0), day(0), day(2), 1.0, 0),
            (1, hour(0), day(2), None, 100.0, 0),
            (1, hour(1), day(1), None, 2.0, 0),
        ]
    )
    parts = await write_rows(clickhouse_history, rows)
    sums = [
        (await scans.partials(parts, span=Span(), as_of=as_of))["sum"].to_list() for as_of in (day(0), day(1), day(2), None)
    ]
    assert sums == [[1.0], [3.0], [102.0], [102.0]]


@pytest.mark.parametrize("every", [timedelta(microseconds=7), timedelta(minutes=5), timedelta(hours=7), timedelta(days=3)])
async def test_buckets_of_any_length_hold_each_value_once_before_1970_too(
    clickhouse_history: ClickhouseHistory, scans: WideScans, every: timedelta
) -> None:
    draw = random.Random(3)
    first = datetime(1969, 12, 20, tzinfo=UTC)
    instants = sorted({first + timedelta(seconds=draw.randrange(20 * 86_400)) for _ in range(500)})
    rows = history([(1, ts, first, None, float(number), 0) for number, ts in enumerate(instants)])
    parts = await write_rows(clickhouse_history, rows)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected: dict[datetime, list[float]] = {}
    for number, ts in enumerate(instants):
        expected.setdefault(epoch + (ts - epoch) // every * every, []).append(float(number))
    frame = await scans.partials(parts, span=Span(), every=every)
    assert buckets(frame) == [(1, ts, len(values), sum(values), min(values), max(values)) for ts, values in expected.items()]


async def test_many_series_over_months_are_what_polars_finds(
    clickhouse_history: ClickhouseHistory, scans: WideScans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More parts than one query takes, so that buckets are combined from two queries."""
    series, hours = 70, 24 * 59
    ts = np.datetime64("2025-01-01T00", "us").astype(np.int64) + np.arange(hours) * 3_600_000_000
    rows = pl.DataFrame(
        {
            "series_id": np.repeat(np.arange(1, series + 1, dtype=np.int32), hours),
            "ts": np.tile(ts, series),
            "value": np.random.default_rng(5).integers(-5_000, 20_000, series * hours) / 64,
        }
    ).select(
        "series_id",
        pl.col("ts").cast(UTC_US),
        pl.lit(day(0), UTC_US).alias("known_at"),
        pl.lit(None, UTC_US).alias("superseded_at"),
        "value",
        pl.lit(0, pl.Int16).alias("quality"),
    )
    parts = await write_rows(clickhouse_history, rows)
    monkeypatch.setattr(clickhouse_parts, "_MOST_PARTS", 33)
    week = 7 * 86_400_000_000
    in_weeks = (pl.col("ts").dt.epoch("us") // week * week).cast(UTC_US)
    for every, bucket in ((timedelta(days=7), in_weeks), (None, pl.col("ts").min().over("series_id"))):
        expected = (
            rows.group_by("series_id", bucket.alias("bucket"))
            .agg(
                pl.len().cast(pl.Int64).alias("count"),
                pl.col("value").sum().alias("sum"),
                pl.col("value").min().alias("min"),
                pl.col("value").max().alias("max"),
            )
            .rename({"bucket": "ts"})
            .sort("series_id", "ts")
        )
        # Sums of sixty-fourths of small numbers are exact in any order.
        assert_frame_equal(await scans.partials(parts, span=Span(), every=every), expected)


async def test_missing_and_incomplete_parts_are_refused_and_named(
    clickhouse_history: ClickhouseHistory, scans: WideScans
) -> None:
    rows = history([(series_id, hour(h), day(0), None, 1.0, 0) for series_id in (1, 2) for h in range(3)])
    parts = await write_rows(clickhouse_history, rows)
    assert list(await scans.missing(parts)) == []
    short = ArchivedPart(2, JANUARY, 1, "invented", 4, 0)
    unknown = ArchivedPart(3, JANUARY, 1, "invented", 4, 0)
    assert list(await scans.missing([unknown, short, parts[0]])) == [short, unknown]
    with pytest.raises(CopyBehind, match="lacks 2 of the parts") as caught:
        await scans.partials([unknown, short, parts[0]], span=Span())
    assert caught.value.facts == {"missing": 2, "series_id": 2, "month": "2025-01-01"}


async def test_a_part_with_repeated_or_deleted_rows_is_not_complete(
    clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool, scans: WideScans
) -> None:
    rows = history([(1, hour(h), day(0), None, 1.0, 0) for h in range(48)])
    parts = await write_rows(clickhouse_history, rows)
    await clickhouse_pool.command("INSERT INTO observation_history SELECT * FROM observation_history")
    assert buckets(await scans.partials(parts, span=Span(None, day(1)))) == [(1, hour(0), 24, 24.0, 1.0, 1.0)]
    # Rows of a requested part count also when they lie outside of the span.
    await clickhouse_pool.command(
        "DELETE FROM observation_history WHERE ts > '2025-01-02 12:00:00'", settings={"lightweight_deletes_sync": "2"}
    )
    with pytest.raises(CopyBehind, match="lacks 1 of the parts"):
        await scans.partials(parts, span=Span(None, day(1)))


@pytest.mark.parametrize("every", [timedelta(0), timedelta(hours=-1)])
async def test_buckets_need_a_length(scans: WideScans, every: timedelta) -> None:
    with pytest.raises(InvalidBucket):
        await scans.partials([], span=Span(), every=every)


async def test_no_parts_give_no_buckets(scans: WideScans) -> None:
    assert buckets(await scans.partials([], span=Span(), every=timedelta(days=1))) == []


async def test_screening_a_month_for_averages_and_for_what_moved_most(
    clickhouse_history: ClickhouseHistory, scans: WideScans
) -> None:
    levels = {1: (10.0, 12.0), 2: (40.0, 10.0), 3: (5.0, 35.0), 4: (0.0, 1.0)}
    rows = history(
        [
            (series_id, hour(h), day(0), None, before if h < 24 else after, 0)
            for series_id, (before, after) in levels.items()
            for h in range(48)
        ]
    )
    parts = await write_rows(clickhouse_history, rows)
    averages = means(await scans.partials(parts, span=Span(), every=timedelta(days=1)))
    assert averages.rows() == [(1, 48, 11.0), (2, 48, 25.0), (3, 48, 20.0), (4, 48, 0.5)]
    before = await scans.partials(parts, span=Span(None, day(1)))
    after = await scans.partials(parts, span=Span(day(1), None))
    assert movers(before, after, most=3).rows() == [
        (2, 40.0, 10.0, -30.0, -0.75),
        (3, 5.0, 35.0, 30.0, 6.0),
        (1, 10.0, 12.0, 2.0, 0.2),
    ]
    assert movers(before, after, most=4).row(3) == (4, 0.0, 1.0, 1.0, None)
