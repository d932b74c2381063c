"""Brings archived months back to the hot store before a migration that rewrites their rows.

SQL cannot reach history. A month that is back in the hot store is in its ordinary state: the present release reads it, the
migration rewrites it, and the next archive run moves it again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import asyncpg
import polars as pl

from aurum.core.frames import UTC_US
from aurum.storage.migrations.compatibility import is_older
from aurum.storage.migrations.installed import read_schema
from aurum.storage.migrations.rewritten import REWRITTEN, revision_of
from aurum.storage.ports.history import ArchiveRunning, HistoryStore
from aurum.storage.postgres.connection.errors import connecting, driver_errors
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.history.log import RUN_LOCK
from aurum.storage.postgres.history.parts import PARTS
from aurum.storage.postgres.observations.restore import restore_parts

_SERIES_AT_ONCE = 50
_SHARE_LOCK = "SELECT pg_try_advisory_lock_shared($1)"  # processes that migrate at once wait for each other later
_MIDDLES = """
SELECT series_id, (month + 14)::timestamp AT TIME ZONE 'UTC' AS ts FROM archived_part WHERE series_id = ANY($1)
"""


@asynccontextmanager
async def without_archive_runs(url: str) -> AsyncGenerator[None]:
    """Exclude archive runs within the block if a missing migration rewrites rows, so that restored months stay.

    The lock ends with its connection. Raises ``ArchiveRunning`` during an archive run, ``Unavailable``.
    """
    with connecting(url):
        connection = await asyncpg.connect(url, timeout=10, server_settings={"application_name": "aurum migrate"})
    try:
        with driver_errors():
            is_free = not await _missing(connection) or await connection.fetchval(_SHARE_LOCK, RUN_LOCK)
        if not is_free:
            raise ArchiveRunning(
                "an archive run is moving months that a migration rewrites: wait until it has ended, then run "
                "`aurum db migrate` again",
                retry_after=60.0,
            )
        yield
    finally:
        await connection.close()


async def restore_rewritten(url: str, history: Callable[[], HistoryStore | None]) -> int:
    """Restore the archived months of all series that a missing migration rewrites; return their number.

    ``history``: opens the history store; it is called only if there is such a month, and the store is closed again. Raises
    ``HistoryNotConfigured``, ``HistoryDamaged``, ``Unavailable``; months that were restored before that stay restored.
    """
    with driver_errors():
        async with asyncpg.create_pool(url, min_size=1, max_size=1, timeout=10) as pool, pool.acquire() as connection:
            missing = await _missing(connection)
            where = " OR ".join(f"({condition})" for condition in missing)
            return await _restore(connection, history, where) if missing else 0


async def _missing(connection: Connection | asyncpg.Connection) -> list[str]:
    """Return the conditions of the missing migrations that rewrite rows; none for a database that was never migrated."""
    revision = (await read_schema(connection)).revision
    return [] if revision is None else [each for name, each in REWRITTEN.items() if is_older(revision, revision_of(name))]


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
        rows = await connection.fetch(_MIDDLES, ids)
        points = pl.DataFrame([tuple(row) for row in rows], schema={"series_id": pl.Int32, "ts": UTC_US}, orient="row")
        await restore_parts(connection, store, points, ids)
        return points.height
