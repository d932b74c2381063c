"""Restore of archived parts: in the transaction of a load that touches them, before it reads the stored rows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta

import polars as pl

from aurum.core.chunks import chunks
from aurum.core.history import month_of, tally
from aurum.storage.ports.history import ArchivedPart, HistoryDamaged, HistoryStore, refuse_archived_parts
from aurum.storage.postgres.connection.copy import Layout, insert
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.history.parts import PART, PARTS, parts_of
from aurum.storage.postgres.observations.points import POINT

_LOOK_AROUND = timedelta(hours=26)
"""The months this far around the points of a file hold the whole of every local day that they touch."""
_OBSERVATION = Layout(**POINT)
_VERSION = Layout(**POINT, superseded_at="timestamptz")
_ROWS_AT_ONCE = 500_000

_PARTS_OF_SERIES = f"""
SELECT {PART} FROM {PARTS}
WHERE p.series_id = ANY($1) AND p.month >= $2 AND p.month <= $3 ORDER BY p.series_id, p.month
"""  # noqa: S608 - constants
_DELETE_PART = "DELETE FROM archived_part WHERE series_id = $1 AND month = $2"


async def restore_parts(
    connection: Connection, history: HistoryStore | None, batch: pl.DataFrame, known: Collection[int]
) -> None:
    """Restore archived parts to the hot store, for the months of the points of ``batch`` and of their local days.

    ``known``: ids of the series that may have observations; their rows must be locked. Months of the whole local days are
    restored because the completeness of those days is counted anew. Raises ``HistoryNotConfigured``, ``HistoryDamaged`` and the
    errors of ``HistoryStore.rows``.
    """
    if not known or batch.is_empty():
        return
    first, last = batch.select(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last")).row(0)
    months = (first - _LOOK_AROUND).date().replace(day=1), (last + _LOOK_AROUND).date().replace(day=1)
    rows = await connection.fetch(_PARTS_OF_SERIES, sorted(known), *months)
    if not rows:
        return  # the usual case: files rarely touch closed months
    around = [month_of(pl.col("ts") + offset).alias("month") for offset in (-_LOOK_AROUND, _LOOK_AROUND)]
    touched = batch.filter(pl.col("series_id").is_in(list(known)))
    touched_months = pl.concat([touched.select("series_id", month) for month in around]).unique()
    touched_parts = set(touched_months.iter_rows())  # rows: one a part
    parts = [part for part in parts_of(rows) if (part.series_id, part.month) in touched_parts]
    if history is None:
        refuse_archived_parts(parts)
        return
    for group in chunks(parts, size=lambda part: part.rows, most=_ROWS_AT_ONCE):
        archived = await history.rows(group)
        await asyncio.to_thread(_check, archived, group)
        await insert(connection, "observation", _OBSERVATION, archived.filter(pl.col("superseded_at").is_null()))
        await insert(connection, "observation_version", _VERSION, archived.filter(pl.col("superseded_at").is_not_null()))
        await connection.executemany(_DELETE_PART, [(part.series_id, part.month) for part in group])
        await connection.execute(
            "UPDATE archive_run SET unnamed_at = clock_timestamp() WHERE archive_id = ANY($1)",
            sorted({part.archive_id for part in group}),
        )


def _check(archived: pl.DataFrame, parts: Sequence[ArchivedPart]) -> None:
    present = set(tally(archived).iter_rows())  # rows: one a part
    for part in parts:
        if (part.series_id, part.month, part.rows, part.checksum) not in present:
            raise HistoryDamaged(part)
