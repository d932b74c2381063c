"""Removal of series on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.currency import rated_currency
from aurum.storage.ports.removal import Referrer, RemovedRows, StoredSeries
from aurum.storage.postgres.catalog.search_rows import remove_series
from aurum.storage.postgres.connection.pool import Connection

_NAMES = 5
_LOCK = "SELECT series_id, key, source, currency FROM series WHERE key = $1 FOR UPDATE"
# Series of the same dataset are rates themselves, which are never converted.
_PRICED_IN = """
SELECT count(*) AS count, (array_agg(key ORDER BY key))[1:$4] AS names
FROM series WHERE currency = $1 AND (source, dataset) <> ($2, $3)
"""
_UNNAME_PARTS = "DELETE FROM archived_part WHERE series_id = $1 RETURNING archive_id, rows"
_MARK_UNNAMED = "UPDATE archive_run SET unnamed_at = clock_timestamp() WHERE archive_id = ANY($1)"
_REMEMBER = "INSERT INTO removed_series (series_id, key, source) VALUES ($1, $2, $3)"
_FORGET_ANSWERS = "DELETE FROM cache_entry WHERE tags && ARRAY[$1::text]"
# The trigger on deletions reports the catalog alone; cached answers with observations are known by the id of the series.
_NOTIFY = "SELECT pg_notify('aurum_changes', 'series:' || $1::text)"


class PostgresSeriesRemover:
    """``SeriesRemover`` on PostgreSQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, key: str) -> StoredSeries | None:
        row = await self._connection.fetchrow(_LOCK, key)
        return StoredSeries(row["series_id"], row["key"], row["source"], row["currency"]) if row is not None else None

    async def referrers(self, series: StoredSeries) -> Sequence[Referrer]:
        currency = rated_currency(series.key)
        if currency is None:
            return ()
        source, dataset, *_ = series.key.split(":")
        row = await self._connection.fetchrow(_PRICED_IN, currency, source, dataset, _NAMES)
        if row is None or row["count"] == 0:
            return ()
        return (Referrer(f"conversion of series in {currency}", row["count"], tuple(row["names"])),)

    async def remove(self, series: StoredSeries) -> RemovedRows:
        series_id = series.series_id
        parts = await self._connection.fetch(_UNNAME_PARTS, series_id)
        if parts:
            await self._connection.execute(_MARK_UNNAMED, sorted({part["archive_id"] for part in parts}))
        counts = RemovedRows(
            points=await self._delete("observation", series_id),
            versions=await self._delete("observation_version", series_id),
            days=await self._delete("completeness", series_id),
            files=await self._delete("file_series", series_id),
            parts=len(parts),
            archived_rows=sum(part["rows"] for part in parts),
        )
        await self._delete("observation_confirmation", series_id)
        await self._delete("observation_undo", series_id)
        await remove_series(self._connection, series_id)
        await self._delete("series", series_id)
        # Without a condition: history may hold rows of the series that a correction brought back to the hot store.
        await self._connection.execute(_REMEMBER, series_id, series.key, series.source)
        await self._connection.execute(_FORGET_ANSWERS, f"series:{series_id}")
        await self._connection.execute(_NOTIFY, str(series_id))
        return counts

    async def _delete(self, table: str, series_id: int) -> int:
        status = await self._connection.execute(f"DELETE FROM {table} WHERE series_id = $1", series_id)  # noqa: S608 - constants
        return int(status.removeprefix("DELETE "))
