"""``HistoryStore`` on a real Trino over Iceberg: its contract, and what happens when the server is slow, late or gone.

One file, so that one process of a parallel run starts the server.
"""

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl
import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.resilience.timeout import Timeout, set_deadline
from aurum.common.settings import DatabaseSettings, TrinoSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.telemetry.work import CarriedWork, current_work
from aurum.core.asof import Span
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS
from aurum.core.history import tally
from aurum.storage.embedded.trino import EmbeddedTrino
from aurum.storage.ports.history import ArchivedPart, Merge
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.law import drawn_files, expect_the_law
from aurum.storage.testing.plugin import settings_of
from aurum.storage.testing.waiting import wait_until
from aurum.storage.trino import TrinoHistory, TrinoPool, TrinoUnavailable
from aurum.storage.trino.lake import NotWritable
from aurum.storage.trino.table import COLUMNS, create_statement

# The first start downloads the server.
pytestmark = [pytest.mark.needs_trino, pytest.mark.timeout(900)]

JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)
START = datetime(2025, 1, 1, tzinfo=UTC)
ALL = Span()
NEVER_ENDS = "SELECT /* {} */ count(*) FROM tpch.sf1000.lineitem a JOIN tpch.sf1000.lineitem b ON a.comment = b.comment"

Version = tuple[int, float, float, float | None, float, int]
"""Series, hours after ``START``, known days after it, superseded days after it, value, quality."""


def history(*versions: Version) -> pl.DataFrame:
    rows = [
        (series, _hour(hours), _day(known), None if superseded is None else _day(superseded), value, quality)
        for series, hours, known, superseded, value, quality in versions
    ]
    return pl.DataFrame(rows, schema=HISTORY, orient="row").sort("series_id", "ts", "known_at")


def parts_of(rows: pl.DataFrame, archive_id: int, source: str = "invented") -> list[ArchivedPart]:
    return [
        ArchivedPart(series_id, month, archive_id, source, count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]


def _hour(offset: float) -> datetime:
    return START + timedelta(hours=offset)


def _day(offset: float) -> datetime:
    return START + timedelta(days=offset)


TWO_VERSIONS = history((1, 0, 0, 40, 1.5, 0), (1, 0, 40, None, 2.5, 1), (1, 1, 0, None, 3.5, 0), (2, 0, 0, None, 4.5, 0))
MICROSECOND = 1 / 3_600_000_000


async def written(store: TrinoHistory, rows: pl.DataFrame, archive_id: int = 1, source: str = "invented") -> list[ArchivedPart]:
    await store.write(rows, source=source, archive_id=archive_id)
    return parts_of(rows, archive_id, source)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(trino_server: EmbeddedTrino) -> AsyncIterator[TrinoHistory]:
    """A store for tests with their own source, because Trino takes seconds to create a table."""
    store = TrinoHistory(TrinoPool(settings_of(trino_server, "shared_by_tests"), ResilienceSettings()))
    yield store
    await store.close()


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    return request.node.name


async def test_rows_come_back_as_they_were_written(shared: TrinoHistory, source: str) -> None:
    parts = await written(shared, TWO_VERSIONS, source=source)
    frame = await shared.rows(parts)
    assert frame.schema == HISTORY
    assert frame.equals(TWO_VERSIONS)
    assert tally(frame).equals(tally(TWO_VERSIONS))


async def test_every_double_and_every_microsecond_survives(shared: TrinoHistory, source: str) -> None:
    values = [float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
    rows = history(
        *((7, number + MICROSECOND, number * MICROSECOND / 24, None, value, number) for number, value in enumerate(values))
    )
    assert rows["ts"][1].microsecond == 1
    frame = await shared.rows(await written(shared, rows, source=source))
    assert frame.drop("value").equals(rows.drop("value"))
    bits, expected = (frame["value"].to_numpy().view("int64").tolist() for frame in (frame, rows))
    assert bits[1:] == expected[1:]
    assert frame["value"].is_nan().to_list() == [True, *[False] * 6]
    assert tally(frame).equals(tally(rows))


async def test_written_again_under_one_id_the_second_takes_the_place_of_the_first(shared: TrinoHistory, source: str) -> None:
    await written(shared, TWO_VERSIONS, source=source)
    other = history((1, 0, 0, None, 9.0, 0))
    parts = await written(shared, other, source=source)
    assert (await shared.rows(parts)).equals(other)
    gone = ArchivedPart(2, JANUARY, 1, source, 1, 0)
    assert (await shared.rows([gone])).is_empty()


async def test_written_again_after_it_was_discarded(trino_history: TrinoHistory) -> None:
    await written(trino_history, TWO_VERSIONS)
    await trino_history.discard([1])
    assert (await trino_history.rows(await written(trino_history, TWO_VERSIONS))).equals(TWO_VERSIONS)


async def test_rows_under_an_id_that_is_not_named_do_not_exist(shared: TrinoHistory, source: str) -> None:
    await written(shared, history((1, 0, 0, None, 1.0, 0), (2, 0, 0, None, 2.0, 0)), archive_id=1, source=source)
    second = history((1, 0, 0, None, 10.0, 0))
    parts = [*await written(shared, second, archive_id=2, source=source), ArchivedPart(2, JANUARY, 1, source, 1, 0)]
    assert (await shared.many(parts, span=ALL))["value"].to_list() == [10.0, 2.0]


async def test_an_answer_is_as_of_an_instant(shared: TrinoHistory, source: str) -> None:
    parts = await written(shared, TWO_VERSIONS, source=source)
    just_before = _day(40) - timedelta(microseconds=1)
    then, instant, now = [await shared.many(parts, span=ALL, as_of=at) for at in (just_before, _day(40), None)]
    assert then["value"].to_list() == [1.5, 3.5, 4.5]
    assert instant["value"].to_list() == now["value"].to_list() == [2.5, 3.5, 4.5]
    assert (await shared.many(parts, span=ALL, as_of=_day(-1))).is_empty()
    assert now.schema == MANY_OBSERVATIONS


async def test_spans_are_half_open(shared: TrinoHistory, source: str) -> None:
    parts = await written(shared, TWO_VERSIONS, source=source)
    first = await shared.rows(parts, span=Span(_hour(0), _hour(1)))
    assert first["ts"].unique().to_list() == [_hour(0)]
    assert (await shared.many(parts, span=Span(_hour(1), None)))["value"].to_list() == [3.5]


async def test_nothing_is_an_empty_frame(trino_history: TrinoHistory) -> None:
    assert (await trino_history.rows([])).equals(pl.DataFrame(schema=HISTORY))
    unknown = [ArchivedPart(1, JANUARY, 99, "nobody", 1, 0)]
    assert (await trino_history.many(unknown, span=ALL)).equals(pl.DataFrame(schema=MANY_OBSERVATIONS))
    assert [batch async for batch in trino_history.stream(unknown, span=ALL)] == []
    assert await trino_history.archive_ids() == frozenset()
    await trino_history.discard([])
    await trino_history.discard([99])


async def test_a_stream_is_the_answer_of_many_in_order_and_in_batches(shared: TrinoHistory, source: str) -> None:
    """Two months of series whose rows make several batches."""
    size = 70_000
    ts = pl.datetime_range(START, START + timedelta(seconds=30 * (size - 1)), "30s", time_unit="us", eager=True)
    rows = (
        pl.DataFrame({"series_id": [1, 2]}, schema={"series_id": pl.Int32})
        .join(pl.DataFrame(ts.alias("ts")), how="cross")
        .with_columns(
            pl.col("ts").alias("known_at"),
            pl.lit(None, HISTORY["ts"]).alias("superseded_at"),
            pl.int_range(pl.len()).cast(pl.Float64).alias("value"),
            pl.lit(0, pl.Int16).alias("quality"),
        )
        .select(list(HISTORY))
    )
    february = rows.with_columns(pl.col("ts", "known_at") + timedelta(days=31))
    parts = [*await written(shared, rows, 1, source=source), *await written(shared, february, 2, source=source)]
    batches = [batch async for batch in shared.stream(parts[::-1], span=ALL)]
    assert len(batches) > 1
    assert max(batch.height for batch in batches) <= 2 * size
    whole = pl.concat(batches)
    assert whole.equals(await shared.many(parts, span=ALL))
    assert whole.equals(pl.concat([rows, february]).sort("series_id", "ts").select(list(MANY_OBSERVATIONS)))


async def test_ids_are_known_until_they_are_discarded(trino_history: TrinoHistory) -> None:
    remaining = await written(trino_history, TWO_VERSIONS, 1)
    gone = await written(trino_history, TWO_VERSIONS, 2)
    assert await trino_history.archive_ids() == {1, 2}
    await trino_history.discard([2, 77])
    assert await trino_history.archive_ids() == {1}
    assert (await trino_history.rows(gone)).is_empty()
    assert (await trino_history.rows(remaining)).equals(TWO_VERSIONS)


async def test_upkeep_compacts_months_in_many_files_and_drops_old_snapshots(trino_history: TrinoHistory) -> None:
    parts = [part for number in (1, 2, 3) for part in await written(trino_history, TWO_VERSIONS, number)]
    await trino_history.discard([3])
    done = await trino_history.upkeep()
    assert done.files_before > done.files_after == 1
    assert done.expired >= 4
    assert await trino_history.archive_ids() == {1, 2}
    assert (await trino_history.rows([part for part in parts if part.archive_id == 2])).equals(TWO_VERSIONS)


async def test_upkeep_removes_unknown_files_once_they_are_old(
    trino_history: TrinoHistory, trino_settings: TrinoSettings
) -> None:
    parts = await written(trino_history, TWO_VERSIONS)
    pool = TrinoPool(trino_settings, ResilienceSettings())
    ((known,),) = await pool.read(f'SELECT "$path" FROM {trino_settings.schema_}.observation_history LIMIT 1')
    await pool.close()
    folder = Path(unquote(urlsplit(known).path)).parent
    old, young = folder / "old.parquet", folder / "young.parquet"
    for left in (old, young):
        left.write_bytes(b"left behind")
    before = SystemClock().now().timestamp() - timedelta(days=8).total_seconds()
    os.utime(old, (before, before))
    await trino_history.upkeep()
    assert (old.exists(), young.exists()) == (False, True)
    assert (await trino_history.rows(parts)).equals(TWO_VERSIONS)


async def test_an_older_table_gets_the_column_it_lacks(trino_settings: TrinoSettings) -> None:
    pool = TrinoPool(trino_settings, ResilienceSettings())
    table = f"{trino_settings.schema_}.observation_history"
    await pool.execute(f"CREATE SCHEMA {trino_settings.schema_}")
    await pool.execute(create_statement(table, [name for name in COLUMNS if name != "quality"]))
    await pool.execute(
        f"INSERT INTO {table} VALUES (?, ?, ?, 1, ?, ?, NULL, DOUBLE '1.5')", ["invented", JANUARY, 1, START, START]
    )
    store = TrinoHistory(pool)
    old = [ArchivedPart(1, JANUARY, 1, "invented", 1, 0)]
    new = await written(store, TWO_VERSIONS, 2)
    assert (await store.rows(old)).select("value", "quality").rows() == [(1.5, None)]
    assert (await store.rows(new)).equals(TWO_VERSIONS)
    await store.close()


async def test_a_table_with_a_file_a_month_is_read_and_its_files_are_merged(trino_settings: TrinoSettings) -> None:
    """An older release partitioned the table by source and month."""
    pool = TrinoPool(trino_settings, ResilienceSettings())
    table = f"{trino_settings.schema_}.observation_history"
    await pool.execute(f"CREATE SCHEMA {trino_settings.schema_}")
    await pool.execute(create_statement(table).replace("ARRAY['source']", "ARRAY['source','month']"))
    old: list[ArchivedPart] = []
    for number, month in enumerate((JANUARY, FEBRUARY, date(2025, 3, 1)), 1):
        start = datetime(month.year, month.month, 1, tzinfo=UTC)
        await pool.execute(
            f"INSERT INTO {table} VALUES ('it''s', ?, ?, 1, ?, ?, NULL, DOUBLE '1.5', 0)", [month, number, start, start]
        )
        old.append(ArchivedPart(1, month, number, "it's", 1, 0))
    store = TrinoHistory(pool)
    before = await store.rows(old)
    assert before.height == 3
    new = await written(store, TWO_VERSIONS, 9, source="it's")
    (planned,) = await store.merges()
    assert (planned.source, planned.first, planned.last) == ("it's", JANUARY, date(2025, 3, 1))
    assert (planned.files, planned.rows) == (4, 3 + TWO_VERSIONS.height)
    merged: list[Merge] = []
    done = await store.upkeep(merged=merged.append)
    assert merged == [planned]
    assert (done.files_before, done.files_after) == (4, 1)
    assert (await store.rows(old)).equals(before)
    assert (await store.rows(new)).equals(TWO_VERSIONS)
    assert await store.merges() == []
    await store.close()


async def test_writers_of_one_table_do_not_lose_each_others_rows(shared: TrinoHistory, source: str) -> None:
    await shared.archive_ids()
    frames = {number: history((number, 0, 0, None, float(number), 0)) for number in range(1, 5)}
    parts = await asyncio.gather(*(written(shared, rows, number, source=source) for number, rows in frames.items()))
    frame = await shared.many([part for some in parts for part in some], span=ALL)
    assert frame["value"].to_list() == [1.0, 2.0, 3.0, 4.0]


async def test_without_a_catalog_it_says_what_is_needed_to_write(trino_settings: TrinoSettings) -> None:
    store = TrinoHistory(TrinoPool(trino_settings.model_copy(update={"warehouse": None}), ResilienceSettings()))
    with pytest.raises(NotWritable, match="AURUM_TRINO__WAREHOUSE"):
        await written(store, TWO_VERSIONS)
    await store.close()


async def ended(pool: TrinoPool, mark: str) -> tuple[str, str]:
    """Return state and error of the query with that mark, once it has ended."""
    statement = "SELECT state, error_code FROM system.runtime.queries WHERE query LIKE ? AND query NOT LIKE '%runtime.queries%'"
    rows: list[tuple[str, str]] = []

    async def over() -> bool:
        rows[:] = [(state, error) for state, error in await pool.read(statement, [f"%{mark}%"])]
        return rows[0][0] in ("FINISHED", "FAILED")

    await wait_until(over)
    return rows[0]


async def begun(pool: TrinoPool, mark: str) -> None:
    """Return once the server runs the query with that mark."""
    statement = "SELECT state FROM system.runtime.queries WHERE query LIKE ? AND query NOT LIKE '%runtime.queries%'"

    async def runs() -> bool:
        return await pool.read(statement, [f"%{mark}%"]) == [["RUNNING"]]

    await wait_until(runs)


async def test_a_query_whose_deadline_passes_is_cancelled_on_the_server(trino_settings: TrinoSettings) -> None:
    pool = TrinoPool(trino_settings, ResilienceSettings())

    async def with_a_deadline() -> None:
        set_deadline(time.monotonic() + 3.0)
        await pool.read(NEVER_ENDS.format("by its deadline"))

    with pytest.raises(TrinoUnavailable, match="took too long"):
        await asyncio.create_task(with_a_deadline())
    # The server knows the deadline, too, and may be the first to notice.
    assert await ended(pool, "by its deadline") in {("FAILED", "USER_CANCELED"), ("FAILED", "EXCEEDED_TIME_LIMIT")}
    await pool.close()


async def test_a_query_without_a_waiting_caller_is_cancelled_on_the_server(trino_settings: TrinoSettings) -> None:
    pool = TrinoPool(trino_settings, ResilienceSettings())
    query = asyncio.create_task(pool.read(NEVER_ENDS.format("by its caller")))
    await begun(pool, "by its caller")
    query.cancel()
    with pytest.raises(asyncio.CancelledError):
        await query
    assert await ended(pool, "by its caller") == ("FAILED", "USER_CANCELED")
    await pool.close()


async def test_the_server_has_the_deadline_too(trino_settings: TrinoSettings) -> None:
    pool = TrinoPool(trino_settings, ResilienceSettings())
    async with Timeout("a request", seconds=60.0)():
        ((_, limit, *_),) = await pool.read("SHOW SESSION LIKE 'query_max_run_time'")
    assert 0 < float(limit.removesuffix("s")) <= 60.0
    await pool.close()


async def test_no_more_queries_at_once_than_the_pool_has_places(trino_settings: TrinoSettings) -> None:
    pool = TrinoPool(trino_settings.model_copy(update={"pool_size": 1, "connect_timeout_s": 1.0}), ResilienceSettings())
    query = asyncio.create_task(pool.read(NEVER_ENDS.format("in the one place")))
    await wait_until(lambda: pool.guards.bulkheads[0].in_use == 1)
    with pytest.raises(TrinoUnavailable, match="no place for trino"):
        await pool.read("SELECT 1")
    query.cancel()
    with pytest.raises(asyncio.CancelledError):
        await query
    assert await pool.read("SELECT 1") == [[1]]
    await pool.close()


async def test_a_query_says_whose_it_is(trino_settings: TrinoSettings) -> None:
    pool = TrinoPool(trino_settings, ResilienceSettings())
    token = current_work.set(CarriedWork({"request_id": "r-1, zwei\n"}))
    try:
        await pool.read("SELECT 1 /* tagged */")
    finally:
        current_work.reset(token)
    ((query_id,),) = await pool.read("SELECT query_id FROM system.runtime.queries WHERE query LIKE 'SELECT 1 /* tagged */%'")
    session = _json(f"http://127.0.0.1:{trino_settings.port}/v1/query/{query_id}")["session"]
    assert session["clientTags"] == ["request_id=r-1 zwei"]
    assert session["source"] == "aurum"
    await pool.close()


async def test_a_wrong_statement_is_a_bug_and_not_an_outage(trino_settings: TrinoSettings) -> None:
    pool = TrinoPool(trino_settings, ResilienceSettings())
    with pytest.raises(Exception, match="SYNTAX_ERROR") as caught:
        await pool.read("SELEC 1")
    assert not isinstance(caught.value, TrinoUnavailable)
    assert pool.guards.circuits[0].state().failures == 0
    await pool.close()


async def test_a_server_killed_in_the_middle_of_a_read_is_unavailable_and_then_back(
    trino_history: TrinoHistory, trino_settings: TrinoSettings, trino_server: EmbeddedTrino
) -> None:
    parts = await written(trino_history, TWO_VERSIONS)
    pool = TrinoPool(trino_settings, ResilienceSettings())
    query = asyncio.create_task(pool.read(NEVER_ENDS.format("when it is killed")))
    await begun(pool, "when it is killed")
    await asyncio.to_thread(trino_server.kill)
    try:
        with pytest.raises(TrinoUnavailable):
            await query
        with pytest.raises(TrinoUnavailable):
            await trino_history.rows(parts)
    finally:
        await asyncio.to_thread(trino_server.start)
    assert (await trino_history.rows(parts)).equals(TWO_VERSIONS)
    await pool.close()


def _json(url: str) -> dict[str, Any]:
    request = urllib.request.Request(url, headers={"X-Trino-User": "aurum"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


async def test_the_law_holds_when_everything_is_archived_after_every_load(
    database_url: str, trino_history: TrinoHistory
) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    await expect_the_law(TieredStore(pool, SystemClock(), trino_history), drawn_files(7))
    await pool.close()
