"""The third tier of the cache: a table, for entries that are expensive enough to outlive a restart."""

from __future__ import annotations

from collections.abc import Iterable

from aurum.common.cache import Stored, TierUnavailable
from aurum.core.errors import Unavailable
from aurum.storage.postgres.connection.pool import PostgresPool


class PostgresCacheTier:
    """``aurum.common.cache.Tier`` on the table ``cache_entry``, which is unlogged: a crash of the server empties it."""

    name = "database"

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def get(self, key: str) -> Stored | None:
        query = """SELECT content, extract(epoch FROM expires_at - now())::float8 AS fresh_s FROM cache_entry
                   WHERE key = $1 AND expires_at > now()"""
        try:
            row = await self._pool.reads.fetchrow(query, key)
        except Unavailable as error:
            raise TierUnavailable(error.detail) from error
        return None if row is None else Stored(row["content"], row["fresh_s"])

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
        await self._execute(
            """INSERT INTO cache_entry (key, content, tags, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
               ON CONFLICT (key) DO UPDATE
               SET content = excluded.content, tags = excluded.tags, expires_at = excluded.expires_at""",
            key,
            content,
            list(tags),
            fresh_s,
        )

    async def forget(self, tags: Iterable[str]) -> int:
        return await self._execute("DELETE FROM cache_entry WHERE tags && $1::text[]", list(tags))

    async def sweep(self) -> int:
        """Delete expired entries and return their number. Raises ``TierUnavailable``."""
        return await self._execute("DELETE FROM cache_entry WHERE expires_at <= now()")

    async def _execute(self, statement: str, *arguments: object) -> int:
        try:
            async with self._pool.acquire() as connection:
                status: str = await connection.execute(statement, *arguments)
        except Unavailable as error:
            raise TierUnavailable(error.detail) from error
        return int(status.rpartition(" ")[2])
