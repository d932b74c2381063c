"""Declares sources, datasets and blocks; said again, it replaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy.dialects.postgresql import insert

from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.storage.postgres import tables
from aurum.storage.postgres.pool import PostgresPool


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
        async with self._pool.catalog() as connection:
            if sources:
                statement = insert(tables.source).values([asdict(entry) for entry in sources])
                excluded = statement.excluded
                await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["name"],
                        set_={"title": excluded.title, "homepage": excluded.homepage, "terms": excluded.terms},
                    )
                )
            if datasets:
                rows = [asdict(entry) | {"measures": [dict(measure) for measure in entry.measures]} for entry in datasets]
                statement = insert(tables.dataset).values(rows)
                columns = [column.name for column in tables.dataset.c if column.name not in ("source", "name")]
                await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["source", "name"], set_={name: statement.excluded[name] for name in columns}
                    )
                )
            if blocks:
                rows = [{"calendar": block["calendar"], "name": block["name"], "document": dict(block)} for block in blocks]
                statement = insert(tables.block).values(rows)
                await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["calendar", "name"],
                        set_={"document": statement.excluded.document},
                        where=tables.block.c.shipped,
                    )
                )
