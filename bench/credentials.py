"""Somebody who may ask without end, for figures with everything on."""

from __future__ import annotations

import secrets

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.access import Plan
from aurum.core.api_keys import key_text
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.postgres import PostgresKeyStore, PostgresPool, PostgresTenantStore

_PLAN = Plan("bench", 2_000_000_000, 2_000_000_000, 2_000_000_000, 1_000.0, 1_000)
_OPERATOR = Actor("bench")


async def bearer(database: str) -> str:
    """The header of a key whose tenant is on a plan that no bench uses up: limits are counted and never reached."""
    pool = await PostgresPool.open(DatabaseSettings(url=database, pool_size=2))
    tenants = PostgresTenantStore(pool)
    await tenants.put_plan(_PLAN, by=_OPERATOR)
    await tenants.change_tenant("local", plan=_PLAN.name, by=_OPERATOR)
    text, parts = key_text(secrets.token_bytes(40))
    key = ApiKey(parts.key_id, "local", "bench", ("user",), (), SystemClock().now(), "bench")
    await PostgresKeyStore(pool).create(key, parts.digest, by=_OPERATOR)
    await pool.close()
    return f"Authorization: Bearer {text}"
