"""The reader of shared products and of those of tenants, which are in tables of their own."""

from __future__ import annotations

from aurum.core.clock import Clock
from aurum.storage.curves import TenantedCurveReader
from aurum.storage.ports.curves import CurveReader
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.curves.reader import PostgresCurveReader
from aurum.storage.postgres.private_connections import PrivatePool
from aurum.storage.postgres.private_recordings import PRIVATE_JOURNAL


def curve_reader(pool: PostgresPool, private: PrivatePool, clock: Clock) -> CurveReader:
    """Return a reader that opens connections to products of tenants when a tenant reads."""

    def own(tenant: str) -> CurveReader:
        return PostgresCurveReader(private.of(tenant), clock, tenant, PRIVATE_JOURNAL)

    return TenantedCurveReader(PostgresCurveReader(pool, clock), own)
