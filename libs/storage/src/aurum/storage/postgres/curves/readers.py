"""The reader of shared products and of those of tenants, which are in tables of their own."""

from __future__ import annotations

from collections.abc import Callable

from aurum.core.clock import Clock
from aurum.storage.curves import TenantedCurveReader
from aurum.storage.ports.changes import ChangeFeed
from aurum.storage.ports.curves import CurveReader
from aurum.storage.ports.history import HistoryStore
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.curves.reader import PostgresCurveReader
from aurum.storage.postgres.private_connections import PrivatePool
from aurum.storage.postgres.private_recordings import PRIVATE_JOURNAL
from aurum.storage.remembered_curves import CachedCurveReader


def curve_reader(
    pool: PostgresPool,
    private: PrivatePool,
    clock: Clock,
    feed: ChangeFeed | None = None,
    history: Callable[[], HistoryStore | None] = lambda: None,
) -> CurveReader:
    """Return a reader that opens connections to products of tenants when a tenant reads.

    ``feed``: of a service that caches what changes seldom: shared products and their reference data. ``history``: returns the
    history store, which is opened when a read needs publications of closed months.
    """

    def own(tenant: str) -> CurveReader:
        return PostgresCurveReader(private.of(tenant), clock, tenant, PRIVATE_JOURNAL)

    shared = PostgresCurveReader(pool, clock, history=history)
    return TenantedCurveReader(shared if feed is None else CachedCurveReader(shared, feed), own)
