import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import status, upgrade
from aurum.storage.postgres.tables import metadata


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_migrations_make_the_tables_the_adapter_reads(database_url: str) -> None:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_a_second_upgrade_does_nothing(database_url: str) -> None:
    before = await status(database_url)
    assert before.is_current
    assert await upgrade(database_url) == before


async def test_an_empty_database_says_that_it_was_never_migrated(postgres_server: EmbeddedPostgres) -> None:
    found = await status(postgres_server.url_of("postgres"))
    assert found.current is None
    assert not found.is_current
