"""Brings archived months back to the hot store before a migration that rewrites their rows.

SQL cannot reach history. A month that is back in the hot store is in its ordinary state: the present release reads it, the
migration rewrites it, and the next archive run moves it again.
"""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import polars as pl

from aurum.core.frames import UTC_US
from aurum.storage.migrations.compatibility import is_older
from aurum.storage.migrations.installed import read_schema
from aurum.storage.migrations.rewritten import REWRITTEN, revision_of
from aurum.storage.ports.history import HistoryStore
from aurum.storage.postgres.connection.errors import driver_errors
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.history.parts import PARTS
from aurum.storage.postgres.observations.restore import restore_parts

_SERIES_AT_ONCE = 50
_MIDDLES = """
SELECT series_id, (month + 14)::timestamp AT TIME ZONE 'UTC' AS ts FROM archived_part WHERE series_id = ANY($1)
"""


async def restore_rewritten(url: str, history: Callable[[], HistoryStore | None]) -> int:
    """Restore the archived months of all series that a missing migration rewrites; return their number.

    ``history``: opens the history store; it is called only if there is such a month, and the store is closed again. Raises
    ``HistoryNotConfigured``, ``HistoryDamaged``, ``Unavailable``; months that were restored before that stay restored.
    """
    with driver_errors():
        async with asyncpg.create_pool(url, min_size=1, max_size=1, timeout=10) as pool, pool.acquire() as connection:
            schema = await read_schema(connection)
            if schema.revision is None:
                return 0
            missing = [each for name, each in REWRITTEN.items() if is_older(schema.revision, revision_of(name))]
            where = " OR ".join(f"({condition})" for condition in missing)
            return await _restore(connection, history, where) if missing else 0


async def _restore(connection: Connection, history: Callable[[], HistoryStore | None], where: str) -> int:
    query = f"SELECT DISTINCT series_id FROM {PARTS} WHERE {where} ORDER BY series_id LIMIT {_SERIES_AT_ONCE}"  # noqa: S608
    ids = [row["series_id"] for row in await connection.fetch(query)]
    if not ids:
        return 0
    store, restored = history(), 0
    try:
        while ids:
            restored += await _restore_series(connection, store, ids)
            ids = [row["series_id"] for row in await connection.fetch(query)]
        return restored
    finally:
        if store is not None:
            await store.close()


async def _restore_series(connection: Connection, store: HistoryStore | None, ids: list[int]) -> int:
    """Restore all archived months of some series in one transaction, under the lock that loads and archive runs take."""
    async with connection.transaction():
        await connection.execute("SELECT FROM series WHERE series_id = ANY($1) ORDER BY series_id FOR NO KEY UPDATE", ids)
        # One point in the middle of each month stands for it.
        rows = await connection.fetch(
            "SELECT series_id, (month + 14)::timestamp AT TIME ZONE 'UTC' AS ts FROM archived_part WHERE series_id = ANY($1)",
            ids,
        )
        points = pl.DataFrame([tuple(row) for row in rows], schema={"series_id": pl.Int32, "ts": UTC_US}, orient="row")
        await restore_parts(connection, store, points, ids)
        return points.height
