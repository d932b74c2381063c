"""Errors in a block that holds a connection: those of the database are translated, those of the block are not."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from aurum.common.settings import DatabaseSettings
from aurum.storage.ports.errors import LostRace
from aurum.storage.ports.history import ArchiveRunning
from aurum.storage.postgres.connection.errors import DatabaseUnavailable
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.files.log import PostgresFileLog
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres


@pytest.mark.parametrize(
    "error", [FileNotFoundError("/data/month.parquet"), OSError(28, "no space left on device"), KeyError("x")]
)
async def test_an_error_of_the_block_itself_is_not_the_databases(database_url: str, error: Exception) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    with pytest.raises(type(error)):
        async with pool.begin():
            raise error
    assert pool.use().busy == 0
    await pool.close()


async def test_a_load_that_takes_too_long_names_the_setting(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2, load_timeout_s=0.2))
    with pytest.raises(DatabaseUnavailable, match="AURUM_DATABASE__LOAD_TIMEOUT_S"):
        async with pool.begin_long() as connection:
            await connection.execute("SELECT pg_sleep(30)")
    await pool.close()


async def test_an_error_without_a_translation_is_raised_as_it_is(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    with pytest.raises(asyncpg.UndefinedColumnError) as caught:
        async with pool.acquire() as connection:
            await connection.execute("SELECT nothing_of_that_name")
    assert caught.value.__cause__ is None
    await pool.close()


async def test_a_column_that_a_migration_adds_disturbs_no_transaction(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    files, other = PostgresFileLog(pool), await asyncpg.connect(database_url)
    await files.applied("digest")
    await other.execute("ALTER TABLE ingest_file ADD COLUMN invented text")
    async with pool.begin() as connection:
        assert await connection.fetch("SELECT file_id FROM ingest_file") == []
    assert await files.applied("digest") == []
    await other.close()
    await pool.close()


async def test_a_statement_that_no_longer_fits_the_schema_can_be_done_again(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    other = await asyncpg.connect(database_url)
    async with pool.begin() as connection:
        await connection.fetch("SELECT * FROM source")
    await other.execute("ALTER TABLE source ADD COLUMN invented text")
    with pytest.raises(LostRace, match="schema"):
        async with pool.begin() as connection:
            await connection.fetch("SELECT * FROM source")
    async with pool.begin() as connection:
        await connection.fetch("SELECT * FROM source")
    await other.close()
    await pool.close()


async def test_a_run_of_the_archive_that_is_cancelled_leaves_no_lock(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    log = PostgresArchiveLog(pool)

    async def run(locked: asyncio.Event) -> None:
        async with log.exclusive_run():
            locked.set()

    for turns in range(40):
        locked = asyncio.Event()
        task = asyncio.create_task(run(locked))
        await asyncio.wait([task, waiting := asyncio.create_task(locked.wait())], return_when=asyncio.FIRST_COMPLETED)
        for _ in range(turns % 4):  # the run is releasing the lock
            await asyncio.sleep(0)
        task.cancel()
        waiting.cancel()
        await asyncio.wait([task, waiting])
    other = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    await _free(PostgresArchiveLog(other))
    await other.close()
    await pool.close()


async def _free(log: PostgresArchiveLog) -> None:
    """Wait until the server has noticed the end of connections that were cut."""

    async def is_free() -> bool:  # no client is told that the server has ended a session
        try:
            async with log.exclusive_run():
                return True
        except ArchiveRunning:
            return False

    await wait_until(is_free)
