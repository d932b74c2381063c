"""A caller without limits in practice, for figures with everything on."""

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
    """Return the header of a key whose tenant is on a plan that no bench uses up: limits are counted and never reached."""
    pool = await PostgresPool.open(DatabaseSettings(url=database, pool_size=2))
    transactions = PostgresTransactions(pool)
    await put_plan(transactions, _PLAN, by=_OPERATOR)
    await change_tenant(transactions, "local", plan=_PLAN.name, by=_OPERATOR)
    wish = NewKey("local", "bench", (Role.USER,))
    issued = await create_key(transactions, wish, by=_OPERATOR, now=SystemClock().now())
    await pool.close()
    return f"Authorization: Bearer {issued.text}"
