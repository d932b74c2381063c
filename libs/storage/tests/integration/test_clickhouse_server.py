"""Queries to a ClickHouse server: over HTTP, in turn, limited by the deadline, and with the id of the request they are for."""

import asyncio
import itertools
import socket
import time
from collections.abc import AsyncIterator, Iterator

import polars as pl
import pytest
import pytest_asyncio
from clickhouse_over_http import Interface, clickhouse_over_http
from polars.testing import assert_frame_equal
from pydantic import SecretStr

from aurum.common.resilience.timeout import reset_deadline, set_deadline
from aurum.common.settings import ClickhouseSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.telemetry.work import CarriedWork, current_work
from aurum.core.asof import Span
from aurum.core.frames import HISTORY
from aurum.core.history import tally
from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
from aurum.storage.clickhouse.errors import ClickhouseAway, ClickhouseUnavailable
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.testing.builders import day, hour
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_clickhouse

RESILIENCE = ResilienceSettings(retry_first_wait_s=0.01, retry_jitter_s=0.0, breaker_failures=3, breaker_open_s=30.0)
SLOW = "SELECT sleep(3) AS slept"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def interface(clickhouse_engine: ClickhousePool) -> Iterator[Interface]:
    folder = clickhouse_engine.settings.folder
    assert folder is not None
    with clickhouse_over_http(folder) as interface:
        yield interface


def settings(url: str, **others: object) -> ClickhouseSettings:
    return ClickhouseSettings.model_validate({"url": SecretStr(url), "database": f"served_{next(_numbers)}", **others})


@pytest_asyncio.fixture(loop_scope="session")
async def pool(interface: Interface) -> AsyncIterator[ClickhousePool]:
    interface.requests.clear()
    pool = await ClickhousePool.open(settings(interface.url, pool_size=2, queue=1, wait_s=0.3), RESILIENCE)
    yield pool
    await pool.close()


def rows_of(series_id: int, values: list[float]) -> pl.DataFrame:
    rows = [(series_id, hour(offset), day(0), None, value, 0) for offset, value in enumerate(values)]
    return pl.DataFrame(rows, schema=HISTORY, orient="row")


async def written(pool: ClickhousePool, rows: pl.DataFrame) -> list[ArchivedPart]:
    await ClickhouseHistory(pool).write(rows, source="invented", archive_id=1)
    counted = tally(rows).iter_rows()
    return [ArchivedPart(series_id, month, 1, "invented", count, checksum) for series_id, month, count, checksum in counted]


async def test_rows_are_written_read_streamed_summed_up_and_discarded(pool: ClickhousePool) -> None:
    store, rows = ClickhouseHistory(pool), rows_of(1, [1.5, float("nan"), 2.5])
    parts = await written(pool, rows)
    assert_frame_equal(await store.rows(parts), rows)
    assert_frame_equal(
        pl.concat([batch async for batch in store.stream(parts, span=Span())]), await store.many(parts, span=Span())
    )
    summed = await ClickhouseWideScans(pool).partials(parts, span=Span())
    by_hour = summed.filter(pl.col("count") > 0).select("series_id", "ts", "sum", "count", "min", "max")
    assert by_hour.rows() == [(1, hour(0), 1.5, 1, 1.5, 1.5), (1, hour(2), 2.5, 1, 2.5, 2.5)]
    assert (await store.upkeep()).files_after == 1
    await store.discard([1])
    assert await store.archive_ids() == frozenset()


async def test_a_query_bears_the_id_of_the_request_it_is_for(pool: ClickhousePool, interface: Interface) -> None:
    token = current_work.set(CarriedWork({"request_id": "req-77", "tenant": "acme"}))
    try:
        await pool.read("SELECT 1 AS one")
        await written(pool, rows_of(1, [1.0]))
    finally:
        current_work.reset(token)
    read, write = interface.last("SELECT 1 AS one"), interface.last("INSERT")
    assert read.query_id.startswith("aurum-req-77-")
    assert read.settings["log_comment"] == write.settings["log_comment"] == "req-77"
    assert write.query_id == "aurum-write-invented-1", "two writers of the same rows exclude each other"


async def test_a_database_with_its_table_is_opened_without_creating_anything(
    pool: ClickhousePool, interface: Interface
) -> None:
    assert len(interface.texts("CREATE")) == 2
    interface.requests.clear()
    another = await ClickhousePool.open(pool.settings, RESILIENCE)
    await another.close()
    assert interface.requests
    assert interface.texts("CREATE") == []


async def test_an_abandoned_query_is_cancelled_on_the_server(pool: ClickhousePool, interface: Interface) -> None:
    reading = asyncio.ensure_future(pool.read(SLOW))
    await wait_until(lambda: bool(interface.texts(SLOW)))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert pool.use().busy == 1, "the thread still waits for its answer"
    await wait_until(lambda: bool(interface.texts("KILL")))
    await wait_until(lambda: pool.use().busy == 0)


async def test_the_deadline_ends_a_read_here_and_at_the_server(pool: ClickhousePool, interface: Interface) -> None:
    await pool.read("SELECT 1 AS one")
    while not interface.texts(SLOW):  # on a busy machine the deadline may pass before the first query is sent
        token = set_deadline(time.monotonic() + 0.5)
        try:
            with pytest.raises(ClickhouseUnavailable) as ended:
                await pool.read(SLOW)
            with pytest.raises(ClickhouseUnavailable, match="the deadline of this request has passed"):
                await pool.read("SELECT 2 AS two")
        finally:
            reset_deadline(token)
    assert "took too long" in str(ended.value)
    text = interface.last(SLOW).text
    assert 0 < float(text.rpartition("max_execution_time = ")[2].split()[0]) <= 0.5
    assert interface.texts("SELECT 2") == []


async def test_a_read_is_tried_again_after_the_connection_broke(pool: ClickhousePool, interface: Interface) -> None:
    await pool.read("SELECT 1 AS one")
    interface.broken = 3
    assert (await pool.read("SELECT 7 AS seven"))["seven"].to_list() == [7]
    assert len(interface.texts("SELECT 7")) == 4


async def test_the_number_of_waiting_queries_and_their_wait_are_limited(pool: ClickhousePool) -> None:
    refusals: set[str] = set()

    async def are_limited() -> bool:
        slow = [asyncio.ensure_future(pool.read(SLOW)) for _ in range(2)]
        await wait_until(lambda: pool.use().busy == 2)
        more = await asyncio.gather(*(pool.read("SELECT 1 AS one") for _ in range(2)), return_exceptions=True)
        refusals.update(str(one) for one in more if isinstance(one, ClickhouseUnavailable))
        assert len(await asyncio.gather(*slow)) == 2
        # On a busy machine the slow queries may end before the others have waited.
        wanted = ("the queue for ClickHouse is full: 1 wait already", "no place for ClickHouse became free")
        return all(any(text in one for one in refusals) for text in wanted)

    await wait_until(are_limited)


async def test_a_wrong_password_is_reported_and_never_shown(interface: Interface) -> None:
    wrong = interface.url.replace("open-sesame", "hush-hush")
    with pytest.raises(ClickhouseUnavailable, match="refuses the user or the password") as caught:
        await ClickhousePool.open(settings(wrong), RESILIENCE)
    assert "hush" not in str(caught.value) + repr(dict(caught.value.facts))


async def test_a_missing_table_is_reported(pool: ClickhousePool) -> None:
    await pool.command("DROP TABLE observation_history SYNC")
    with pytest.raises(ClickhouseUnavailable, match="a table is missing"):
        await ClickhouseHistory(pool).archive_ids()


async def test_a_mistake_in_the_program_is_no_outage(pool: ClickhousePool) -> None:
    with pytest.raises(Exception, match="SYNTAX_ERROR") as caught:
        await pool.read("SELEKT 1")
    assert not isinstance(caught.value, ClickhouseUnavailable)


async def test_a_server_that_is_away_is_left_alone_after_a_while(pool: ClickhousePool, interface: Interface) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        unused = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ClickhouseAway, match="cannot be reached") as refused:
        await ClickhousePool.open(settings(unused, connect_timeout_s=1.0), RESILIENCE)
    assert refused.value.where == f"{unused.removeprefix('http://')}: Connection refused"
    interface.broken = 1_000
    try:
        with pytest.raises(ClickhouseAway, match="cannot be reached"):
            await pool.read("SELECT 1 AS one")
        requests = len(interface.requests)
        with pytest.raises(ClickhouseUnavailable, match="has failed repeatedly"):
            await pool.read("SELECT 1 AS one")
        assert len(interface.requests) == requests
        assert pool.guards.circuits[0].state().circuit == "open"
    finally:
        interface.broken = 0
