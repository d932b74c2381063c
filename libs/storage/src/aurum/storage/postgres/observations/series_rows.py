"""Rows of the ``series`` table for the series of a file: found or created, checked and locked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from aurum.core.errors import Conflict
from aurum.storage.ports.errors import LostRace
from aurum.storage.ports.observations import LockedSeries
from aurum.storage.postgres.catalog.search_rows import add_series, renew_series
from aurum.storage.postgres.connection.pool import Connection

_DESCRIPTION = [
    "market", "currency", "zone", "location_name", "location_type", "labels", "business_days",
    "kind", "market_run", "fuel", "fuel_detail",
]  # fmt: skip
_COLUMNS = ["key", "source", "dataset", "location", "measure", "unit", "frequency", *_DESCRIPTION]

_MISSING = "SELECT key FROM unnest($1::text[]) AS file(key) WHERE NOT EXISTS (SELECT FROM series AS s WHERE s.key = file.key)"


def _columns(names: Sequence[str], prefix: str = "", *, labels: str = "") -> str:
    return ", ".join(f"{prefix}{name}{labels if name == 'labels' else ''}" for name in names)


def _arrays(count: int, first: int = 1) -> str:
    return ", ".join(f"${number}::text[]" for number in range(first, first + count))


# In the order of keys, so that two loads that create the same series cannot deadlock.
_INSERT = f"""
INSERT INTO series ({_columns(_COLUMNS)})
SELECT {_columns(_COLUMNS, labels="::jsonb")}
FROM unnest({_arrays(len(_COLUMNS))}) AS described({_columns(_COLUMNS)})
ORDER BY key COLLATE "C"
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
_COMPARED = ["unit", "frequency", *_DESCRIPTION]
_LOCK = f"""
SELECT {_columns(_COMPARED, labels="::text")}, series_id, key, version
FROM series WHERE key = ANY($1) ORDER BY series_id FOR NO KEY UPDATE
"""  # noqa: S608 - constants
_DESCRIBE = f"""
UPDATE series AS s
SET {", ".join(f"{name} = file.{name}{'::jsonb' if name == 'labels' else ''}" for name in _DESCRIPTION)},
    version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
FROM unnest($1::int[], {_arrays(len(_DESCRIPTION), 2)}) AS file(series_id, {_columns(_DESCRIPTION)})
WHERE s.series_id = file.series_id
  AND ({_columns(_DESCRIPTION, "s.")})
      IS DISTINCT FROM
      ({_columns(_DESCRIPTION, "file.", labels="::jsonb")})
"""  # noqa: S608 - constants
# Catalog lists show descriptions, so a changed one must invalidate them; the trigger reports only series ids. PostgreSQL sends
# repeated notifications of a transaction once.
_NOTIFY = "SELECT pg_notify('aurum_changes', 'catalog')"


class SeriesMismatch(Conflict):
    """A file describes a series with another unit or frequency than the stored one. Facts: ``key``, ``stored``, ``given``."""


async def locked_series(connection: Connection, series: pl.DataFrame, *, is_announced: bool = True) -> LockedSeries:
    """Find or create the rows of the series in a ``SERIES`` frame and lock them until the transaction ends.

    Descriptions (names, labels, market) become those of the newest load. Answers show them, so a new description raises the
    version of a series that has observations. ``is_announced``: the series are shared, so the search and the caches of the
    catalog are told. Raises ``SeriesMismatch``, and ``LostRace`` when a series is removed meanwhile.
    """
    keys = series["key"].to_list()
    if missing_keys := [row["key"] for row in await connection.fetch(_MISSING, keys)]:
        missing = series.filter(pl.col("key").is_in(missing_keys))
        await connection.execute(_INSERT, *(missing[column].to_list() for column in _COLUMNS))
        if is_announced:
            await add_series(connection, missing_keys)
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
        if status != "UPDATE 0" and is_announced:
            await connection.execute(_NOTIFY)
            ids = {series_id for series_id, *_ in changed}
            await renew_series(connection, sorted(ids), [key for key, row in stored.items() if row["series_id"] in ids])
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
