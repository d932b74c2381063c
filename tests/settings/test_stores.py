"""AURUM_DATABASE__*, AURUM_HISTORY__*, AURUM_TRINO__*, AURUM_CLICKHOUSE__*, AURUM_REDIS__*, AURUM_RESILIENCE__*."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import requests
import stamina
from stamina.instrumentation import RetryDetails
from trino.auth import BasicAuthentication

from aurum.api.testing import InMemory, Served, file_of, hourly, serving
from aurum.assembly.history import history_of, iceberg_of
from aurum.assembly.pipeline_jobs import PipelineJobs
from aurum.assembly.pipelines import Pipelines
from aurum.assembly.postgres import open_store
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.errors import Unavailable
from aurum.pipelines.history.archive import archive_of
from aurum.services.jobs.definitions import ArchiveMonths
from aurum.storage.clickhouse import ClickhousePool
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.loader import FileLoader
from aurum.storage.memory import MemoryHistory, MemoryStore
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.files.log import PostgresFileLog
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.postgres.private_connections import PrivatePool
from aurum.storage.postgres.transaction import PostgresTransactions
from aurum.storage.trino import TrinoAway, TrinoHistory, TrinoPool, TrinoUnavailable
from aurum.storage.trino import lake as iceberg
from aurum.storage.trino.lake import Lake
from aurum.storage.trino.pool import _Query

from .conftest import HOURLY, START
from .trino_stub import Trino, trino_stub

shows, needs = pytest.mark.shows, pytest.mark.given


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def pool(settings: Settings, database_url: str) -> AsyncIterator[PostgresPool]:
    """Connections to an empty database, with the pool settings of the test."""
    database = settings.database.model_copy(update={"url": database_url})
    while True:  # a busy machine may take longer than the limit of a test
        with suppress(Unavailable):
            pool = await PostgresPool.open(database)
            break
    yield pool
    await pool.close()


async def acquire_all(stack: AsyncExitStack, acquire: Callable[[], AbstractAsyncContextManager[object]], count: int) -> None:
    """Take connections, again while a busy machine takes longer than the limit of a test."""
    while count:
        with suppress(Unavailable):
            await stack.enter_async_context(acquire())
            count -= 1


@shows(AURUM_DATABASE__URL="postgresql://reader@db.example/desk")
async def test_the_database_of_the_url_is_connected_to(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []

    async def refused(url: str, **_options: object) -> None:
        urls.append(url)
        raise OSError("there is no such host")

    monkeypatch.setattr(asyncpg, "create_pool", refused)
    with pytest.raises(Unavailable):
        await PostgresPool.open(settings.database)
    assert urls == ["postgresql://reader@db.example/desk"]


@shows(AURUM_DATABASE__POOL_SIZE="2", AURUM_DATABASE__CONNECT_TIMEOUT_S="0.2")
async def test_so_many_connections_are_made_and_waited_for_so_long(pool: PostgresPool) -> None:
    async with AsyncExitStack() as stack:
        await acquire_all(stack, pool.acquire, 2)
        with pytest.raises(Unavailable):
            async with pool.acquire():
                pytest.fail("there was a third")


@shows(AURUM_DATABASE__PRIVATE_POOL_SIZE="1")
@needs(AURUM_DATABASE__CONNECT_TIMEOUT_S="0.2")
async def test_private_series_have_so_many_connections_of_their_own(settings: Settings, database_url: str) -> None:
    private_pool = PrivatePool(settings.database.model_copy(update={"url": database_url}))
    async with AsyncExitStack() as stack:
        await acquire_all(stack, lambda: private_pool.acquire("local"), 1)
        with pytest.raises(Unavailable):
            async with private_pool.acquire("local"):
                pytest.fail("there was a second")
    await private_pool.close()


@shows(AURUM_DATABASE__STATEMENT_TIMEOUT_S="0.1")
async def test_the_server_ends_a_read_that_takes_too_long(pool: PostgresPool) -> None:
    with pytest.raises(Unavailable):
        async with pool.acquire() as connection:
            await connection.fetchval("SELECT pg_sleep(60)")


@shows(AURUM_DATABASE__LOAD_TIMEOUT_S="0.3")
async def test_the_server_ends_a_load_that_takes_too_long(pool: PostgresPool, database_url: str) -> None:
    file = file_of(hourly(HOURLY, START, [1.0]))
    other = await asyncpg.connect(database_url)
    try:
        async with other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", file.record.digest)
            with pytest.raises(Unavailable):
                await FileLoader(PostgresTransactions(pool), PostgresFileLog(pool)).load(file)
    finally:
        await other.close()


# --- history ----------------------------------------------------------------------------------------------------------


def history(settings: Settings) -> Any:
    return history_of(settings, SystemClock())


@shows(AURUM_HISTORY__TIER="none")
def test_there_may_be_no_history(settings: Settings) -> None:
    assert history(settings) is None


@shows(AURUM_HISTORY__URL="months")
async def test_history_is_where_the_url_says(settings: Settings, tmp_path: Path) -> None:
    store = history(settings)
    assert isinstance(store, DuckdbHistory)
    assert store._files.location.endswith("months")
    await store.close()


@shows(AURUM_HISTORY__POOL_SIZE="3", AURUM_HISTORY__MEMORY="300MB")
async def test_queries_of_history_have_so_many_threads_and_so_much_memory(settings: Settings) -> None:
    store = history(settings)
    row = await store._engine.run(
        lambda cursor: cursor.execute("SELECT current_setting('threads'), current_setting('memory_limit')").fetchone()
    )
    await store.close()
    assert row == (3, "286.1 MiB")


@shows(AURUM_HISTORY__CHUNK_ROWS="123", AURUM_HISTORY__GRACE_S="77")
def test_an_archive_run_holds_so_many_rows_and_spares_readers(settings: Settings, pool: PostgresPool) -> None:
    archive = archive_of(settings.history, settings.database, PostgresArchiveLog(pool), MemoryHistory())
    assert (archive.chunk_rows, archive.grace) == (123, timedelta(seconds=77))
    assert history(settings)._grace == timedelta(seconds=77)


@shows(AURUM_HISTORY__CLOSED_AFTER_DAYS="7")
async def test_months_are_archived_so_long_after_their_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    ages: list[timedelta] = []

    async def closed(*_args: object, closed_after: timedelta, **_options: object) -> AsyncIterator[object]:
        ages.append(closed_after)
        return
        yield

    monkeypatch.setattr("aurum.assembly.pipeline_jobs.archive_closed", closed)
    database = settings.database.model_copy(update={"url": database_url})
    elsewhere = settings.history.model_copy(update={"url": "history"})
    async with open_store(settings.model_copy(update={"database": database, "history": elsewhere})) as store:
        nothing_runs: Any = None
        await PipelineJobs(Pipelines(store), lambda *_: None).archive_months(ArchiveMonths(), nothing_runs)
    assert ages == [timedelta(days=7)]


# --- Trino ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def trino() -> Iterator[Trino]:
    with trino_stub() as stub:
        yield stub


@pytest.fixture
async def iceberg_history(settings: Settings, trino: Trino) -> AsyncIterator[TrinoHistory]:
    """The history in Trino that settings configure, on the stub."""
    here = settings.trino.model_copy(update={"host": settings.trino.host or "127.0.0.1", "port": trino.port})
    store = history(settings.model_copy(update={"trino": here}))
    assert isinstance(store, TrinoHistory)
    yield store
    await store.close()


@shows(
    AURUM_TRINO__HOST="localhost",
    AURUM_TRINO__USER="desk",
    AURUM_TRINO__CATALOG="lake",
    AURUM_TRINO__SCHEMA="power",
    AURUM_TRINO__STATEMENT_TIMEOUT_S="7",
)
@needs(AURUM_HISTORY__TIER="trino")
async def test_trino_is_asked_where_and_as_settings_say(
    settings: Settings, iceberg_history: TrinoHistory, trino: Trino
) -> None:
    await iceberg_history.archive_ids()
    statement, headers = trino.statements[-1]
    assert "lake.power." in statement
    assert (headers["X-Trino-User"], headers["X-Trino-Catalog"], headers["X-Trino-Schema"]) == ("desk", "lake", "power")
    assert headers["Host"].startswith("localhost:")
    assert "query_max_run_time=7.000s" in headers["X-Trino-Session"]
    assert iceberg_of(settings.history, settings.trino) == ("lake", "power")


@shows(AURUM_TRINO__UPKEEP_TIMEOUT_S="99", AURUM_TRINO__KEEP_SNAPSHOTS="P20D")
@needs(AURUM_HISTORY__TIER="trino")
async def test_tables_are_looked_after_for_so_long_and_snapshots_stay(iceberg_history: TrinoHistory, trino: Trino) -> None:
    await iceberg_history.upkeep()
    ((statement, headers),) = [one for one in trino.statements if "expire_snapshots" in one[0]]
    assert f"'{20 * 86_400}s'" in statement
    assert "query_max_run_time=99.000s" in headers["X-Trino-Session"]


@shows(AURUM_TRINO__PORT="9999", AURUM_TRINO__PASSWORD="open-sesame", AURUM_TRINO__TLS="true", AURUM_TRINO__CA_FILE="ca.pem")
@needs(AURUM_TRINO__HOST="trino.example")
async def test_a_password_goes_over_tls_to_a_server_that_is_known(settings: Settings) -> None:
    pool = TrinoPool(settings.trino, settings.resilience)
    session = pool._session()
    connection = _Query(session, settings.trino, "SELECT 1", [], 1.0)._connection
    assert (connection.port, connection.http_scheme) == (9999, "https")
    assert connection.auth == BasicAuthentication("aurum", "open-sesame")
    assert session.verify == "ca.pem"
    await pool.close()


@shows(AURUM_TRINO__POOL_SIZE="3", AURUM_TRINO__CONNECT_TIMEOUT_S="0.01")
@needs(AURUM_TRINO__HOST="trino.example")
async def test_so_many_queries_are_under_way_and_a_place_is_waited_for_so_long(settings: Settings) -> None:
    pool = TrinoPool(settings.trino, settings.resilience)
    (places,) = pool.guards.bulkheads
    assert places.places == 3
    for _ in range(3):
        assert places.try_enter()
    with pytest.raises(TrinoUnavailable):
        await pool.read("SELECT 1")
    assert _Query(requests.Session(), settings.trino, "SELECT 1", [], 1.0)._connection.request_timeout[0] == 0.01
    await pool.close()


@shows(
    AURUM_TRINO__CATALOG_URI="postgresql://aurum@db/iceberg",
    AURUM_TRINO__CATALOG_NAME="desk",
    AURUM_TRINO__WAREHOUSE="s3://bucket/folder",
    AURUM_TRINO__S3_ENDPOINT="http://store:9000",
    AURUM_TRINO__S3_REGION="eu-central-1",
    AURUM_TRINO__S3_KEY="key",
    AURUM_TRINO__S3_SECRET="open-sesame",
)
def test_tables_are_written_where_settings_say(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    properties_seen: dict[str, str] = {}
    monkeypatch.setattr(iceberg, "SqlCatalog", lambda name, **properties: properties_seen.update(properties, name=name))
    Lake(settings.trino)._opened()
    assert properties_seen == {
        "name": "desk",
        "uri": "postgresql+psycopg2://aurum@db/iceberg",
        "warehouse": "s3://bucket/folder",
        "init_catalog_tables": "false",
        "s3.endpoint": "http://store:9000",
        "s3.region": "eu-central-1",
        "s3.access-key-id": "key",
        "s3.secret-access-key": "open-sesame",
    }


# --- ClickHouse -------------------------------------------------------------------------------------------------------


class Connected:
    """A stub of the driver's client, which records its options."""

    def __init__(self, **options: object) -> None:
        self.options = options
        self.database: str | None = None

    def close(self) -> None: ...


@pytest.fixture
async def clickhouse(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ClickhousePool]:
    monkeypatch.setattr("aurum.storage.clickhouse.driver.create_client", Connected)
    pool = ClickhousePool(settings.clickhouse, settings.resilience)
    yield pool
    await pool.close()


@shows(
    AURUM_CLICKHOUSE__URL="http://reader:open-sesame@ch:8123",
    AURUM_CLICKHOUSE__DATABASE="desk",
    AURUM_CLICKHOUSE__CONNECT_TIMEOUT_S="7",
    AURUM_CLICKHOUSE__READ_TIMEOUT_S="11",
    AURUM_CLICKHOUSE__WRITE_TIMEOUT_S="13",
)
async def test_clickhouse_is_asked_where_and_for_as_long_as_settings_say(clickhouse: ClickhousePool) -> None:
    reader: Any = clickhouse._client(clickhouse._readers)
    writer: Any = clickhouse._client(clickhouse._writers)
    assert (reader.options["dsn"], reader.database) == ("http://reader:open-sesame@ch:8123", "desk")
    assert reader.options["connect_timeout"] == 7
    margin_s = 5
    assert [one.options["send_receive_timeout"] - margin_s for one in (reader, writer)] == [11, 13]


@shows(AURUM_CLICKHOUSE__FOLDER="copy")
async def test_the_embedded_engine_has_its_folder(clickhouse: ClickhousePool, tmp_path: Path) -> None:
    client: Any = clickhouse._client(clickhouse._readers)
    assert client.options == {"interface": "chdb", "path": "copy"}
    assert (tmp_path / "copy").is_dir()


@shows(AURUM_CLICKHOUSE__POOL_SIZE="2", AURUM_CLICKHOUSE__QUEUE="1", AURUM_CLICKHOUSE__WAIT_S="0.01")
@needs(AURUM_CLICKHOUSE__URL="http://ch:8123")
async def test_so_many_queries_of_the_copy_are_under_way_and_some_wait(clickhouse: ClickhousePool) -> None:
    (places,) = clickhouse.guards.bulkheads
    assert places.places == 2
    for _ in range(2):
        assert places.try_enter()
    waiting = asyncio.create_task(clickhouse.read("SELECT 1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    results = await asyncio.gather(waiting, clickhouse.read("SELECT 1"), return_exceptions=True)
    assert all(isinstance(one, Unavailable) for one in results)
    assert (places.state().full, places.state().waited_too_long) == (1, 1)


# --- Redis ------------------------------------------------------------------------------------------------------------


@shows(AURUM_REDIS__URL="redis://127.0.0.1:1/7", AURUM_RESILIENCE__REDIS_TIMEOUT_S="0.125")
async def test_redis_is_asked_where_settings_say_and_not_waited_for(served: Served) -> None:
    connection = served.state["sharing"]._client.connection_pool.connection_kwargs
    assert (connection["port"], connection["db"]) == (1, 7)
    assert (connection["socket_timeout"], connection["socket_connect_timeout"]) == (0.125, 0.125)


# --- resilience -------------------------------------------------------------------------------------------------------

TRINO = needs(AURUM_HISTORY__TIER="trino")


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """The scheduled waits before attempts, in seconds."""
    scheduled: list[float] = []

    def note(details: RetryDetails) -> None:
        scheduled.append(details.wait_for)

    before = stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks([note])
    yield scheduled
    stamina.instrumentation.set_on_retry_hooks(before)


async def failed(store: TrinoHistory, trino: Trino) -> None:
    trino.status = 503
    with pytest.raises(TrinoAway):
        await store._pool.read("SELECT 1")


@shows(
    AURUM_RESILIENCE__RETRY_ATTEMPTS="5",
    AURUM_RESILIENCE__RETRY_FIRST_WAIT_S="0.01",
    AURUM_RESILIENCE__RETRY_MOST_WAIT_S="0.03",
    AURUM_RESILIENCE__RETRY_JITTER_S="0",
)
@needs(AURUM_RESILIENCE__BREAKER_FAILURES="100")
@TRINO
async def test_trino_is_asked_again_after_growing_waits(
    iceberg_history: TrinoHistory, trino: Trino, waits: list[float]
) -> None:
    await failed(iceberg_history, trino)
    assert len(trino.statements) == 5
    assert waits == pytest.approx([0.01, 0.02, 0.03, 0.03])


@shows(AURUM_RESILIENCE__RETRY_WITHIN_S="0.05", AURUM_RESILIENCE__HTTP_TIMEOUT_S="0.04")
@needs(
    AURUM_RESILIENCE__RETRY_ATTEMPTS="1000",
    AURUM_RESILIENCE__RETRY_FIRST_WAIT_S="0.02",
    AURUM_RESILIENCE__BREAKER_FAILURES="1000",
    AURUM_ACCESS__ISSUER="http://issuer.example",
    AURUM_ACCESS__AUDIENCE="aurum",
)
@TRINO
async def test_all_attempts_have_a_time_and_calls_to_other_services_have_theirs(
    settings: Settings, store: MemoryStore, iceberg_history: TrinoHistory, trino: Trino
) -> None:
    await failed(iceberg_history, trino)
    assert len(trino.statements) < 10
    async with serving(settings, InMemory(store)) as served:
        assert served.state["authenticator"]._tokens._client.timeout.read == 0.04


@shows(AURUM_RESILIENCE__BREAKER_FAILURES="2", AURUM_RESILIENCE__BREAKER_OPEN_S="600")
@needs(AURUM_RESILIENCE__RETRY_ATTEMPTS="1")
@TRINO
async def test_trino_is_left_alone_after_so_many_failures_for_so_long(iceberg_history: TrinoHistory, trino: Trino) -> None:
    for _ in range(2):
        await failed(iceberg_history, trino)
    with pytest.raises(TrinoUnavailable, match="has failed repeatedly") as caught:
        await iceberg_history._pool.read("SELECT 1")
    assert len(trino.statements) == 2
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 60


@needs(AURUM_TRINO__HOST="trino.example", AURUM_RESILIENCE__RETRY_ATTEMPTS="7")
@TRINO
async def test_assembly_hands_resilience_to_trino(settings: Settings) -> None:
    store = history(settings)
    assert isinstance(store, TrinoHistory)
    assert store._pool._retry._settings.retry_attempts == 7
    await store.close()


@needs(AURUM_RESILIENCE__RETRY_ATTEMPTS="7")
async def test_assembly_hands_resilience_to_loads(settings: Settings, database_url: str) -> None:
    here = settings.model_copy(update={"database": settings.database.model_copy(update={"url": database_url})})
    async with open_store(here) as store:
        assert isinstance(store.files.loader, FileLoader)
        retry = store.files.loader._retry
        assert retry is not None
        assert (retry._settings.retry_attempts, retry._settings.retry_within_s) == (7, settings.database.load_timeout_s)
