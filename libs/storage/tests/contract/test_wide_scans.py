"""Wide scans: ClickHouse and this process compute the same buckets from the rows of history."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, UTC_US
from aurum.core.history import tally
from aurum.core.series.partials import PARTIALS, buckets_in, partials
from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
from aurum.storage.clickhouse import parts as clickhouse_parts
from aurum.storage.memory.wide import MemoryWideScans
from aurum.storage.ports.history import ArchivedPart, HistoryNotConfigured
from aurum.storage.ports.wide import CopyBehind, WideScans
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.builders import day, file_load, hour
from aurum.storage.testing.stores import PostgresStore, series_named
from aurum.storage.tiered import ScanningPartialsReader, TieredPartialsReader

pytestmark = pytest.mark.needs_clickhouse

JANUARY = date(2025, 1, 1)


@pytest.fixture(params=["memory", "clickhouse"])
def scans(request: pytest.FixtureRequest, clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool) -> WideScans:
    return MemoryWideScans(clickhouse_history) if request.param == "memory" else ClickhouseWideScans(clickhouse_pool)


def history(versions: list[tuple[int, datetime, datetime, datetime | None, float, int]]) -> pl.DataFrame:
    return pl.DataFrame(versions, schema=HISTORY, orient="row").sort("series_id", "ts", "known_at")


async def write_rows(store: ClickhouseHistory, rows: pl.DataFrame, archive_id: int = 1) -> list[ArchivedPart]:
    """Write rows, and return their parts."""
    parts = [
        ArchivedPart(series_id, month, archive_id, "invented", count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]
    await store.write(rows, source="invented", archive_id=archive_id)
    return parts


def sums(buckets: pl.DataFrame) -> list[tuple[object, ...]]:
    assert buckets.schema == PARTIALS
    return buckets.select("series_id", "ts", "sum", "count").rows()


async def test_hours_ascend_by_series_and_time(clickhouse_history: ClickhouseHistory, scans: WideScans) -> None:
    points = [(2, hour(25), 8.0), (1, hour(0), 1.0), (1, hour(23.5), 5.0), (1, hour(23), 3.0)]
    rows = history([(series_id, ts, day(0), None, value, 0) for series_id, ts, value in points])
    parts = await write_rows(clickhouse_history, rows)
    buckets = await scans.partials(parts, span=Span())
    assert sums(buckets) == [(1, hour(0), 1.0, 1), (1, hour(23), 8.0, 2), (2, hour(25), 8.0, 1)]


async def test_a_span_has_the_hours_that_start_in_it_each_whole(
    clickhouse_history: ClickhouseHistory, scans: WideScans
) -> None:
    february = datetime(2025, 2, 1, tzinfo=UTC)
    rows = history([(1, hour(half / 2), day(0), None, 1.0, 0) for half in range(8)])
    rows = pl.concat([rows, history([(1, february, day(0), None, 10.0, 0), (2, february, day(0), None, 7.0, 0)])])
    parts = await write_rows(clickhouse_history, rows.sort("series_id", "ts"))
    buckets = await scans.partials(parts, span=Span(hour(0.5), hour(2.5)))
    assert sums(buckets) == [(1, hour(1), 2.0, 2), (1, hour(2), 2.0, 2)]
    assert sums(await scans.partials(parts, span=Span(february, None))) == [(1, february, 10.0, 1), (2, february, 7.0, 1)]


async def test_hours_are_those_of_the_rows_with_withdrawn_vast_and_superseded_ones(
    clickhouse_history: ClickhouseHistory, scans: WideScans
) -> None:
    nan = float("nan")
    rows = history(
        [
            (1, hour(0), day(0), None, nan, 9),
            (1, hour(0.25), day(3), None, nan, 0),
            (1, hour(24), day(0), None, nan, 9),
            (1, hour(24.5), day(1), None, 2.0, 1),
            (2, hour(0), day(0), day(2), 1.0, 0),
            (2, hour(0), day(2), None, 100.0, 2),
            (2, datetime(1969, 12, 31, 23, 30, tzinfo=UTC), day(0), None, -4.5, 0),
            (3, hour(0), day(0), None, 1e300, 0),
        ]
    )
    parts = await write_rows(clickhouse_history, rows)
    current = rows.filter(pl.col("superseded_at").is_null()).select(list(MANY_OBSERVATIONS))
    assert_frame_equal(await scans.partials(parts, span=Span()), partials(current))


async def test_many_series_over_months_are_what_polars_finds(
    clickhouse_history: ClickhouseHistory, scans: WideScans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More parts than one query takes, so that buckets are put together from several."""
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
    expected = partials(rows.select(list(MANY_OBSERVATIONS)))
    # Sixty-fourths of small numbers add up without rounding, in any order.
    assert_frame_equal(await scans.partials(parts, span=Span()), expected)


async def test_missing_and_incomplete_parts_are_refused_and_named(
    clickhouse_history: ClickhouseHistory, scans: WideScans
) -> None:
    rows = history([(series_id, hour(h), day(0), None, 1.0, 0) for series_id in (1, 2) for h in range(3)])
    parts = await write_rows(clickhouse_history, rows)
    assert list(await scans.missing(parts)) == []
    short = ArchivedPart(2, JANUARY, 1, "invented", 4, 0)
    unknown = ArchivedPart(3, JANUARY, 1, "invented", 4, 0)
    assert list(await scans.missing([unknown, short, parts[0]])) == [short, unknown]
    with pytest.raises(CopyBehind, match="lacks 2 of the requested parts") as caught:
        await scans.partials([unknown, short, parts[0]], span=Span())
    assert caught.value.facts == {"missing": 2, "series_id": 2, "month": "2025-01-01"}


async def test_a_part_with_repeated_or_deleted_rows_is_not_complete(
    clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool, scans: WideScans
) -> None:
    rows = history([(1, hour(h), day(0), None, 1.0, 0) for h in range(48)])
    parts = await write_rows(clickhouse_history, rows)
    await clickhouse_pool.command("INSERT INTO observation_history SELECT * FROM observation_history")
    assert sums(await scans.partials(parts, span=Span(None, hour(2)))) == [(1, hour(0), 1.0, 1), (1, hour(1), 1.0, 1)]
    # Of a part that is asked for by a span, the rows beside the span count as well.
    await clickhouse_pool.command(
        "DELETE FROM observation_history WHERE ts > '2025-01-02 12:00:00'", settings={"lightweight_deletes_sync": "2"}
    )
    with pytest.raises(CopyBehind, match="lacks 1 of the requested parts"):
        await scans.partials(parts, span=Span(None, day(1)))


async def test_no_parts_give_no_hours(scans: WideScans) -> None:
    assert sums(await scans.partials([], span=Span())) == []


class CopyAway:
    """A copy that does not answer."""

    async def partials(self, parts: Sequence[ArchivedPart], *, span: Span) -> pl.DataFrame:
        raise CopyBehind(parts)

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        return parts


async def half_archived(store: TieredStore) -> list[int]:
    """Load two series: one is archived in January, the other only in February."""
    keys = [f"invented:wide:{name}:value" for name in "AB"]
    february = 31 * 24
    for number, key in enumerate(keys):
        points = [(offset + half / 2, 0, number + offset / 4) for offset in (0, 1, february) for half in range(2)]
        await store.loader.load(file_load(points, key=key, frequency="30min"))
    # A correction brings January of the second series back into the hot store.
    await store.plain_loader.load(file_load([(1, 1, 50.0), (1.5, 1, float("nan"), 9)], key=keys[1], frequency="30min"))
    return [(await series_named(store, key)).series_id for key in keys]


@pytest.mark.parametrize("away", [False, True])
async def test_hours_of_the_hot_store_and_of_the_copy_are_one_answer_whether_the_copy_answers_or_not(
    postgres_store: PostgresStore, clickhouse_history: ClickhouseHistory, scans: WideScans, *, away: bool
) -> None:
    store = TieredStore(postgres_store.pool, SystemClock(), clickhouse_history)
    ids = await half_archived(store)
    reader = ScanningPartialsReader(
        store.hot_partials, CopyAway() if away else scans, without_copy=TieredPartialsReader(store.hot_partials, store.history)
    )
    for span in (Span(), Span(hour(0.5), hour(2)), Span(None, hour(0)), Span(hour(744), None)):
        rows = await store.reader.many(ids, span=buckets_in(span))
        assert_frame_equal(await reader.partials(ids, span=span), partials(rows))
    hot = await store.hot_partials.hot_partials(ids, span=Span())
    assert (hot.frame["series_id"].unique().to_list(), len(hot.parts)) == ([ids[1]], 3)


async def test_a_hot_store_alone_gives_no_half_answer(
    postgres_store: PostgresStore, clickhouse_history: ClickhouseHistory
) -> None:
    store = TieredStore(postgres_store.pool, SystemClock(), clickhouse_history)
    ids = await half_archived(store)
    with pytest.raises(HistoryNotConfigured):
        await postgres_store.partials.partials(ids, span=Span())
