"""Rows of the ``series`` table for the series of a file: found or made, checked, locked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from aurum.core.errors import Conflict
from aurum.storage.ports.observations import LockedSeries
from aurum.storage.postgres.connection.pool import Connection

_DESCRIPTION = ["market", "currency", "zone", "location_name", "location_type", "labels"]
_COLUMNS = ["key", "source", "dataset", "location", "measure", "unit", "frequency", *_DESCRIPTION]

_MISSING = "SELECT key FROM unnest($1::text[]) AS given(key) WHERE NOT EXISTS (SELECT FROM series AS s WHERE s.key = given.key)"
# In the order of keys: two loads that make the same series wait for each other in one direction only.
_INSERT = """
INSERT INTO series (key, source, dataset, location, measure, unit, frequency,
                    market, currency, zone, location_name, location_type, labels)
SELECT key, source, dataset, location, measure, unit, frequency,
       market, currency, zone, location_name, location_type, labels::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
     AS described(key, source, dataset, location, measure, unit, frequency,
                  market, currency, zone, location_name, location_type, labels)
ORDER BY key COLLATE "C"
ON CONFLICT (key) DO NOTHING
"""
_COMPARED = ["unit", "frequency", *_DESCRIPTION]
_LOCK = """
SELECT unit, frequency, market, currency, zone, location_name, location_type, labels::text, series_id, key, version
FROM series WHERE key = ANY($1) ORDER BY series_id FOR NO KEY UPDATE
"""
_DESCRIBE = """
UPDATE series AS s
SET market = given.market, currency = given.currency, zone = given.zone, location_name = given.location_name,
    location_type = given.location_type, labels = given.labels::jsonb,
    version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
     AS given(series_id, market, currency, zone, location_name, location_type, labels)
WHERE s.series_id = given.series_id
  AND (s.market, s.currency, s.zone, s.location_name, s.location_type, s.labels)
      IS DISTINCT FROM
      (given.market, given.currency, given.zone, given.location_name, given.location_type, given.labels::jsonb)
"""
# Lists of the catalog show descriptions; the trigger tells only which series changed. Told at the commit, once.
_TELL = "SELECT pg_notify('aurum_changes', 'catalog')"


class SeriesMismatch(Conflict):
    """A file describes a series in another unit or frequency than the one stored. Facts: ``key``, ``stored``, ``given``."""


async def locked_series(connection: Connection, series: pl.DataFrame) -> LockedSeries:
    """Find or make the rows of the series in a ``SERIES`` frame and lock them until the transaction ends.

    Descriptions (names, labels, market) follow the newest load; answers show them, so they count up the version of a series
    that has observations. Raises ``SeriesMismatch``.
    """
    keys = series["key"].to_list()
    if unknown := [row["key"] for row in await connection.fetch(_MISSING, keys)]:
        missing = series.filter(pl.col("key").is_in(unknown))
        await connection.execute(_INSERT, *(missing[column].to_list() for column in _COLUMNS))
    # Compared as whole tuples: a file of all nodes has thousands of series, of which none has changed.
    stored = {row["key"]: row for row in await connection.fetch(_LOCK, keys)}
    changed: list[tuple[Any, ...]] = []
    for key, given in zip(keys, series.select(_COMPARED).rows(), strict=True):
        row = stored[key]
        if (said := row[: len(_COMPARED)]) != given:
            _check_same(key, said, given)
            changed.append((row["series_id"], *given[2:]))
    if changed:
        # Labels are one however they are written, which only the server can tell.
        status = await connection.execute(_DESCRIBE, *map(list, zip(*changed, strict=True)))
        if status != "UPDATE 0":
            await connection.execute(_TELL)
    # A version of zero, read under the lock, promises that the series has no observation.
    empty = frozenset(row["series_id"] for row in stored.values() if row["version"] == 0)
    return LockedSeries([stored[key]["series_id"] for key in keys], empty)


def _check_same(key: str, stored: Sequence[str], given: Sequence[str]) -> None:
    for place, field in enumerate(("unit", "frequency")):
        if stored[place] != given[place]:
            raise SeriesMismatch(
                f"series {key} has {field} {stored[place]!r}, the file says {given[place]!r}",
                key=key,
                stored=stored[place],
                given=given[place],
            )


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
