"""The private series of each tenant on PostgreSQL: the shared adapters over connections that act for the tenant."""

from __future__ import annotations

from aurum.common.resilience.retry import Retry
from aurum.core.clock import Clock
from aurum.storage.loaded import LoadedSeriesReaders
from aurum.storage.loader import FileLoader
from aurum.storage.ports.private import PrivateStore
from aurum.storage.postgres.files.log import PostgresFileLog
from aurum.storage.postgres.lineage import PostgresLineageReader
from aurum.storage.postgres.observations.neighbours import PostgresNeighbourReader
from aurum.storage.postgres.observations.partials import PostgresPartialsReader
from aurum.storage.postgres.observations.reader import PostgresSeriesReader
from aurum.storage.postgres.observations.undo_log import PostgresUndoLog
from aurum.storage.postgres.private.catalog import PrivateCatalog
from aurum.storage.postgres.private.transaction import PostgresPrivateTransactions
from aurum.storage.postgres.private_connections import PrivatePool
from aurum.storage.postgres.private_recordings import PRIVATE_JOURNAL


class PostgresPrivateStores:
    """``PrivateStores`` on PostgreSQL. ``retry``: for loads that lose a race against another transaction."""

    def __init__(self, pool: PrivatePool, clock: Clock, retry: Retry | None = None) -> None:
        self._pool = pool
        self._clock = clock
        self._retry = retry

    def of(self, tenant: str) -> PrivateStore:
        pool = self._pool.of(tenant)
        reader, files = PostgresSeriesReader(pool, self._clock), PostgresFileLog(pool)
        transactions = PostgresPrivateTransactions(pool, tenant)
        return PrivateStore(
            tenant=tenant,
            catalog=PrivateCatalog(pool),
            reader=reader,
            partials=PostgresPartialsReader(pool),
            neighbours=PostgresNeighbourReader(pool),
            loaded=LoadedSeriesReaders(reader, PostgresUndoLog(pool, PRIVATE_JOURNAL)),
            files=files,
            loader=FileLoader(transactions, files, self._retry, tenant=tenant),
            lineage=PostgresLineageReader(pool),
            transactions=transactions,
        )
