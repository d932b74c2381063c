"""Reads of the catalog on PostgreSQL: series, locations, sources, datasets and blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any, TypeAlias

from asyncpg import Record
from sqlalchemy import ColumnElement, Select, Text, bindparam, func, or_, select, tuple_

from aurum.core.catalog.entries import DatasetEntry, LocationEntry, SourceEntry
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.names import nearest
from aurum.core.series.model import Series, SeriesSpec
from aurum.storage.ports.catalog import LocationFilter, SeriesFilter
from aurum.storage.postgres import tables
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.connection.statements import Statement, compiled, contains, escaped, filter_names, matching

Query: TypeAlias = Select[*tuple[Any, ...]]

_series = tables.series.c
_DIMENSIONS = ("source", "dataset", "market", "measure", "unit", "frequency", "location_type")
_CANDIDATES = 5_000
"""Largest number of keys that are compared to find the nearest ones."""

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
        values = _with_escaped_text(asdict(criteria)) | {"after": after}
        rows = await self._fetch(_series_page(filter_names(values)), **values, limit=limit)
        return [_series_of(row) for row in rows]

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_BY_KEY, keys)
        return {row["key"]: _series_of(row) for row in rows}

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        source, _, rest = key.partition(":")
        for values in ({"source": source, "dataset": rest.partition(":")[0]}, {"source": source}, dict[str, object]()):
            rows = await self._fetch(_keys(filter_names(values)), **values, limit=_CANDIDATES)
            if rows:
                return nearest(key, (row["key"] for row in rows))
        return ()

    async def locations_page(
        self, criteria: LocationFilter, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        source, location = after or (None, None)
        values = _with_escaped_text(asdict(criteria)) | {"after_source": source, "after_location": location}
        rows = await self._fetch(_locations_page(filter_names(values)), **values, limit=limit)
        return [LocationEntry(*row) for row in rows]

    async def sources(self) -> Sequence[SourceEntry]:
        return [SourceEntry(*row) for row in await self._fetch(_sources())]

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        values = {"source": source}
        return [_dataset_of(row) for row in await self._fetch(_datasets(filter_names(values)), **values)]

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        async with self._pool.acquire() as connection:
            return {name: {row[0]: row[1] for row in await _dimension(name).fetch(connection)} for name in _DIMENSIONS}

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        return [row["document"] for row in await self._fetch(_blocks())]

    async def _fetch(self, statement: Statement, **values: object) -> Sequence[Record]:
        async with self._pool.acquire() as connection:
            return await statement.fetch(connection, **values)


@cache
def _series_page(filters: tuple[str, ...]) -> Statement:
    query = select(tables.series).order_by(_series.key).limit(bindparam("limit"))
    return compiled(_filtered(query, filters, searched=(_series.key, _series.location_name), after=_series.key))


@cache
def _keys(filters: tuple[str, ...]) -> Statement:
    return compiled(_filtered(select(_series.key).order_by(_series.key).limit(bindparam("limit")), filters))


@cache
def _locations_page(filters: tuple[str, ...]) -> Statement:
    place = (_series.source, _series.location)
    query = (
        select(
            *place,
            func.max(_series.location_name),
            func.max(_series.location_type),
            func.max(_series.market),
            func.max(_series.zone),
            func.count(),
        )
        .group_by(*place)
        .order_by(*place)
        .limit(bindparam("limit"))
    )
    if "after_source" in filters:
        query = query.where(tuple_(*place) > tuple_(bindparam("after_source"), bindparam("after_location")))
    return compiled(_filtered(query, filters, searched=(_series.location, _series.location_name)))


@cache
def _sources() -> Statement:
    source = tables.source.c
    return compiled(select(source.name, source.title, source.homepage, source.terms).order_by(source.name))


@cache
def _datasets(filters: tuple[str, ...]) -> Statement:
    dataset = tables.dataset.c
    query = select(tables.dataset).order_by(dataset.source, dataset.name)
    return compiled(query.where(matching(dataset.source)) if "source" in filters else query)


@cache
def _dimension(name: str) -> Statement:
    column = _series[name]
    query = select(column, func.count()).where(column.is_not(None), column != "").group_by(column).order_by(column)
    return compiled(query)


@cache
def _blocks() -> Statement:
    return compiled(select(tables.block.c.document).order_by(tables.block.c.calendar, tables.block.c.name))


def _filtered(
    query: Query, filters: tuple[str, ...], *, searched: Sequence[Any] = (), after: ColumnElement[str] | None = None
) -> Query:
    for name in ("source", "dataset", "market", "measure", "location"):
        if name in filters:
            query = query.where(matching(_series[name]))
    if "label_name" in filters:
        label = _series.labels.op("->>", return_type=Text())(bindparam("label_name", type_=Text()))
        query = query.where(label == bindparam("label_value"))
    if "text" in filters:
        query = query.where(or_(*(contains(column, "text") for column in searched)))
    if after is not None and "after" in filters:
        query = query.where(after > bindparam("after"))
    return query


def _with_escaped_text(values: dict[str, object]) -> dict[str, object]:
    text = values["text"]
    return values if text is None else {**values, "text": escaped(str(text))}


def _dataset_of(row: Record) -> DatasetEntry:
    return DatasetEntry(
        source=row["source"],
        name=row["name"],
        title=row["title"],
        zone=row["zone"],
        frequency=row["frequency"],
        measures=tuple(row["measures"]),
        market=row["market"],
        reference=row["reference"],
        schedule=row["schedule"],
        freshness_hours=row["freshness_hours"],
    )


def _series_of(row: Record) -> Series:
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
            labels=row["labels"],
        ),
        version=row["version"],
        first_ts=row["first_ts"],
        last_ts=row["last_ts"],
        updated_at=row["updated_at"],
    )
