"""Writes of the catalog on PostgreSQL. A repeated declaration replaces the earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aurum.core.catalog.entries import DatasetEntry, SourceEntry
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
)
_PUT_DATASET = """
INSERT INTO dataset (source, name, title, zone, frequency, measures, market, reference, schedule, freshness_hours)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (source, name) DO UPDATE
SET title = excluded.title, zone = excluded.zone, frequency = excluded.frequency, measures = excluded.measures,
    market = excluded.market, reference = excluded.reference, schedule = excluded.schedule,
    freshness_hours = excluded.freshness_hours
"""
_PUT_BLOCK = """
INSERT INTO block AS b (calendar, name, document) VALUES ($1, $2, $3)
ON CONFLICT (calendar, name) DO UPDATE SET document = excluded.document WHERE b.shipped
"""


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


def _dataset_row(entry: DatasetEntry) -> tuple[object, ...]:
    values = asdict(entry) | {"measures": [dict(measure) for measure in entry.measures]}
    return tuple(values[name] for name in _DATASET_COLUMNS)
