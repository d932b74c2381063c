"""Contract of history stores. A new adapter needs its name in ``ADAPTERS`` and a fixture ``<name>_history``."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS
from aurum.core.history import tally
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.memory import MemoryHistory
from aurum.storage.ports.history import ArchivedPart, HistoryStore

ADAPTERS = [
    "memory",
    "duckdb",
    "duckdb_bucket",
    pytest.param("clickhouse", marks=pytest.mark.needs_clickhouse),
    pytest.param("trino", marks=[pytest.mark.needs_trino, pytest.mark.timeout(900)]),
]

MARCH = date(2025, 3, 1)
APRIL = date(2025, 4, 1)
SOURCE = "invented"


@pytest.fixture
def memory_history() -> MemoryHistory:
    return MemoryHistory()


@pytest_asyncio.fixture
async def duckdb_history(tmp_path: Path) -> AsyncIterator[DuckdbHistory]:
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock())
    yield history
    await history.close()


@pytest_asyncio.fixture
async def duckdb_bucket_history(tmp_path: Path) -> AsyncIterator[DuckdbHistory]:
    """DuckDB history over a file system of Arrow, as with a bucket; here it is a folder."""
    history = DuckdbHistory(history_files_at(f"file://{tmp_path}/bucket"), SystemClock())
    yield history
    await history.close()


@pytest.fixture(params=ADAPTERS)
def history(request: pytest.FixtureRequest) -> HistoryStore:
    """An empty history."""
    return request.getfixturevalue(f"{request.param}_history")


def at(month: date, hours: float) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(hours=hours)


def versions(series_id: int, month: date, count: int, *, revised: int = 0) -> pl.DataFrame:
    """Return hourly rows of a series; the first ``revised`` hours have another value until one day later."""
    rows: list[tuple[int, datetime, datetime, datetime | None, float, int]] = []
    for hour in range(count):
        known = at(month, hour)
        if hour < revised:
            rows.append((series_id, at(month, hour), known, known + timedelta(days=1), -float(hour), 1))
            known += timedelta(days=1)
        rows.append((series_id, at(month, hour), known, None, series_id + hour / 7, 0))
    return pl.DataFrame(rows, schema=HISTORY, orient="row")


def parts_of(rows: pl.DataFrame, archive_id: int) -> list[ArchivedPart]:
    return [
        ArchivedPart(series_id, month, archive_id, SOURCE, count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]


async def written(history: HistoryStore, rows: pl.DataFrame, archive_id: int) -> list[ArchivedPart]:
    await history.write(rows, source=SOURCE, archive_id=archive_id)
    return parts_of(rows, archive_id)


async def test_rows_come_back_as_they_were(history: HistoryStore) -> None:
    rows = pl.concat([versions(1, MARCH, 48, revised=5), versions(2, MARCH, 3)])
    parts = await written(history, rows, 1)
    frame = await history.rows(parts)
    assert_frame_equal(frame, rows, check_exact=True)
    assert frame.schema == HISTORY
    assert tally(frame).equals(tally(rows))


async def test_values_no_text_can_hold_come_back_as_they_were(history: HistoryStore) -> None:
    extremes = [math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
    rows = versions(1, MARCH, len(extremes)).with_columns(pl.Series("value", extremes), pl.lit(-3, pl.Int16).alias("quality"))
    rows = rows.with_columns(pl.col("ts", "known_at") + pl.duration(microseconds=1))
    parts = await written(history, rows, 1)
    assert_frame_equal(await history.rows(parts), rows, check_exact=True)


async def test_an_empty_store_and_a_full_one_answer_look(history: HistoryStore) -> None:
    await history.look()
    await written(history, versions(1, MARCH, 2), 1)
    await history.look()


async def test_only_the_named_parts_are_read(history: HistoryStore) -> None:
    march = pl.concat([versions(1, MARCH, 4), versions(2, MARCH, 4)])
    one, two = await written(history, march, 1)
    (again,) = await written(history, versions(1, MARCH, 9), 2)
    (april,) = await written(history, versions(1, APRIL, 2), 3)
    assert_frame_equal(await history.rows([two]), versions(2, MARCH, 4))
    assert_frame_equal(await history.rows([again]), versions(1, MARCH, 9))
    frame = await history.rows([april, two, one])
    assert_frame_equal(frame, pl.concat([versions(1, MARCH, 4), versions(1, APRIL, 2), versions(2, MARCH, 4)]))
    assert (await history.rows([])).schema == HISTORY


async def test_months_under_one_id_are_read_one_by_one(history: HistoryStore) -> None:
    rows = pl.concat([versions(1, MARCH, 4), versions(1, APRIL, 3, revised=2), versions(2, MARCH, 5)])
    parts = await written(history, rows, 1)
    assert_frame_equal(await history.rows(parts), rows, check_exact=True)
    march_1, april_1, march_2 = parts
    assert_frame_equal(await history.rows([april_1]), versions(1, APRIL, 3, revised=2))
    assert_frame_equal(await history.rows([march_2, march_1]), pl.concat([versions(1, MARCH, 4), versions(2, MARCH, 5)]))
    assert (await history.many([march_1], span=Span()))["ts"].max() == at(MARCH, 3)
    # The month moved back and was archived again: its rows under the first id are no part of history.
    (again,) = await written(history, versions(1, MARCH, 9), 2)
    assert_frame_equal(
        await history.rows([again, april_1]), pl.concat([versions(1, MARCH, 9), versions(1, APRIL, 3, revised=2)])
    )


async def test_a_second_write_replaces_every_month_of_the_first(history: HistoryStore) -> None:
    await written(history, pl.concat([versions(1, MARCH, 4), versions(1, APRIL, 3)]), 1)
    parts = await written(history, versions(1, APRIL, 7), 1)
    assert_frame_equal(await history.rows(parts), versions(1, APRIL, 7))
    with suppress(Unavailable):
        assert (await history.rows([ArchivedPart(1, MARCH, 1, SOURCE, 4, 0)])).is_empty()
    await history.discard([1])
    assert await history.archive_ids() == frozenset()


async def test_more_months_than_a_server_takes_at_once_are_written(history: HistoryStore) -> None:
    rows = pl.concat([versions(1, date(1913 + month // 12, month % 12 + 1, 1), 1) for month in range(130)])
    parts = await written(history, rows, 1)
    assert_frame_equal(await history.rows(parts), rows)


async def test_nothing_cannot_be_written(history: HistoryStore) -> None:
    with pytest.raises(ValueError, match="empty"):
        await history.write(versions(1, MARCH, 0), source=SOURCE, archive_id=1)


async def test_a_span_is_half_open(history: HistoryStore) -> None:
    parts = await written(history, versions(1, MARCH, 10), 1)
    span = Span(at(MARCH, 2), at(MARCH, 5))
    for frame in (await history.rows(parts, span=span), await history.many(parts, span=span)):
        assert frame["ts"].to_list() == [at(MARCH, hour) for hour in (2, 3, 4)]
    assert (await history.many(parts, span=Span(at(APRIL, 0)))).is_empty()
    assert (await history.many(parts, span=Span(end=at(MARCH, 1)))).height == 1


async def test_what_stands_is_the_last_version_and_what_stood_the_one_before(history: HistoryStore) -> None:
    rows = versions(7, MARCH, 3, revised=1)
    parts = await written(history, rows, 1)
    now = await history.many(parts, span=Span())
    assert now.schema == MANY_OBSERVATIONS
    assert now["value"].to_list() == [7.0, 7 + 1 / 7, 7 + 2 / 7]
    ended = rows["superseded_at"].drop_nulls()[0]
    for as_of, first in ((ended, 7.0), (ended - timedelta(microseconds=1), 0.0), (at(MARCH, 0), 0.0)):
        frame = await history.many(parts, span=Span(), as_of=as_of)
        assert frame["value"][0] == first
    assert (await history.many(parts, span=Span(), as_of=at(MARCH, 0))).height == 1
    assert (await history.many(parts, span=Span(), as_of=at(MARCH, -1))).is_empty()
    assert_frame_equal(await history.many(parts, span=Span(), as_of=datetime(2099, 1, 1, tzinfo=UTC)), now)


async def test_a_stream_is_many_in_batches(history: HistoryStore) -> None:
    count = 5 if isinstance(history, MemoryHistory) else 200  # more rows than a batch of the adapter
    one = versions(0, MARCH, 700, revised=500)
    series = [pl.lit(number, one.schema["series_id"]).alias("series_id") for number in range(1, count + 1)]
    long = pl.concat([one.with_columns(each, pl.col("value") + each) for each in series])
    parts = await written(history, long, 1)
    few = versions(0, APRIL, 10)
    short = pl.concat([few.with_columns(each, pl.col("value") + each) for each in series])
    parts += await written(history, short, 2)
    batches = [batch async for batch in history.stream(parts[::-1], span=Span())]
    whole = await history.many(parts, span=Span())
    assert_frame_equal(pl.concat(batches), whole)
    assert whole.height == count * 710
    assert whole.equals(whole.sort("series_id", "ts"))
    assert len(batches) > 1
    assert 0 < max(batch.height for batch in batches) < count * 710
    assert [batch async for batch in history.stream([], span=Span())] == []


async def test_written_twice_is_written_once(history: HistoryStore) -> None:
    await written(history, versions(1, MARCH, 8), 1)
    parts = await written(history, versions(1, MARCH, 5), 1)
    assert_frame_equal(await history.rows(parts), versions(1, MARCH, 5))
    assert await history.archive_ids() == {1}


async def test_what_is_discarded_is_gone_and_nothing_else_is(history: HistoryStore) -> None:
    await written(history, versions(1, MARCH, 8), 1)
    remaining = await written(history, versions(1, MARCH, 5), 2)
    await written(history, versions(1, APRIL, 5), 3)
    await history.discard([1, 3, 99])
    assert await history.archive_ids() == {2}
    assert_frame_equal(await history.rows(remaining), versions(1, MARCH, 5))
    await history.discard([])
    assert await history.archive_ids() == {2}


async def test_rows_of_erased_series_are_gone_and_nothing_else_is(history: HistoryStore) -> None:
    march = pl.concat([versions(series_id, MARCH, 6, revised=2) for series_id in (1, 2, 3)])
    parts = await written(history, march, 1)
    parts += await written(history, pl.concat([versions(2, APRIL, 4), versions(3, APRIL, 4)]), 2)
    foreign = await written(history, versions(2, MARCH, 5), 9)
    before = await history.rows(parts)
    assert await history.erase([2, 77], archive_ids=[1, 2, 55]) == 8 + 4
    left = [part for part in parts if part.series_id != 2]
    assert_frame_equal(await history.rows(left), before.filter(pl.col("series_id") != 2), check_exact=True)
    assert_frame_equal(await history.rows(foreign), versions(2, MARCH, 5))
    with suppress(Unavailable):
        assert (await history.rows([part for part in parts if part.series_id == 2])).is_empty()
    assert await history.erase([2, 77], archive_ids=[1, 2, 55]) == 0
    assert await history.erase([], archive_ids=[1]) == 0
    assert await history.erase([1], archive_ids=[]) == 0
    await history.upkeep()
    assert_frame_equal(await history.rows(left), before.filter(pl.col("series_id") != 2), check_exact=True)


async def test_more_series_and_ids_than_one_query_may_name_are_erased(history: HistoryStore) -> None:
    parts = await written(history, pl.concat([versions(series_id, MARCH, 6) for series_id in (1, 2, 9_000)]), 7_000)
    left = [part for part in parts if part.series_id == 1]
    assert await history.erase(range(2, 9_001), archive_ids=range(1, 7_001)) == 12
    assert_frame_equal(await history.rows(left), versions(1, MARCH, 6))


async def test_an_id_that_was_discarded_may_be_written_again(history: HistoryStore) -> None:
    await written(history, versions(1, MARCH, 8), 1)
    await history.discard([1])
    parts = await written(history, versions(1, MARCH, 3), 1)
    assert_frame_equal(await history.rows(parts), versions(1, MARCH, 3))


async def test_upkeep_changes_no_answer(history: HistoryStore) -> None:
    parts: list[ArchivedPart] = []
    for archive_id in range(1, 7):
        parts += await written(history, versions(archive_id, MARCH, 20, revised=3), archive_id)
    parts += await written(history, versions(1, APRIL, 20), 7)
    before = await history.rows(parts)
    done = await history.upkeep()
    assert done.files_after <= done.files_before
    assert_frame_equal(await history.rows(parts), before)
    assert await history.archive_ids() == set(range(1, 8))
    # Compacted rows can still be dropped, replaced and read by id.
    await history.discard([2])
    replaced = await written(history, versions(3, MARCH, 2), 3)
    left = [part for part in parts if part.archive_id not in (2, 3)] + replaced
    frame = await history.rows(left)
    expected = pl.concat([before.filter(~pl.col("series_id").is_in([2, 3])), versions(3, MARCH, 2)])
    assert_frame_equal(frame, expected.sort("series_id", "ts", "known_at"))
    assert await history.archive_ids() == {1, 3, 4, 5, 6, 7}


async def test_a_store_without_rows_has_no_ids(history: HistoryStore) -> None:
    assert await history.archive_ids() == frozenset()


async def test_a_missing_part_is_not_an_empty_answer(history: HistoryStore) -> None:
    """The store returns no rows of another id: it raises, or the number of rows shows that some are missing."""
    await written(history, versions(1, MARCH, 8), 1)
    missing = ArchivedPart(1, MARCH, 2, SOURCE, 8, 0)
    with suppress(Unavailable):
        assert (await history.rows([missing])).is_empty()
