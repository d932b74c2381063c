"""Private series on PostgreSQL: what the role of their connections may do, and what the server does without the role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.operations import RoleMissing
from aurum.storage.migrations.run import upgrade
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ReferenceKind
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.private.store import PostgresPrivateStores
from aurum.storage.postgres.private_connections import ROLE, SCHEMA, TABLES, PrivatePool, PrivateRoleMissing
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.curves import product_named, quotes_file
from aurum.storage.testing.databases import server_folder
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

BY = Actor("operator")
KEY = "private:series:meter:value"
CURVE = "power:XX:base:MINE"
POINTS = [(0, 1, 1.0), (0, 2, 2.0), (0, 3, 2.0), (1, 1, 3.0)]


async def fill(store: PostgresStore, tenant: str) -> None:
    private = store.private.of(tenant)
    file = file_load(POINTS, key=KEY, digest=tenant)
    async with private.transactions.transaction(by=BY) as tx:
        await tx.series.declare(file.parts[0].series)
    await private.loader.load(file)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(product_named(CURVE), tenant=tenant)
        await tx.curve_reference.put_reference(ReferenceKind.SHAPE, "mine", {}, tenant=tenant, version=None, by="key:one")
    await store.loader.load(quotes_file([(0, 0, 1, 1.0), (0, 0, 2, 2.0)], key=CURVE, tenant=tenant))


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    for tenant in ("acme", "bolt"):
        async with postgres_store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")
        await fill(postgres_store, tenant)
    return postgres_store


@pytest_asyncio.fixture(loop_scope="session")
async def bolt(store: PostgresStore) -> AsyncIterator[asyncpg.Connection]:
    async with store.private_pool.acquire("bolt") as connection:
        yield connection  # type: ignore[misc] - a proxy of the pool


async def test_every_private_table_is_secured_and_has_the_columns_of_the_shared_one(store: PostgresStore) -> None:
    query = """
        SELECT c.relname, c.relrowsecurity, (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid) AS policies,
               ARRAY(SELECT concat(attname, ' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' not null' END)
                     FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
        FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = $1::text::regnamespace
    """
    async with store.pool.acquire() as connection:
        private = {row["relname"]: row for row in await connection.fetch(query, SCHEMA)}
        shared = {row["relname"]: set(row["columns"]) for row in await connection.fetch(query, "public")}
    assert set(private) == set(TABLES)
    for name, row in private.items():
        assert (row["relrowsecurity"], row["policies"]) == (True, 1), name
        # A revision that adds a column to a shared table adds it to the private one, or loads of private series fail.
        assert set(row["columns"]) == shared[name] | {"tenant_id text not null"}, name


@pytest.mark.parametrize("table", TABLES)
async def test_a_statement_without_a_filter_sees_and_changes_rows_of_its_tenant_alone(
    store: PostgresStore, bolt: asyncpg.Connection, table: str
) -> None:
    async with store.pool.acquire() as owner:
        rows = {row[0]: row[1] for row in await owner.fetch(f"SELECT tenant_id, count(*) FROM private.{table} GROUP BY 1")}
    if rows:
        assert set(rows) == {"acme", "bolt"}
    for named in (table, f"private.{table}"):
        assert {row["tenant_id"] for row in await bolt.fetch(f"SELECT tenant_id FROM {named}")} <= {"bolt"}
        assert await bolt.fetchval(f"SELECT count(*) FROM {named} WHERE tenant_id = 'acme'") == 0
    assert await bolt.execute(f"UPDATE {table} SET tenant_id = tenant_id") == f"UPDATE {rows.get('bolt', 0)}"
    if rows:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bolt.execute(f"UPDATE {table} SET tenant_id = 'acme'")
    await bolt.execute(f"DELETE FROM {table}")
    async with store.pool.acquire() as owner:
        left = await owner.fetchval(f"SELECT count(*) FROM private.{table} WHERE tenant_id = 'acme'")
    assert left == rows.get("acme", 0)


async def test_without_a_tenant_nothing_is_seen_and_nothing_can_be_stored(store: PostgresStore) -> None:
    async with store.private_pool.acquire("") as connection:
        for table in TABLES:
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
        for tenant in ("DEFAULT", "''", "'acme'"):
            with pytest.raises(asyncpg.PostgresError) as caught:
                await connection.execute(
                    f"INSERT INTO completeness (series_id, day, expected, present, tenant_id) VALUES (1, now(), 1, 1, {tenant})"
                )
            assert isinstance(caught.value, asyncpg.InsufficientPrivilegeError | asyncpg.NotNullViolationError)
        await connection.execute("RESET aurum.tenant")
        assert await connection.fetchval("SELECT count(*) FROM series") == 0


async def test_a_connection_cannot_leave_its_role_and_forgets_its_tenant(store: PostgresStore) -> None:
    async with store.private_pool.acquire("bolt") as connection:
        process = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.execute("RESET ROLE")
        assert await connection.fetchval("SELECT current_user") == ROLE
    async with store.private_pool._pool._pool.acquire() as connection:  # type: ignore[union-attr] - as no caller gets it
        assert await connection.fetchval("SELECT pg_backend_pid()") == process
        assert await connection.fetchval("SELECT current_setting('aurum.tenant')") == ""
        assert await connection.fetchval("SELECT count(*) FROM observation") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM public.observation",
        "SELECT * FROM public.series",
        "DELETE FROM public.observation",
        "INSERT INTO public.source VALUES ('x', 'x', 'x', 'x')",
        "SELECT * FROM public.api_key",
        "SELECT * FROM public.tenant",
        "SELECT * FROM public.audit",
        "DELETE FROM public.audit",
        "SELECT setval('public.series_series_id_seq', 1)",
        "CREATE TABLE private.mine (n int)",
        "CREATE TABLE public.mine (n int)",
        "ALTER TABLE private.series DISABLE ROW LEVEL SECURITY",
        "INSERT INTO public.audit (tenant_id, actor, action, target, detail, request_id, address) "
        "VALUES ('acme', '', '', '', '{}', '', '')",
        "TRUNCATE private.observation",
    ],
)
async def test_the_role_reaches_nothing_else(bolt: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await bolt.execute(statement)


@pytest.mark.parametrize("table", ["observation", "product", "quote"])
@pytest.mark.parametrize("role", ["aurum_marts", "aurum_tenant"])
async def test_the_roles_of_models_and_of_keys_reach_no_private_series(store: PostgresStore, role: str, table: str) -> None:
    async with store.pool.begin() as connection:
        await connection.execute(f"SET LOCAL ROLE {role}; SET LOCAL aurum.tenant = 'acme'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.fetch(f"SELECT * FROM private.{table}")


async def test_loads_of_private_series_announce_nothing(store: PostgresStore, database_url: str) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(database_url)
    await listener.add_listener("aurum_changes", lambda *arguments: heard.append(str(arguments[3])))
    private = store.private.of("acme")
    await private.loader.load(file_load([(5, 1, 9.0)], key=KEY, digest="next"))
    async with private.transactions.transaction(by=BY) as tx:
        await tx.series.declare(file_load([], key=KEY, location_name="Another title").parts[0].series)
    async with store.pool.acquire() as connection:
        await connection.execute("SELECT pg_notify('aurum_changes', 'end')")
    await wait_until(lambda: "end" in heard)
    await listener.close()
    assert heard == ["end"]


async def test_a_load_that_is_killed_in_the_middle_leaves_nothing(store: PostgresStore) -> None:
    private = store.private.of("acme")
    (series,) = (await private.catalog.series_by_key([KEY])).values()
    before = await private.reader.versions([series.series_id], span=Span())
    async with store.pool.begin() as blocker:
        # The load waits here, with its points already written in its transaction.
        await blocker.execute("LOCK TABLE private.file_series IN ACCESS EXCLUSIVE MODE")
        loading = asyncio.create_task(private.loader.load(file_load([(7, 1, 9.0)], key=KEY, digest="killed")))
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

        async def killed() -> bool:
            async with store.pool.acquire() as connection:
                pid = await connection.fetchval(waiting)
                return pid is not None and await connection.fetchval("SELECT pg_terminate_backend($1)", pid)

        await wait_until(killed)
        with pytest.raises(Unavailable):
            await loading
    assert (await private.reader.versions([series.series_id], span=Span())).equals(before)
    assert (await private.loader.load(file_load([(7, 1, 9.0)], key=KEY, digest="killed"))).new == 1


async def test_a_tenant_with_private_series_cannot_be_deleted_by_statement(store: PostgresStore) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with store.pool.acquire() as connection:
            await connection.execute("DELETE FROM tenant WHERE tenant_id = 'acme'")


async def test_without_the_schema_no_name_means_a_shared_table(database_url: str) -> None:
    # The role is there, because another database of the server has private series.
    owner = await asyncpg.connect(database_url)
    await owner.execute("DROP SCHEMA private CASCADE; GRANT ALL ON ALL TABLES IN SCHEMA public TO aurum_private")
    private_pool = PrivatePool(DatabaseSettings(url=database_url))
    with pytest.raises(Unavailable, match=r"has no private series \(run `aurum db migrate`\)"):
        async with private_pool.acquire("local"):
            pytest.fail("it acts on shared tables")
    await private_pool.close()
    await owner.execute("DROP OWNED BY aurum_private")
    await owner.close()


async def test_without_the_right_to_create_roles_the_migration_says_what_to_run_and_then_works() -> None:
    # A server of its own, because roles belong to the whole server.
    with server_folder() as folder, EmbeddedPostgres(folder) as server:
        admin = await asyncpg.connect(server.url_of("postgres"))
        await admin.execute("CREATE ROLE keeper LOGIN")
        await admin.execute("CREATE DATABASE owned OWNER keeper")
        url = server.url_of("owned").replace("//postgres:", "//keeper:")
        for role in ("aurum_tenant", "aurum_marts", ROLE):
            with pytest.raises(RoleMissing, match=rf"may not create the role {role}: as an administrator run CREATE ROLE"):
                await upgrade(url)
            if role != ROLE:
                await admin.execute(f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO keeper")
        await admin.execute(f"CREATE ROLE {ROLE} NOLOGIN BYPASSRLS")
        with pytest.raises(RoleMissing, match=r"bypasses row-level security: .* ALTER ROLE aurum_private NOSUPERUSER"):
            await upgrade(url)
        await admin.execute(f"ALTER ROLE {ROLE} NOBYPASSRLS")
        with pytest.raises(RoleMissing, match=r"may not act as the role aurum_private: .* GRANT aurum_private TO keeper"):
            await upgrade(url)
        await admin.execute(f"GRANT {ROLE} TO keeper")
        assert (await upgrade(url)).is_current

        pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
        store = PostgresStore(pool, SystemClock())
        await fill(store, "local")
        assert (await store.private.of("local").reader.many([1], span=Span())).height == 2
        await store.close()
        await pool.close()

        await admin.execute(f"ALTER ROLE {ROLE} BYPASSRLS")
        await refused(url, "is not bound by row-level security")
        await admin.execute(f"ALTER ROLE {ROLE} NOBYPASSRLS; REVOKE {ROLE} FROM keeper")
        await refused(url, "cannot act as the role aurum_private, which private series need: as an administrator run CREATE")
        await admin.close()


async def refused(url: str, why: str) -> None:
    """Check that private series are refused for a reason, and shared ones are not."""
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    private_pool = PrivatePool(pool.settings)
    with pytest.raises(PrivateRoleMissing, match=why):
        await PostgresPrivateStores(private_pool, SystemClock()).of("local").catalog.series_by_key([KEY])
    assert await PostgresStore(pool, SystemClock()).catalog.series_by_key([KEY]) == {}
    await private_pool.close()
    await pool.close()
