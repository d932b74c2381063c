"""Parts back from history: in the transaction of a load that touches them, before it looks at what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import polars as pl

from aurum.core.chunks import chunks
from aurum.core.history import month_of, tally
from aurum.storage.ports.history import ArchivedPart, HistoryDamaged, HistoryStore, wired
from aurum.storage.postgres.connection.copy import Layout, insert
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.history.parts import PART, PARTS, parts_of
from aurum.storage.postgres.observations.completeness import LOOK_AROUND

_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
_OBSERVATION = Layout(**_POINT)
_VERSION = Layout(**_POINT, superseded_at="timestamptz")
_ROWS_AT_ONCE = 500_000

_OF_SERIES = f"""
SELECT {PART} FROM {PARTS}
WHERE p.series_id = ANY($1) AND p.month >= $2 AND p.month <= $3 ORDER BY p.series_id, p.month
"""  # noqa: S608 - constants
_UNNAME = "DELETE FROM archived_part WHERE series_id = $1 AND month = $2"


async def bring_back(connection: Connection, history: HistoryStore | None, batch: pl.DataFrame, known: Collection[int]) -> None:
    """Make hot what is archived of the months that points of ``batch`` lie in or near; the rows of the series are locked.

    ``known``: the series that may have observations. Near: their local days are counted anew. Raises ``HistoryNotWired``,
    ``HistoryDamaged`` and what ``HistoryStore.rows`` raises.
    """
    if not known or batch.is_empty():
        return
    first, last = batch.select(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last")).row(0)
    months = (first - LOOK_AROUND).date().replace(day=1), (last + LOOK_AROUND).date().replace(day=1)
    rows = await connection.fetch(_OF_SERIES, sorted(known), *months)
    if not rows:
        return  # as nearly always: files are about days that are not closed
    around = [month_of(pl.col("ts") + offset).alias("month") for offset in (-LOOK_AROUND, LOOK_AROUND)]
    touched = batch.filter(pl.col("series_id").is_in(list(known)))
    wanted = set(pl.concat([touched.select("series_id", month) for month in around]).unique().iter_rows())  # rows: one a part
    parts = [part for part in parts_of(rows) if (part.series_id, part.month) in wanted]
    if history is None:
        wired(parts)
        return
    for group in chunks(parts, size=lambda part: part.rows, most=_ROWS_AT_ONCE):
        found = await history.rows(group)
        await asyncio.to_thread(_check, found, group)
        await insert(connection, "observation", _OBSERVATION, found.filter(pl.col("superseded_at").is_null()))
        await insert(connection, "observation_version", _VERSION, found.filter(pl.col("superseded_at").is_not_null()))
        await connection.executemany(_UNNAME, [(part.series_id, part.month) for part in group])
        await connection.execute(
            "UPDATE archive_run SET unnamed_at = clock_timestamp() WHERE archive_id = ANY($1)",
            sorted({part.archive_id for part in group}),
        )


def _check(found: pl.DataFrame, parts: Sequence[ArchivedPart]) -> None:
    there = set(tally(found).iter_rows())  # rows: one a part
    for part in parts:
        if (part.series_id, part.month, part.rows, part.checksum) not in there:
            raise HistoryDamaged(part)
