"""Row-level security: a query without a filter by tenant gets the rows of its own tenant and no others."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.errors import NotFound
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.ports.access import Actor, ApiKey, OtherTenant
from aurum.storage.ports.jobs import NewJob
from aurum.storage.ports.links import Link
from aurum.storage.ports.usage import DayUsage, UsageBatch
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.builders import T0
from aurum.storage.testing.databases import server_folder
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

OPERATOR = Actor("key:operator")


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    for tenant in ("acme", "bolt"):
        async with postgres_store.transactions.transaction(by=OPERATOR) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")
        key = ApiKey(f"{tenant}-key", tenant, "k", ("user",), (), T0, "test")
        async with postgres_store.transactions.transaction(by=OPERATOR, tenant=tenant) as tx:
            await tx.keys.insert(key, b"digest")
            await tx.links.insert(Link(f"{tenant}-link", tenant, f"key:{key.key_id}", "/v2", (), T0, T0), most=9)
            await tx.jobs.submit([NewJob("invented", {}, "bulk", tenant=tenant)])
            await tx.audit.append("key.create", key.key_id, {})
        await postgres_store.idempotency.begin(tenant, "key", b"fingerprint", claim_s=60.0)
        await postgres_store.usage.add(UsageBatch(tenant, 1, [DayUsage(tenant, "key:k", T0.date(), 1, 2, 3)]))
    return postgres_store


async def test_every_table_with_a_tenant_has_row_level_security_and_a_policy(store: PostgresStore) -> None:
    query = """
        SELECT c.relname, c.relrowsecurity, EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid) AS has_policy
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attname = 'tenant_id'
    """
    async with store.pool.acquire() as connection:
        tables = {row["relname"]: (row["relrowsecurity"], row["has_policy"]) for row in await connection.fetch(query)}
    assert {"api_key", "audit", "link", "tenant", "idempotency", "usage_day", "job"} <= set(tables)
    assert {name for name, secured in tables.items() if secured != (True, True)} == set()


@pytest.mark.parametrize("table", ["api_key", "audit", "link", "tenant", "idempotency", "usage_day", "job"])
async def test_a_forgotten_filter_leaks_nothing(store: PostgresStore, table: str) -> None:
    async with store.pool.for_tenant("acme") as connection:
        assert {row["tenant_id"] for row in await connection.fetch(f"SELECT * FROM {table}")} == {"acme"}


async def test_a_forgotten_filter_changes_and_deletes_nothing_of_others(store: PostgresStore) -> None:
    async with store.pool.for_tenant("acme") as connection:
        assert await connection.execute("UPDATE api_key SET name = 'mine'") == "UPDATE 1"
        assert await connection.execute("DELETE FROM api_key") == "DELETE 1"
    assert (await store.keys.read("bolt", "bolt-key")).name == "k"


async def test_rows_cannot_be_given_to_another_tenant(store: PostgresStore) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.pool.for_tenant("acme") as connection:
            await connection.execute("UPDATE api_key SET tenant_id = 'bolt'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.pool.for_tenant("acme") as connection:
            await connection.execute(
                "INSERT INTO audit (tenant_id, actor, action, target, detail, request_id, address) "
                "VALUES ('bolt', '', '', '', '{}', '', '')"
            )


async def test_jobs_of_the_platform_belong_to_no_tenant(store: PostgresStore) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.jobs.submit([NewJob("invented", {}, "bulk")])
    for tenant in ("acme", ""):
        async with store.pool.for_tenant(tenant) as connection:
            assert await connection.fetchval("SELECT count(*) FROM job WHERE tenant_id IS DISTINCT FROM 'acme'") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.pool.for_tenant("acme") as connection:
            await connection.execute("UPDATE job SET tenant_id = NULL")


async def test_a_connection_without_a_tenant_sees_no_row(store: PostgresStore) -> None:
    async with store.pool.for_tenant("") as connection:
        assert await connection.fetchval("SELECT count(*) FROM api_key") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM observation",
        "DELETE FROM series",
        "UPDATE plan SET per_minute = 1",
        "SELECT * FROM service_secret",
        "DELETE FROM link",
    ],
)
async def test_a_tenant_cannot_reach_tables_without_tenants(store: PostgresStore, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.pool.for_tenant("acme") as connection:
            await connection.execute(statement)


async def test_the_audit_log_cannot_be_changed(store: PostgresStore) -> None:
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with store.pool.for_tenant("acme") as connection:
                await connection.execute(statement)


async def test_a_transaction_of_a_tenant_is_bound_though_its_user_is_a_superuser(store: PostgresStore) -> None:
    async with store.pool.acquire() as connection:
        assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        with pytest.raises(NotFound):
            await tx.keys.locked("bolt-key")
        await tx.keys.expire("bolt-key", T0)
    assert (await store.keys.read("bolt", "bolt-key")).expires_at is None
    with pytest.raises(OtherTenant):
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.audit.append("key.create", "bolt-key", {}, tenant="bolt")
    # The server refuses it too, in case the writer does not.
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.pool.for_tenant("acme") as connection:
            await connection.execute(
                """INSERT INTO audit (tenant_id, actor, action, target, detail, request_id, address)
                   VALUES ('bolt', '', '', '', '{}', '', '')"""
            )


async def test_a_connection_is_not_bound_to_the_tenant_afterwards(store: PostgresStore) -> None:
    async with store.pool.for_tenant("acme"):
        pass
    async with store.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM api_key") == 2


async def test_an_owner_without_superuser_rights_can_act_for_tenants() -> None:
    # A server of its own: roles belong to the whole server, and the result differs for a role that exists already.
    with server_folder() as folder, EmbeddedPostgres(folder) as server:
        connection = await asyncpg.connect(server.url_of("postgres"))
        await connection.execute("CREATE ROLE keeper LOGIN CREATEROLE")
        await connection.execute("CREATE DATABASE owned OWNER keeper")
        await connection.close()
        url = server.url_of("owned").replace("//postgres:", "//keeper:")
        await upgrade(url)
        pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
        store = PostgresStore(pool, SystemClock())
        async with store.transactions.transaction(by=OPERATOR, tenant="local") as tx:
            await tx.keys.insert(ApiKey("k", "local", "k", ("user",), (), T0, "test"), b"digest")
        assert [key.key_id for key in await store.keys.page("local", after=None, limit=5)] == ["k"]
        await pool.close()
