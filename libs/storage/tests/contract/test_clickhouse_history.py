"""Closed months in ClickHouse, in the embedded engine: the same statements as on a server."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.asof import Span
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, UTC_US
from aurum.core.history import tally
from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, HistoryChanged
from aurum.storage.clickhouse import parts as clickhouse_parts
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.builders import day, hour
from aurum.storage.testing.law import drawn_files, expect_the_law

pytestmark = pytest.mark.needs_clickhouse

JANUARY = date(2025, 1, 1)
FEBRUARY = date(2025, 2, 1)
SOURCE = "invented"

Version = tuple[int, datetime, datetime, datetime | None, float, int]


def history(versions: Iterable[Version]) -> pl.DataFrame:
    return pl.DataFrame(list(versions), schema=HISTORY, orient="row").sort("series_id", "ts", "known_at")


def current(series_id: int, hours: Iterable[float], value: float = 1.0) -> pl.DataFrame:
    return history((series_id, hour(offset), day(0), None, value + offset, 0) for offset in hours)


def named(rows: pl.DataFrame, archive_id: int, source: str = SOURCE) -> list[ArchivedPart]:
    return [
        ArchivedPart(series_id, month, archive_id, source, count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]


async def write_rows(store: ClickhouseHistory, rows: pl.DataFrame, archive_id: int) -> list[ArchivedPart]:
    await store.write(rows, source=SOURCE, archive_id=archive_id)
    return named(rows, archive_id)


async def test_all_versions_come_back_as_they_were_in_order(clickhouse_history: ClickhouseHistory) -> None:
    rows = history(
        [
            (2, hour(1), day(0), None, 1.5, 0),
            (1, hour(1), day(2), None, 3.0, 1),
            (1, hour(1), day(0), day(2), 2.0, 0),
            (1, hour(0), day(0), None, float("nan"), 9),
        ]
    )
    parts = await write_rows(clickhouse_history, rows, 1)
    frame = await clickhouse_history.rows(parts)
    assert frame.schema == HISTORY
    assert_frame_equal(frame, rows)
    assert_frame_equal(tally(frame), tally(rows))


async def test_values_and_instants_keep_all_they_have(clickhouse_history: ClickhouseHistory) -> None:
    values = [float("nan"), float("inf"), float("-inf"), 1.7976931348623157e308, 5e-324, -0.0, 0.1 + 0.2]
    rows = history(
        (1, hour(offset) + timedelta(microseconds=1), day(0) - timedelta(microseconds=3), None, value, 32_767)
        for offset, value in enumerate(values)
    )
    parts = await write_rows(clickhouse_history, rows, 2**40)
    assert_frame_equal(tally(await clickhouse_history.rows(parts)), tally(rows))
    assert (await clickhouse_history.rows(parts))["ts"].dt.microsecond().unique().to_list() == [1]


@pytest.mark.parametrize("year", [2, 1833, 1969, 2300, 9998])
async def test_years_outside_of_the_server_s_calendar_are_stored(clickhouse_history: ClickhouseHistory, year: int) -> None:
    first = datetime(year, 3, 1, tzinfo=UTC)
    rows = history((1, first + timedelta(days=offset), first, None, float(offset), 0) for offset in range(3))
    parts = await write_rows(clickhouse_history, rows, 1)
    assert_frame_equal(await clickhouse_history.rows(parts), rows)
    span = Span(first + timedelta(days=1), first + timedelta(days=2))
    assert (await clickhouse_history.many(parts, span=span))["value"].to_list() == [1.0]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (hour(1), hour(3), [1, 2]),
        (hour(1), None, [1, 2, 3]),
        (None, hour(1), [0]),
        (hour(1), hour(1), []),
        (hour(0.5), hour(1.5), [1]),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), [0, 1, 2, 3]),
        (datetime(2025, 2, 1, tzinfo=UTC), None, []),
    ],
)
async def test_spans_are_half_open(
    clickhouse_history: ClickhouseHistory, start: datetime | None, end: datetime | None, hours: list[int]
) -> None:
    parts = await write_rows(clickhouse_history, current(1, range(4)), 1)
    span, expected = Span(start, end), [hour(offset) for offset in hours]
    assert (await clickhouse_history.rows(parts, span=span))["ts"].to_list() == expected
    assert (await clickhouse_history.many(parts, span=span))["ts"].to_list() == expected
    assert (await clickhouse_history.many(parts, span=span, as_of=day(1)))["ts"].to_list() == expected


async def test_the_answer_as_of_then_is_what_stood_then(clickhouse_history: ClickhouseHistory) -> None:
    rows = history(
        [
            (1, hour(0), day(1), day(2), 1.0, 0),
            (1, hour(0), day(2), day(3), 2.0, 0),
            (1, hour(0), day(3), None, 3.0, 1),
            (1, hour(1), day(2), None, 9.0, 0),
        ]
    )
    parts = await write_rows(clickhouse_history, rows, 1)

    async def answer(as_of: datetime | None) -> list[tuple[float, int]]:
        frame = await clickhouse_history.many(parts, span=Span(), as_of=as_of)
        assert frame.schema == MANY_OBSERVATIONS
        return list(zip(frame["value"], frame["quality"], strict=True))

    microsecond = timedelta(microseconds=1)
    assert await answer(day(1) - microsecond) == []
    assert await answer(day(1)) == [(1.0, 0)]
    assert await answer(day(2) - microsecond) == [(1.0, 0)]
    assert await answer(day(2)) == [(2.0, 0), (9.0, 0)]
    assert await answer(day(3)) == await answer(None) == await answer(datetime(9999, 1, 1, tzinfo=UTC)) == [(3.0, 1), (9.0, 0)]


async def test_what_the_log_does_not_name_does_not_exist(clickhouse_history: ClickhouseHistory) -> None:
    """History also has rows of a crashed run, of an older archive, of another series and of a restored month."""
    mine = current(1, range(3))
    parts = await write_rows(clickhouse_history, mine, 7)
    await write_rows(clickhouse_history, current(1, range(4), value=100.0), 8)
    await write_rows(clickhouse_history, current(2, range(3)), 7 + 2)
    february = history([(1, datetime(2025, 2, 3, tzinfo=UTC), day(0), None, 5.0, 0)])
    await write_rows(clickhouse_history, february, 6)
    assert_frame_equal(await clickhouse_history.rows(parts), mine)
    assert (await clickhouse_history.many(parts, span=Span()))["value"].to_list() == mine["value"].to_list()


async def test_several_months_and_sources_are_one_ordered_answer(clickhouse_history: ClickhouseHistory) -> None:
    february = history((1, datetime(2025, 2, offset, tzinfo=UTC), day(0), None, 2.0, 0) for offset in (1, 2))
    other = current(2, range(2))
    parts = await write_rows(clickhouse_history, february, 2)
    parts += await write_rows(clickhouse_history, current(1, range(2)), 1)
    await clickhouse_history.write(other, source="another", archive_id=1)
    parts += named(other, 1, "another")
    expected = pl.concat([current(1, range(2)), february, other])
    assert_frame_equal(await clickhouse_history.rows(list(reversed(parts)) + parts[:1]), expected)


async def test_more_parts_than_one_query_takes_are_one_answer(
    clickhouse_history: ClickhouseHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pl.concat([current(series_id, range(2)) for series_id in range(1, 8)])
    parts = await write_rows(clickhouse_history, rows, 1)
    monkeypatch.setattr(clickhouse_parts, "_MOST_PARTS", 3)
    assert_frame_equal(await clickhouse_history.rows(parts), rows)
    batches = [batch async for batch in clickhouse_history.stream(parts, span=Span())]
    assert [batch["series_id"].unique().sort().to_list() for batch in batches] == [[1, 2, 3], [4, 5, 6], [7]]


async def test_written_again_the_second_stands_in_the_place_of_the_first(clickhouse_history: ClickhouseHistory) -> None:
    await write_rows(clickhouse_history, current(1, range(5)), 3)
    beside = await write_rows(clickhouse_history, current(1, range(5), value=50.0), 4)
    again = current(1, range(2), value=10.0)
    parts = await write_rows(clickhouse_history, again, 3)
    assert_frame_equal(await clickhouse_history.rows(parts), again)
    assert (await clickhouse_history.rows(beside)).height == 5
    assert await clickhouse_history.archive_ids() == {3, 4}


async def test_an_insert_that_was_sent_twice_counts_once(
    clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool
) -> None:
    """As after a crash, or after the connection was lost before the answer."""
    rows = current(1, range(100))
    parts = await write_rows(clickhouse_history, rows, 3)
    await clickhouse_pool.command("SYSTEM STOP MERGES observation_history")
    await clickhouse_pool.command("INSERT INTO observation_history SELECT * FROM observation_history")
    twice = await clickhouse_pool.read("SELECT count() AS rows FROM observation_history")
    assert twice["rows"].to_list() == [200]
    assert_frame_equal(await clickhouse_history.rows(parts), rows)
    assert (await clickhouse_history.many(parts, span=Span())).height == 100
    assert [batch.height async for batch in clickhouse_history.stream(parts, span=Span())] == [100]


async def test_no_parts_or_no_rows_give_an_empty_frame(clickhouse_history: ClickhouseHistory) -> None:
    unknown = [ArchivedPart(1, JANUARY, 99, SOURCE, 0, 0)]
    for parts in ([], unknown):
        assert_frame_equal(await clickhouse_history.rows(parts), pl.DataFrame(schema=HISTORY))
        assert_frame_equal(await clickhouse_history.many(parts, span=Span()), pl.DataFrame(schema=MANY_OBSERVATIONS))
        assert [batch async for batch in clickhouse_history.stream(parts, span=Span())] == []
    assert await clickhouse_history.archive_ids() == frozenset()


LENGTHS = (30_000, 40_000, 3)


def long_rows(lengths: Sequence[int] = LENGTHS) -> pl.DataFrame:
    """A version for each minute, and for every third minute a superseded one before it."""
    offsets = pl.concat(
        [pl.DataFrame({"series_id": [number] * length, "offset": range(length)}) for number, length in enumerate(lengths, 1)]
    )
    now = offsets.select(
        pl.col("series_id").cast(pl.Int32),
        (pl.lit(hour(0)) + pl.duration(minutes="offset")).dt.cast_time_unit("us").alias("ts"),
        pl.lit(day(1), UTC_US).alias("known_at"),
        pl.lit(None, UTC_US).alias("superseded_at"),
        (pl.col("offset") / 7).alias("value"),
        pl.lit(0, pl.Int16).alias("quality"),
    )
    ended = now.gather_every(3).with_columns(
        known_at=pl.lit(day(0), UTC_US), superseded_at=pl.lit(day(1), UTC_US), value=pl.lit(-1.0)
    )
    return pl.concat([now, ended]).sort("series_id", "ts", "known_at")


@pytest.mark.parametrize("as_of", [None, day(0), day(1)])
async def test_a_stream_is_many_in_batches_of_bounded_size(
    clickhouse_history: ClickhouseHistory, as_of: datetime | None
) -> None:
    parts = await write_rows(clickhouse_history, long_rows((60_000, 80_000, 3)), 1)
    batches = [batch async for batch in clickhouse_history.stream(parts, span=Span(), as_of=as_of)]
    whole = await clickhouse_history.many(parts, span=Span(), as_of=as_of)
    assert_frame_equal(pl.concat(batches), whole)
    assert min(batch.height for batch in batches) > 0
    assert max(batch.height for batch in batches) <= 65_536
    if as_of != day(0):
        assert [batch.height for batch in batches] == [65_536, 65_536, 140_003 - 2 * 65_536]


async def test_a_stream_whose_rows_are_discarded_says_so_instead_of_ending_early(
    clickhouse_history: ClickhouseHistory,
) -> None:
    parts = await write_rows(clickhouse_history, long_rows(), 1)
    batches = clickhouse_history.stream(parts, span=Span())
    assert (await anext(batches)).height == 65_536
    await clickhouse_history.discard([1])
    with pytest.raises(HistoryChanged):
        await anext(batches)


async def test_a_stream_outlives_merges(clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool) -> None:
    parts = await write_rows(clickhouse_history, long_rows(), 1)
    await clickhouse_pool.command("INSERT INTO observation_history SELECT * FROM observation_history")
    heights: list[int] = []
    async for batch in clickhouse_history.stream(parts, span=Span()):
        heights.append(batch.height)
        await clickhouse_history.upkeep()
    assert sum(heights) == sum(LENGTHS)


async def test_discarded_rows_are_gone_and_the_others_stay(clickhouse_history: ClickhouseHistory) -> None:
    first = await write_rows(clickhouse_history, current(1, range(3)), 1)
    second = await write_rows(clickhouse_history, current(1, range(3)), 2)
    assert await clickhouse_history.archive_ids() == {1, 2}
    await clickhouse_history.discard([1, 77])
    await clickhouse_history.discard([])
    assert await clickhouse_history.archive_ids() == {2}
    assert (await clickhouse_history.rows(first)).is_empty()
    assert (await clickhouse_history.rows(second)).height == 3


async def test_upkeep_makes_one_piece_of_many_and_drops_what_was_discarded(
    clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool
) -> None:
    await clickhouse_pool.command("SYSTEM STOP MERGES observation_history")
    parts = await write_rows(clickhouse_history, current(1, range(3)), 1)
    for archive_id in (2, 3):
        await write_rows(clickhouse_history, current(1, range(3)), archive_id)
    await clickhouse_pool.command("SYSTEM START MERGES observation_history")
    await clickhouse_history.discard([3])
    done = await clickhouse_history.upkeep()
    assert done.files_before > done.files_after == 1
    assert_frame_equal(await clickhouse_history.rows(parts), current(1, range(3)))
    stored = await clickhouse_pool.read(
        "SELECT sum(rows) AS rows FROM system.parts WHERE database = currentDatabase() AND active"
    )
    assert stored["rows"].to_list() == [6]
    again = await clickhouse_history.upkeep()
    assert (again.files_before, again.files_after, again.expired) == (1, 1, 0)


async def test_a_table_that_is_there_is_used_as_it_is(
    clickhouse_history: ClickhouseHistory, clickhouse_pool: ClickhousePool
) -> None:
    parts = await write_rows(clickhouse_history, current(1, range(3)), 1)
    other = await ClickhousePool.open(clickhouse_pool.settings, clickhouse_pool.resilience)
    assert (await ClickhouseHistory(other).rows(parts)).height == 3
    await other.close()
    await other.close()


@pytest.mark.parametrize("seed", range(3))
async def test_the_law_holds_when_everything_is_archived_after_every_load(
    database_url: str, clickhouse_history: ClickhouseHistory, seed: int
) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    await expect_the_law(TieredStore(pool, SystemClock(), clickhouse_history), drawn_files(seed))
    await pool.close()
