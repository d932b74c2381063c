"""Reads the catalog: series, locations, sources, datasets, blocks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import Row, Select, func, or_, select, tuple_

from aurum.core.catalog.entries import DatasetEntry, LocationEntry, SourceEntry
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.names import nearest
from aurum.core.series.model import Series, SeriesSpec
from aurum.storage.ports import SeriesFilter
from aurum.storage.postgres import tables
from aurum.storage.postgres.pool import PostgresPool

Query: TypeAlias = Select[*tuple[Any, ...]]

_series = tables.series.c
_COUNTED = ("source", "dataset", "market", "measure", "unit", "frequency", "location_type")
_CANDIDATES = 5_000
"""Keys compared at most to find the nearest one."""


_BY_KEY = """
SELECT series_id, key, source, dataset, location, measure, market, unit, currency, frequency, zone, location_name,
       location_type, labels, version, first_ts, last_ts, updated_at
FROM series WHERE key = ANY($1)
"""


class PostgresCatalog:
    """``Catalog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        query = _matching(select(tables.series), criteria).order_by(_series.key).limit(limit)
        if after is not None:
            query = query.where(_series.key > after)
        return [_to_series(row) for row in await self._rows(query)]

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        # On every request's path, so a prepared statement of the driver: SQLAlchemy takes five times as long.
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_BY_KEY, keys)
        return {row["key"]: _from_record(row) for row in rows}

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        parts = key.split(":")
        narrower = select(_series.key).where(_series.source == parts[0]).order_by(_series.key).limit(_CANDIDATES)
        if len(parts) > 1:
            same_dataset = narrower.where(_series.dataset == parts[1])
            rows = await self._rows(same_dataset)
            if rows:
                return nearest(key, (row.key for row in rows))
        rows = await self._rows(narrower)
        if not rows:
            rows = await self._rows(select(_series.key).order_by(_series.key).limit(_CANDIDATES))
        return nearest(key, (row.key for row in rows))

    async def locations_page(
        self, *, source: str | None, market: str | None, text: str | None, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        place = (_series.source, _series.location)
        query = (
            select(
                *place,
                func.max(_series.location_name).label("name"),
                func.max(_series.location_type).label("kind"),
                func.max(_series.market).label("market"),
                func.max(_series.zone).label("zone"),
                func.count().label("series"),
            )
            .group_by(*place)
            .order_by(*place)
            .limit(limit)
        )
        query = _matching(query, SeriesFilter(source=source, market=market))
        if text is not None:
            query = query.where(or_(_contains(_series.location, text), _contains(_series.location_name, text)))
        if after is not None:
            query = query.where(tuple_(*place) > tuple_(*after))
        return [LocationEntry(*row) for row in await self._rows(query)]

    async def sources(self) -> Sequence[SourceEntry]:
        rows = await self._rows(select(tables.source).order_by(tables.source.c.name))
        return [SourceEntry(row.name, row.title, row.homepage, row.terms) for row in rows]

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        query = select(tables.dataset).order_by(tables.dataset.c.source, tables.dataset.c.name)
        if source is not None:
            query = query.where(tables.dataset.c.source == source)
        return [
            DatasetEntry(
                source=row.source,
                name=row.name,
                title=row.title,
                zone=row.zone,
                frequency=row.frequency,
                measures=tuple(row.measures),
                market=row.market,
                reference=row.reference,
                schedule=row.schedule,
                freshness_hours=row.freshness_hours,
            )
            for row in await self._rows(query)
        ]

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        answer: dict[str, Mapping[str, int]] = {}
        for name in _COUNTED:
            column = _series[name]
            query = select(column, func.count()).where(column.is_not(None), column != "").group_by(column).order_by(column)
            answer[name] = {row[0]: row[1] for row in await self._rows(query)}
        return answer

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        query = select(tables.block.c.document).order_by(tables.block.c.calendar, tables.block.c.name)
        return [row.document for row in await self._rows(query)]

    async def _rows(self, query: Query) -> Sequence[Row[*tuple[Any, ...]]]:
        async with self._pool.catalog() as connection:
            return (await connection.execute(query)).all()


def _matching(query: Query, criteria: SeriesFilter) -> Query:
    for name in ("source", "dataset", "market", "measure", "location"):
        wanted = getattr(criteria, name)
        if wanted is not None:
            query = query.where(_series[name] == wanted)
    if criteria.text is not None:
        query = query.where(or_(_contains(_series.key, criteria.text), _contains(_series.location_name, criteria.text)))
    return query


def _contains(column: Any, text: str) -> Any:
    return column.icontains(text, autoescape=True)


def _from_record(row: asyncpg.Record) -> Series:
    return _series_of(row, json.loads(row["labels"]))


def _to_series(row: Row[*tuple[Any, ...]]) -> Series:
    return _series_of(row._mapping, row.labels)  # pyright: ignore[reportPrivateUsage] - SQLAlchemy's public accessor


def _series_of(row: Mapping[Any, Any] | asyncpg.Record, labels: Mapping[str, str]) -> Series:
    return Series(
        series_id=row["series_id"],
        spec=SeriesSpec(
            key=SeriesKey(row["source"], row["dataset"], row["location"], row["measure"]),
            unit=row["unit"],
            frequency=Frequency(row["frequency"]),
            zone=row["zone"],
            market=row["market"],
            currency=row["currency"],
            location_name=row["location_name"],
            location_type=row["location_type"],
            labels=labels,
        ),
        version=row["version"],
        first_ts=row["first_ts"],
        last_ts=row["last_ts"],
        updated_at=row["updated_at"],
    )
