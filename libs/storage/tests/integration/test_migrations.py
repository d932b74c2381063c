"""Migrations lead from every earlier schema to the tables of the adapters, one migrator at a time, in a store in use."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.compatibility import UnusableSchema
from aurum.storage.migrations.head import VERSIONS, newest_revision
from aurum.storage.migrations.installed import read_schema, read_state
from aurum.storage.migrations.run import TablesInUse, status, upgrade
from aurum.storage.ports.probe import MismatchKind
from aurum.storage.postgres.tables import metadata
from aurum.storage.testing.migrating import earlier_release, later_release
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

COLUMN = 'op.add_column("source", sa.Column("extra", sa.Text()))'
INDEX = 'create_index_concurrently("ix_invented", "source", ["title"], unique=True)'
NEXT = f"{int(newest_revision()) + 1:04d}"
REVISIONS = sorted(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_numbers = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def empty_url(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of a database without any schema that only this test uses."""
    name = f"unmigrated_{next(_numbers)}"
    async with connected(postgres_server.url_of("postgres")) as server:
        await server.execute(f"CREATE DATABASE {name}")
        yield postgres_server.url_of(name)
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def declare(connection: asyncpg.Connection, *names: str, title: str = "") -> None:
    rows = [(name, title or name) for name in names]
    await connection.executemany("INSERT INTO source (name, title, homepage, terms) VALUES ($1, $2, '', '')", rows)


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def differences_of(url: str) -> list[object]:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
    async with engine.connect() as connection:
        differing = await connection.run_sync(differences)
    await engine.dispose()
    return differing


async def test_migrations_make_the_tables_the_adapter_reads(database_url: str) -> None:
    assert await differences_of(database_url) == []


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_store_of_each_earlier_schema_is_migrated_with_its_rows(empty_url: str, tmp_path: Path, revision: str) -> None:
    earlier = await upgrade(empty_url, versions=earlier_release(tmp_path, revision))
    assert (earlier.current, earlier.is_current) == (revision, True)
    async with connected(empty_url) as connection:
        await declare(connection, "nyiso")
        assert (await read_schema(connection)).revision == revision
        await upgrade(empty_url)
        assert await connection.fetchval("SELECT title FROM source") == "nyiso"
        assert (await read_state(connection)).mismatch is None
    assert (await status(empty_url)).is_current
    assert await differences_of(empty_url) == []


async def test_daily_series_that_are_stored_get_the_calendar_of_their_market(empty_url: str, tmp_path: Path) -> None:
    await upgrade(empty_url, versions=earlier_release(tmp_path, "0012"))
    insert = """
        INSERT INTO series (key, source, dataset, location, measure, unit, currency, frequency, zone, location_name,
                            location_type, labels)
        VALUES (concat_ws(':', $1::text, $2::text, $3::text, 'value'), $1, $2, $3, 'value', 'MW', $4, $5, 'UTC', '', '', '{}')
    """
    calendars = {
        ("ecb", "reference_rates", "EURUSD", "USD", "1d"): "TARGET",
        ("datahub", "oil_daily", "brent", "USD", "1d"): "ENGLAND",
        ("datahub", "oil_daily", "wti", "USD", "1d"): "NYMEX",
        ("eia", "navigator_daily", "RNGWHHD", "USD", "1d"): "NYMEX",
        ("eia", "api_daily", "RBRTE", "USD", "1d"): "ENGLAND",
        ("eia", "api_daily", "CISO", None, "1d"): None,
        ("eia", "navigator_weekly", "RNGWHHD", "USD", "1w"): None,
        ("fred", "observations", "DGS10", None, "1d"): "US_TREASURY",
        ("fred", "observations", "DEXUSEU", "USD", "1d"): "US_FEDERAL",
        ("fred", "observations", "DFF", None, "1d"): None,
        ("fred", "observations", "UNLISTED", None, "1d"): "US_FEDERAL",
        ("fred", "observations", "WITHWEEKENDS", None, "1d"): None,
        ("fred", "observations", "SHORT", None, "1d"): None,
        ("nyiso", "damlbmp_zone", "61761", "USD", "1h"): None,
    }
    notified: list[object] = []
    async with connected(empty_url) as connection:
        await connection.executemany(insert, list(calendars))
        await connection.execute("UPDATE series SET version = 7")
        await connection.execute("""
            INSERT INTO observation (series_id, ts, value, quality, known_at)
            SELECT series_id, day AT TIME ZONE 'UTC', 1, 0, now()
            FROM series, generate_series('2025-01-01'::timestamp, '2025-01-31', interval '1 day') AS day
            WHERE location = 'WITHWEEKENDS' OR extract(isodow FROM day) < 6 AND (
                location IN ('UNLISTED', 'DFF') OR location = 'SHORT' AND day < '2025-01-15')
        """)
        await connection.add_listener("aurum_changes", lambda *call: notified.append(call[-1]))
        await upgrade(empty_url, versions=earlier_release(tmp_path, "0014"))
        changed = await connection.fetch("SELECT business_days FROM series WHERE version = 8")
        assert [row[0] for row in changed if row[0] is None] == []
        assert len(changed) == sum(calendar is not None for calendar in calendars.values())
        assert "catalog" in notified
        rows = await connection.fetch("SELECT source, dataset, location, currency, frequency, business_days FROM series")
    assert {tuple(row)[:5]: row["business_days"] for row in rows} == calendars


@pytest.mark.parametrize("error", ["feature_not_supported", "insufficient_privilege"])
async def test_a_server_that_does_not_allow_trigrams_is_migrated_without_them(empty_url: str, error: str) -> None:
    async with connected(empty_url) as connection:
        await connection.execute(f"""
            CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'this extension is not allowed' USING ERRCODE = '{error}'; END $$;
            CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION refuse();
        """)
        assert (await upgrade(empty_url)).is_current
        assert await connection.fetchval("SELECT count(*) FROM search_word") == 0
        assert await connection.fetchval("SELECT to_regproc('similarity')") is None


async def test_a_second_upgrade_does_nothing(database_url: str) -> None:
    before = await status(database_url)
    assert before.is_current
    assert await upgrade(database_url) == before


async def test_an_empty_database_says_that_it_was_never_migrated(empty_url: str) -> None:
    schema = await status(empty_url)
    assert schema.current is None
    assert not schema.is_current
    async with connected(empty_url) as connection:
        state = await read_state(connection)
    assert state.mismatch is not None
    assert state.mismatch.kind is MismatchKind.NOT_MIGRATED


async def test_this_code_runs_on_the_schema_of_the_next_release(database_url: str, tmp_path: Path) -> None:
    later = await upgrade(database_url, versions=later_release(tmp_path, COLUMN))
    assert later.current == NEXT
    async with connected(database_url) as connection:
        assert await read_state(connection) == await read_state(connection)
        state = await read_state(connection)
    assert (state.schema, state.mismatch) == (NEXT, None)
    again = await upgrade(database_url)
    assert (again.current, again.is_current, again.is_ahead) == (NEXT, True, True)


async def test_a_floor_above_this_code_is_refused_with_the_release_to_install(database_url: str, tmp_path: Path) -> None:
    body = 'raise_floor("{revision}", release="9.1")\nop.drop_column("source", "terms")'
    later = await upgrade(database_url, versions=later_release(tmp_path, body, kind="contract"))
    assert (later.current, later.floor) == (NEXT, NEXT)
    async with connected(database_url) as connection:
        state = await read_state(connection)
    assert state.mismatch is not None
    assert state.mismatch.kind is MismatchKind.CODE_TOO_OLD
    assert state.mismatch.detail.endswith("install release 9.1 or newer")
    with pytest.raises(UnusableSchema, match=r"install release 9\.1"):
        await upgrade(database_url)


async def test_a_floor_of_this_code_is_accepted_and_never_falls(database_url: str, tmp_path: Path) -> None:
    floor, lower = newest_revision(), REVISIONS[0]
    bodies = [f'raise_floor("{revision}", release="{revision}")' for revision in (floor, lower)]
    async with connected(database_url) as connection:
        before = await read_schema(connection)
    later = await upgrade(database_url, versions=later_release(tmp_path, *bodies, kind="contract"))
    assert later.floor == floor
    async with connected(database_url) as connection:
        assert (await read_state(connection)).mismatch is None
        release = before.floor_release if before.floor == floor else floor
        assert (await read_schema(connection)).floor_release == release


async def test_an_index_is_built_while_rows_are_written(database_url: str, tmp_path: Path) -> None:
    versions = later_release(tmp_path, INDEX, lock_timeout="100ms")
    async with connected(database_url) as writer, connected(database_url) as other:
        transaction = writer.transaction()
        await transaction.start()
        await declare(writer, "nyiso")
        migrating = asyncio.create_task(upgrade(database_url, versions=versions))

        async def waits() -> bool:
            return bool(await other.fetchval(WAITING))

        await wait_until(waits)
        await declare(other, "pjm")  # the index, which waits for the writer, does not block it
        await transaction.commit()
        assert (await migrating).current == NEXT
        assert await other.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_invented'::regclass")


async def test_an_index_that_failed_half_way_is_built_anew(database_url: str, tmp_path: Path) -> None:
    versions = later_release(tmp_path, INDEX)
    async with connected(database_url) as connection:
        await declare(connection, "a", "b", title="the same")
        with pytest.raises(asyncpg.UniqueViolationError):
            await upgrade(database_url, versions=versions)
        assert not await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_invented'::regclass")
        assert (await status(database_url)).current == newest_revision()
        await connection.execute("DELETE FROM source WHERE name = 'b'")
        assert (await upgrade(database_url, versions=versions)).current == NEXT
        assert await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_invented'::regclass")


async def test_two_migrators_go_one_after_the_other_across_commits(database_url: str, tmp_path: Path) -> None:
    versions = later_release(tmp_path, INDEX, COLUMN, 'op.create_table("invented", sa.Column("a", sa.Text()))')
    results = await asyncio.gather(*(upgrade(database_url, versions=versions) for _ in range(3)))
    assert {result.current for result in results} == {f"{int(NEXT) + 2:04d}"}


async def test_a_migration_that_fails_leaves_those_before_it(database_url: str, tmp_path: Path) -> None:
    versions = later_release(tmp_path, COLUMN, 'op.create_table("invented", sa.Column("a", sa.Text()))\nop.execute("SELECT x")')
    with pytest.raises(asyncpg.UndefinedColumnError):
        await upgrade(database_url, versions=versions)
    async with connected(database_url) as connection:
        assert (await read_schema(connection)).revision == NEXT
        assert await connection.fetchval("SELECT to_regclass('invented')") is None


async def test_rows_are_rewritten_in_transactions_that_are_bounded(database_url: str, tmp_path: Path) -> None:
    rewrite = "UPDATE source SET terms = 'new' WHERE name IN (SELECT name FROM source WHERE terms = '' ORDER BY name LIMIT 2)"
    versions = later_release(tmp_path, f'rewrite_rows("{rewrite}")')
    async with connected(database_url) as connection:
        await declare(connection, *"abcde")
        await upgrade(database_url, versions=versions)
        rows = await connection.fetch("SELECT terms, count(*) FROM source GROUP BY terms, xmin::text ORDER BY 2")
    assert [tuple(row) for row in rows] == [("new", 1), ("new", 2), ("new", 2)]


async def test_a_lock_that_is_not_free_is_tried_again_and_blocks_other_sessions_only_for_short_times(
    database_url: str, tmp_path: Path
) -> None:
    versions = later_release(tmp_path, COLUMN, lock_timeout="50ms")
    async with connected(database_url) as holder, connected(database_url) as other:
        transaction = holder.transaction()
        await transaction.start()
        await declare(holder, "nyiso")
        with pytest.raises(TablesInUse, match=f"migration {NEXT} waited 50ms for a lock, 5 times") as caught:
            await upgrade(database_url, versions=versions, pause_s=0.01)
        assert "\n" not in caught.value.detail
        migrating = asyncio.create_task(upgrade(database_url, versions=versions, pause_s=0.5))

        async def waits() -> bool:
            return bool(await other.fetchval(WAITING))

        await wait_until(waits)
        await transaction.commit()
        assert (await migrating).current == NEXT
