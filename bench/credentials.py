"""A caller whose rate limits are never reached, for figures with authentication and limits on."""

from __future__ import annotations

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.access import RatePlan, Role
from aurum.services.access import NewKey, change_tenant, create_key, put_plan
from aurum.storage.ports.access import Actor
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.transaction import PostgresTransactions

_PLAN = RatePlan("bench", 2_000_000_000, 2_000_000_000, 2_000_000_000, 1_000.0, 1_000)
_OPERATOR = Actor("bench")


async def bearer(database: str) -> str:
    """Create an API key on a plan that no bench uses up, and return its header. Limits are counted and never reached."""
    pool = await PostgresPool.open(DatabaseSettings(url=database, pool_size=2))
    transactions = PostgresTransactions(pool)
    await put_plan(transactions, _PLAN, by=_OPERATOR)
    await change_tenant(transactions, "local", plan=_PLAN.name, by=_OPERATOR)
    request = NewKey("local", "bench", (Role.USER,))
    issued = await create_key(transactions, request, by=_OPERATOR, now=SystemClock().now())
    await pool.close()
    return f"Authorization: Bearer {issued.text}"
