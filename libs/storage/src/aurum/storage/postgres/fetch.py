"""The last successful fetches on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.storage.ports.fetch import FetchState
from aurum.storage.postgres.connection.pool import PostgresPool

_READ = "SELECT source, dataset, fetched_at, url, etag, modified, digest FROM fetch_state"
# The first fetch changes the catalog, which shows whether the addresses of a dataset have worked.
_RECORD = """
WITH recorded AS (
    INSERT INTO fetch_state AS f (source, dataset, fetched_at, url, etag, modified, digest) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (source, dataset) DO UPDATE
    SET fetched_at = excluded.fetched_at, url = excluded.url, etag = excluded.etag, modified = excluded.modified,
        digest = excluded.digest
    WHERE f.fetched_at <= excluded.fetched_at
    RETURNING xmax = 0 AS is_first
)
SELECT pg_notify('aurum_changes', 'catalog') FROM recorded WHERE is_first
"""


class PostgresFetchStates:
    """``FetchStates`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def state(self, source: str, dataset: str) -> FetchState | None:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(f"{_READ} WHERE source = $1 AND dataset = $2", source, dataset)
        return FetchState(*row) if row is not None else None

    async def states(self) -> Sequence[FetchState]:
        async with self._pool.acquire() as connection:
            return [FetchState(*row) for row in await connection.fetch(f"{_READ} ORDER BY source, dataset")]

    async def record(self, state: FetchState) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(
                _RECORD,
                state.source,
                state.dataset,
                state.fetched_at,
                state.url,
                state.etag,
                state.modified,
                state.digest,
            )
