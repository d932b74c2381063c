from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from aurum.common.settings import DatabaseSettings
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import status, upgrade
from aurum.storage.postgres.pool import PostgresPool
from aurum.storage.postgres.tables import metadata


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_migrations_make_the_tables_the_adapter_reads(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url))
    async with pool.catalog() as connection:
        assert await connection.run_sync(differences) == []
    await pool.close()


async def test_a_second_upgrade_does_nothing(database_url: str) -> None:
    before = await status(database_url)
    assert before.is_current
    assert await upgrade(database_url) == before


async def test_an_empty_database_says_that_it_was_never_migrated(postgres_server: EmbeddedPostgres) -> None:
    found = await status(postgres_server.url_of("postgres"))
    assert found.current is None
    assert not found.is_current
