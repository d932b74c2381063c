"""Rows of the ``series`` table for the series of a file: found or created, checked and locked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from aurum.core.errors import Conflict
from aurum.storage.ports.errors import LostRace
from aurum.storage.ports.observations import LockedSeries
from aurum.storage.postgres.connection.pool import Connection

_DESCRIPTION = ["market", "currency", "zone", "location_name", "location_type", "labels", "business_days"]
_COLUMNS = ["key", "source", "dataset", "location", "measure", "unit", "frequency", *_DESCRIPTION]

_MISSING = "SELECT key FROM unnest($1::text[]) AS file(key) WHERE NOT EXISTS (SELECT FROM series AS s WHERE s.key = file.key)"
# In the order of keys, so that two loads that create the same series cannot deadlock.
_INSERT = """
INSERT INTO series (key, source, dataset, location, measure, unit, frequency,
                    market, currency, zone, location_name, location_type, labels, business_days)
SELECT key, source, dataset, location, measure, unit, frequency,
       market, currency, zone, location_name, location_type, labels::jsonb, business_days
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
     AS described(key, source, dataset, location, measure, unit, frequency,
                  market, currency, zone, location_name, location_type, labels, business_days)
ORDER BY key COLLATE "C"
ON CONFLICT (key) DO NOTHING
"""
_COMPARED = ["unit", "frequency", *_DESCRIPTION]
_LOCK = """
SELECT unit, frequency, market, currency, zone, location_name, location_type, labels::text, business_days,
       series_id, key, version
FROM series WHERE key = ANY($1) ORDER BY series_id FOR NO KEY UPDATE
"""
_DESCRIBE = """
UPDATE series AS s
SET market = file.market, currency = file.currency, zone = file.zone, location_name = file.location_name,
    location_type = file.location_type, labels = file.labels::jsonb, business_days = file.business_days,
    version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[])
     AS file(series_id, market, currency, zone, location_name, location_type, labels, business_days)
WHERE s.series_id = file.series_id
  AND (s.market, s.currency, s.zone, s.location_name, s.location_type, s.labels, s.business_days)
      IS DISTINCT FROM
      (file.market, file.currency, file.zone, file.location_name, file.location_type, file.labels::jsonb, file.business_days)
"""
# Catalog lists show descriptions, so a changed one must invalidate them; the trigger reports only series ids. PostgreSQL sends
# repeated notifications of a transaction once.
_NOTIFY = "SELECT pg_notify('aurum_changes', 'catalog')"


class SeriesMismatch(Conflict):
    """A file describes a series with another unit or frequency than the stored one. Facts: ``key``, ``stored``, ``given``."""


async def locked_series(connection: Connection, series: pl.DataFrame) -> LockedSeries:
    """Find or create the rows of the series in a ``SERIES`` frame and lock them until the transaction ends.

    Descriptions (names, labels, market) become those of the newest load. Answers show them, so a new description raises the
    version of a series that has observations. Raises ``SeriesMismatch``, and ``LostRace`` when a series is removed meanwhile.
    """
    keys = series["key"].to_list()
    if missing_keys := [row["key"] for row in await connection.fetch(_MISSING, keys)]:
        missing = series.filter(pl.col("key").is_in(missing_keys))
        await connection.execute(_INSERT, *(missing[column].to_list() for column in _COLUMNS))
    # Whole tuples are compared, because a file of all nodes has thousands of series that did not change.
    stored = {row["key"]: row for row in await connection.fetch(_LOCK, keys)}
    changed: list[tuple[Any, ...]] = []
    if removed := next((key for key in keys if key not in stored), None):
        raise LostRace(f"series {removed} was removed meanwhile: load the file again", retry_after=1.0)
    for key, described in zip(keys, series.select(_COMPARED).rows(), strict=True):
        row = stored[key]
        if (stored_values := row[: len(_COMPARED)]) != described:
            _check_same(key, stored_values, described)
            changed.append((row["series_id"], *described[2:]))
    if changed:
        # Only the server can tell whether labels differ, because equal JSON objects may differ as texts.
        status = await connection.execute(_DESCRIBE, *map(list, zip(*changed, strict=True)))
        if status != "UPDATE 0":
            await connection.execute(_NOTIFY)
    # Version 0, read under the lock, proves that the series has no observation.
    empty = frozenset(row["series_id"] for row in stored.values() if row["version"] == 0)
    return LockedSeries([stored[key]["series_id"] for key in keys], empty)


def _check_same(key: str, stored: Sequence[str], described: Sequence[str]) -> None:
    for position, field in enumerate(("unit", "frequency")):
        if stored[position] != described[position]:
            raise SeriesMismatch(
                f"series {key} is stored with {field} {stored[position]!r}, but the file has {described[position]!r}: "
                "a stored series cannot change it",
                key=key,
                stored=stored[position],
                given=described[position],
            )


async def raise_versions(connection: Connection, changed: pl.DataFrame) -> Sequence[int]:
    """Raise the versions of changed series and return their ids, ascending.

    ``changed``: ``series_id``, ``first`` and ``last`` changed ``ts``.
    """
    ordered = changed.sort("series_id")
    await connection.execute(
        """
        UPDATE series AS s
        SET version = s.version + 1, updated_at = clock_timestamp(),
            first_ts = least(s.first_ts, 'epoch'::timestamptz + changed.first * interval '1 microsecond'),
            last_ts = greatest(s.last_ts, 'epoch'::timestamptz + changed.last * interval '1 microsecond')
        FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS changed(series_id, first, last)
        WHERE s.series_id = changed.series_id
        """,
        ordered["series_id"].to_list(),
        # Numbers cross to the driver in a tenth of the time of date-times.
        ordered["first"].dt.epoch("us").to_list(),
        ordered["last"].dt.epoch("us").to_list(),
    )
    return ordered["series_id"].to_list()
