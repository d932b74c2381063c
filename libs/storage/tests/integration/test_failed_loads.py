"""A load that fails at any of its steps leaves no rows."""

from __future__ import annotations

import pytest

from aurum.core.catalog.quality import Reason
from aurum.core.errors import Unavailable
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

STEPS = (
    "series",
    "observation",
    "observation_version",
    "observation_confirmation",
    "completeness",
    "ingest_file",
    "file_series",
    "quarantine",
)


async def refuse_writes(store: PostgresStore, table: str) -> None:
    """Make every write to a table fail as on a full disk."""
    async with store.pool.acquire() as connection:
        await connection.execute(
            """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
               AS $$ BEGIN RAISE EXCEPTION 'no write' USING ERRCODE = 'disk_full'; END $$"""
        )
        await connection.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION refuse()"
        )


async def accept_writes(store: PostgresStore, table: str) -> None:
    async with store.pool.acquire() as connection:
        await connection.execute(f"DROP TRIGGER refuse ON {table}")


async def everything(store: PostgresStore) -> dict[str, list[str]]:
    async with store.pool.acquire() as connection:
        return {
            table: [row[0] for row in await connection.fetch(f"SELECT t::text FROM {table} AS t ORDER BY 1")] for table in STEPS
        }


@pytest.mark.parametrize("table", STEPS)
async def test_a_load_that_fails_at_one_of_its_tables_leaves_all_as_it_was_and_can_be_repeated(
    postgres_store: PostgresStore, table: str
) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0)], digest="first", held=[(3, Reason.NON_NUMERIC)]))
    before = await everything(postgres_store)
    await refuse_writes(postgres_store, table)
    # The file revises, confirms and adds a point, and holds a row back.
    second = file_load(
        [(0, 2, 1.5), (1, 2, 2.0), (2, 2, 3.0)], digest="second", location_name="Renamed", held=[(4, Reason.NON_NUMERIC)]
    )
    with pytest.raises(Unavailable):
        await postgres_store.loader.load(second)
    assert await everything(postgres_store) == before
    assert await postgres_store.loader.already_loaded("second") is None
    await accept_writes(postgres_store, table)
    outcome = await postgres_store.loader.load(second)
    assert (outcome.new, outcome.revised, outcome.unchanged, outcome.quarantined) == (1, 1, 1, 1)
