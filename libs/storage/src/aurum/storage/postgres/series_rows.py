"""Rows of the ``series`` table for the series of a file: found or made, checked, locked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from aurum.core.errors import Conflict
from aurum.storage.postgres.pool import Connection

_DESCRIPTION = ["market", "currency", "zone", "location_name", "location_type", "labels"]
_COLUMNS = ["key", "source", "dataset", "location", "measure", "unit", "frequency", *_DESCRIPTION]

_EXISTING = "SELECT key FROM series WHERE key = ANY($1)"
# In the order of keys: two loads that make the same series wait for each other in one direction only.
_INSERT = """
INSERT INTO series (key, source, dataset, location, measure, unit, frequency,
                    market, currency, zone, location_name, location_type, labels)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::jsonb[]) AS given(key)
ORDER BY given.key COLLATE "C"
ON CONFLICT (key) DO NOTHING
"""
_LOCK = """
SELECT series_id, key, version, unit, frequency, market, currency, zone, location_name, location_type, labels::text AS labels
FROM series WHERE key = ANY($1) ORDER BY series_id FOR NO KEY UPDATE
"""
_DESCRIBE = """
UPDATE series AS s
SET market = given.market, currency = given.currency, zone = given.zone, location_name = given.location_name,
    location_type = given.location_type, labels = given.labels,
    version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
     AS given(series_id, market, currency, zone, location_name, location_type, labels)
WHERE s.series_id = given.series_id
  AND (s.market, s.currency, s.zone, s.location_name, s.location_type, s.labels)
      IS DISTINCT FROM
      (given.market, given.currency, given.zone, given.location_name, given.location_type, given.labels)
"""
# Lists of the catalog show descriptions; the trigger tells only which series changed. Told at the commit, once.
_TELL = "SELECT pg_notify('aurum_changes', 'catalog')"


class SeriesMismatch(Conflict):
    """A file describes a series in another unit or frequency than the one stored. Facts: ``key``, ``stored``, ``given``."""


async def locked_series(connection: Connection, series: pl.DataFrame) -> tuple[list[int], set[int]]:
    """The ids of a ``SERIES`` frame's rows, in its order, and which of them have no observation; rows stay locked.

    Descriptions (names, labels, market) follow the newest load; answers show them, so they count up the version of a series
    that has observations. Raises ``SeriesMismatch``.
    """
    keys = series["key"].to_list()
    existing = {row["key"] for row in await connection.fetch(_EXISTING, keys)}
    missing = series.filter(~pl.col("key").is_in(list(existing)))
    if not missing.is_empty():
        await connection.execute(_INSERT, *(missing[column].to_list() for column in _COLUMNS))
    stored = {row["key"]: row for row in await connection.fetch(_LOCK, keys)}
    changed: list[tuple[Any, ...]] = []
    for given in series.iter_rows(named=True):  # rows: one a series
        row = stored[given["key"]]
        for field in ("unit", "frequency"):
            if row[field] != given[field]:
                raise SeriesMismatch(
                    f"series {given['key']} has {field} {row[field]!r}, the file says {given[field]!r}",
                    key=given["key"],
                    stored=row[field],
                    given=given[field],
                )
        if any(row[field] != given[field] for field in _DESCRIPTION):
            changed.append((row["series_id"], *(given[field] for field in _DESCRIPTION)))
    if changed:
        # Labels are one however they are written, which only the server can tell.
        status = await connection.execute(_DESCRIBE, *map(list, zip(*changed, strict=True)))
        if status != "UPDATE 0":
            await connection.execute(_TELL)
    # A version of zero, read under the lock, promises that nobody has given the series an observation.
    fresh = {row["series_id"] for row in stored.values() if row["version"] == 0}
    return [stored[key]["series_id"] for key in keys], fresh


async def raise_versions(connection: Connection, changed: pl.DataFrame) -> Sequence[int]:
    """Count up the version of changed series; ``changed``: ``series_id``, ``first`` and ``last`` touched ``ts``."""
    ordered = changed.sort("series_id")
    await connection.execute(
        """
        UPDATE series AS s
        SET version = s.version + 1, updated_at = clock_timestamp(),
            first_ts = least(s.first_ts, given.first), last_ts = greatest(s.last_ts, given.last)
        FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS given(series_id, first, last)
        WHERE s.series_id = given.series_id
        """,
        ordered["series_id"].to_list(),
        ordered["first"].to_list(),
        ordered["last"].to_list(),
    )
    return ordered["series_id"].to_list()
