"""Writes of the catalog on PostgreSQL. A repeated declaration replaces the earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aurum.core.catalog.entries import DatasetEntry, PlaceName, SourceEntry
from aurum.storage.postgres.catalog.search_rows import refresh, renew_series
from aurum.storage.postgres.connection.pool import PostgresPool

_PUT_SOURCE = """
INSERT INTO source (name, title, homepage, terms) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET title = excluded.title, homepage = excluded.homepage, terms = excluded.terms
"""
_DATASET_COLUMNS = (
    "source",
    "name",
    "title",
    "zone",
    "frequency",
    "measures",
    "market",
    "reference",
    "schedule",
    "freshness_hours",
    "publication",
    "is_forecast",
    "details",
    "search_order",
    "public_files",
)
_PUT_DATASET = """
INSERT INTO dataset
    (source, name, title, zone, frequency, measures, market, reference, schedule, freshness_hours, publication, is_forecast,
     details, search_order, public_files)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (source, name) DO UPDATE
SET title = excluded.title, zone = excluded.zone, frequency = excluded.frequency, measures = excluded.measures,
    market = excluded.market, reference = excluded.reference, schedule = excluded.schedule,
    freshness_hours = excluded.freshness_hours, publication = excluded.publication, is_forecast = excluded.is_forecast,
    details = excluded.details, search_order = excluded.search_order, public_files = excluded.public_files
"""
_PUT_BLOCK = """
INSERT INTO block AS b (calendar, name, document) VALUES ($1, $2, $3)
ON CONFLICT (calendar, name) DO UPDATE SET document = excluded.document, version = b.version + 1
WHERE b.shipped AND b.document <> excluded.document
"""
# Answers show the name, so it raises the version of a series that has observations. Rows are locked in the order of loads.
_NAME_PLACES = """
WITH place AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS p(source, location, name, type)),
locked AS MATERIALIZED (
    SELECT s.series_id, p.name, p.type FROM series AS s JOIN place AS p USING (source, location)
    WHERE s.location_name = '' ORDER BY s.series_id FOR NO KEY UPDATE OF s
)
UPDATE series AS s
SET location_name = locked.name, location_type = coalesce(nullif(s.location_type, ''), locked.type),
    version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
FROM locked WHERE s.series_id = locked.series_id
RETURNING s.series_id, s.key
"""
_NOTIFY = "SELECT pg_notify('aurum_changes', 'catalog')"


class PostgresCatalogWriter:
    """``CatalogWriter`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def declare(
        self,
        *,
        sources: Sequence[SourceEntry],
        datasets: Sequence[DatasetEntry],
        blocks: Sequence[Mapping[str, object]],
        places: Sequence[PlaceName] = (),
    ) -> None:
        # All processes write in the same order, so that two of them cannot deadlock.
        sorted_sources = sorted(sources, key=lambda entry: entry.name)
        sorted_datasets = sorted(datasets, key=lambda entry: (entry.source, entry.name))
        sorted_blocks = sorted(blocks, key=lambda block: (str(block["calendar"]), str(block["name"])))
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(
                _PUT_SOURCE, [(entry.name, entry.title, entry.homepage, entry.terms) for entry in sorted_sources]
            )
            await connection.executemany(_PUT_DATASET, [_dataset_row(entry) for entry in sorted_datasets])
            await connection.executemany(
                _PUT_BLOCK, [(block["calendar"], block["name"], dict(block)) for block in sorted_blocks]
            )
        await self._name_places(places)
        await refresh(self._pool, only_declared=True)

    async def _name_places(self, places: Sequence[PlaceName]) -> None:
        if not places:
            return
        columns = [[getattr(place, name) for place in places] for name in ("source", "location", "name", "kind")]
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_NAME_PLACES, *columns)
            if rows:
                await renew_series(connection, [row["series_id"] for row in rows], [row["key"] for row in rows])
                await connection.execute(_NOTIFY)

    async def refresh_search(self) -> int:
        return await refresh(self._pool)


def _dataset_row(entry: DatasetEntry) -> tuple[object, ...]:
    values = asdict(entry) | {"measures": [dict(measure) for measure in entry.measures], "search_order": entry.order}
    values["public_files"] = dict(entry.fetch) if entry.fetch is not None else None
    return tuple(values[name] for name in _DATASET_COLUMNS)
