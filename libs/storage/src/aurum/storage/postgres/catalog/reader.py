"""Reads of the catalog on PostgreSQL: series, locations, sources, datasets and blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar

import structlog
from asyncpg import Record
from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, func, not_, or_, select, tuple_

from aurum.core.calendars import stored_business_days
from aurum.core.catalog.dimensions import (
    Component,
    Kind,
    component_pattern,
    location_type_as_compared,
    stored_fuel,
    stored_kind,
    stored_market_run,
)
from aurum.core.catalog.entries import DatasetEntry, DatasetExtent, IssueEntry, LocationEntry, SeriesIssue, SourceEntry
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.reading_terms import Spelling
from aurum.core.errors import UnknownName
from aurum.core.frequency import parse_frequency
from aurum.core.keys import InvalidSeriesKey, SeriesKey, is_location
from aurum.core.names import nearest
from aurum.core.search.near_keys import nearest_keys
from aurum.core.search.words import words_of
from aurum.core.series.model import Series, SeriesSpec
from aurum.core.visible import is_visible
from aurum.storage.ports.catalog import FILTERED, IssueChoice, LocationFilter, SeriesFilter
from aurum.storage.ports.removal import InvalidSeries
from aurum.storage.postgres import tables
from aurum.storage.postgres.catalog.issues import issues_page, nearest_issues, series_issues
from aurum.storage.postgres.connection.pool import ReadPool
from aurum.storage.postgres.connection.statements import Statement, compiled, contains, escaped, filter_names, matching
from aurum.storage.series_patterns import ANY, like

Query: TypeAlias = Select[*tuple[Any, ...]]
Position = TypeVar("Position")
Entry = TypeVar("Entry")

_series = tables.series.c
_DIMENSIONS = ("source", "dataset", "market", "measure", "unit", "frequency", "location_type", "kind", "market_run", "fuel")
_CANDIDATES = 100
"""Largest number of keys of each sort that are compared to find the nearest ones."""
_MOST_WORDS = 10
_AT_ONCE = 5_000

_MOST_WARNINGS = 1_000

_LAST_CHARACTER = "\U0010ffff"
"""Greater than every character of a key by code point, which is the order of the C collation."""

_log = structlog.get_logger(__name__)

_BY_KEY = """
SELECT series_id, key, source, dataset, location, measure, market, unit, currency, frequency, zone, location_name,
       location_type, labels, business_days, kind, market_run, fuel, fuel_detail, version, first_ts, last_ts, updated_at
FROM series WHERE key = ANY($1)
"""
_EXTENTS = """
SELECT source, dataset, count(*) AS series, min(first_ts) AS first_ts, max(last_ts) AS last_ts
FROM series GROUP BY source, dataset
"""
_SPELLINGS = """
SELECT kind, scope, folded, target FROM mapping WHERE kind IN ('period', 'unit', 'quoted_unit') ORDER BY kind, scope, folded
"""
_SOURCES_OF_SERIES = "SELECT DISTINCT source FROM search_group"
# Each part reads few rows of an index, so that the whole costs the same in a store of any size.
_RESEMBLING = """
(SELECT key FROM series WHERE source = $1 AND dataset = $2 AND key >= $4 ORDER BY source, dataset, key LIMIT $6)
UNION (
    SELECT key FROM series WHERE source = $1 AND dataset = $2 AND key < $4
    ORDER BY source DESC, dataset DESC, key DESC LIMIT $6
)
UNION (SELECT key FROM series WHERE key >= $4 AND key < $1 || ';' ORDER BY key LIMIT $6)
UNION (SELECT key FROM series WHERE key < $4 AND key >= $1 || ':' ORDER BY key DESC LIMIT $6)
UNION (SELECT key FROM series WHERE location = $3 ORDER BY location, key LIMIT $6)
UNION (
    SELECT named.key FROM (
        SELECT key, group_id FROM series_search WHERE words @@ (SELECT $5::text::tsquery) LIMIT 20 * $6
    ) AS named JOIN search_group AS g USING (group_id) WHERE g.source = $1 LIMIT $6
)
"""


class PostgresCatalog:
    """``Catalog`` on PostgreSQL."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._warned: set[str] = set()

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        values = _with_prefix(_with_escaped_text(asdict(criteria)))
        if criteria.location_type is not None:
            values["location_type"] = location_type_as_compared(criteria.location_type)
        if criteria.component is not None:
            is_total = values.pop("component") is Component.TOTAL
            values["not_components" if is_total else "components"] = component_pattern(None if is_total else criteria.component)

        async def fetch(position: str | None, most: int) -> Sequence[Record]:
            now = values | {"after": position}
            return await self._fetch(_series_page(filter_names(now)), **now, limit=most)

        return await self._valid_page(fetch, self._series_of, lambda row: row["key"], after, limit)

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_BY_KEY, keys)
        return {row["key"]: series for row in rows if (series := self._series_of(row)) is not None}

    async def invalid_series(self) -> Sequence[InvalidSeries]:
        invalid: list[InvalidSeries] = []
        after: str | None = None
        while True:
            values = {"after": after}
            rows = await self._fetch(_series_page(filter_names(values)), **values, limit=_AT_ONCE)
            invalid += [
                InvalidSeries(row["series_id"], row["key"], read) for row in rows if isinstance(read := _series_of(row), str)
            ]
            if len(rows) < _AT_ONCE:
                return invalid
            after = rows[-1]["key"]

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        source, _, rest = key.partition(":")
        dataset, _, rest = rest.partition(":")
        location = rest.rpartition(":")[0] or rest or dataset
        async with self._pool.acquire() as connection:
            sources = [row["source"] for row in await connection.fetch(_SOURCES_OF_SERIES)]
            # Keys around the requested one, and the words of its place, are looked up in the source that it names or resembles.
            similar = source if source in sources else next(iter(nearest(source, sources)), "")
            beside = ":".join([similar, *key.split(":")[1:]])
            words = " | ".join(f"'{word}'" for word in words_of(location)[:_MOST_WORDS]) or None
            rows = await connection.fetch(_RESEMBLING, similar, dataset, location, beside, words, _CANDIDATES)
        return nearest_keys(key, {row["key"] for row in rows if is_visible(row["key"])})

    async def locations_page(
        self, criteria: LocationFilter, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        values = _with_escaped_text(asdict(criteria))

        async def fetch(position: tuple[str, str] | None, most: int) -> Sequence[Record]:
            source, location = position or (None, None)
            now = values | {"after_source": source, "after_location": location}
            return await self._fetch(_locations_page(filter_names(now)), **now, limit=most)

        return await self._valid_page(fetch, self._location_of, lambda row: (row["source"], row["location"]), after, limit)

    async def sources(self) -> Sequence[SourceEntry]:
        return [SourceEntry(*row) for row in await self._fetch(_sources())]

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        values = {"source": source}
        return [_dataset_of(row) for row in await self._fetch(_datasets(filter_names(values)), **values)]

    async def dataset_extents(self) -> Mapping[tuple[str, str], DatasetExtent]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_EXTENTS)
        return {(row["source"], row["dataset"]): DatasetExtent(row["series"], row["first_ts"], row["last_ts"]) for row in rows}

    async def issues_page(
        self, series_id: int, *, as_of: datetime | None = None, before: tuple[datetime, int] | None, limit: int
    ) -> Sequence[IssueEntry]:
        async with self._pool.acquire() as connection:
            return await issues_page(connection, series_id, as_of, before, limit)

    async def series_issues(
        self, series_ids: Sequence[int], issue: IssueChoice, *, as_of: datetime | None = None
    ) -> Mapping[int, SeriesIssue]:
        async with self._pool.acquire() as connection:
            return await series_issues(connection, series_ids, issue, as_of)

    async def nearest_issues(
        self, series_id: int, known_at: datetime, *, as_of: datetime | None = None, limit: int
    ) -> Sequence[datetime]:
        async with self._pool.acquire() as connection:
            return await nearest_issues(connection, series_id, known_at, as_of, limit)

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        async with self._pool.acquire() as connection:
            return {name: {row[0]: row[1] for row in await _dimension(name).fetch(connection)} for name in _DIMENSIONS}

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        return [row["document"] for row in await self._fetch(_blocks())]

    async def spellings(self) -> Sequence[Spelling]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_SPELLINGS)
        return [Spelling(MappingKind(row["kind"]), row["scope"], row["folded"], row["target"]) for row in rows]

    async def _valid_page(
        self,
        fetch: Callable[[Position | None, int], Awaitable[Sequence[Record]]],
        entry_of: Callable[[Record], Entry | None],
        position_of: Callable[[Record], Position],
        after: Position | None,
        limit: int,
    ) -> Sequence[Entry]:
        """Return the first ``limit`` valid entries; fewer only on the last page, although invalid rows are left out."""
        entries: list[Entry] = []
        while (most := limit - len(entries)) > 0:
            rows = await fetch(after, most)
            entries += [entry for row in rows if (entry := entry_of(row)) is not None]
            if len(rows) < most:
                break
            after = position_of(rows[-1])
        return entries

    def _series_of(self, row: Record) -> Series | None:
        """Return the series of a row; None, with a warning in the log, when it breaks a rule of this release."""
        read = _series_of(row)
        if isinstance(read, Series):
            return read
        self._warn(row["key"], read)
        return None

    def _location_of(self, row: Record) -> LocationEntry | None:
        """Return the location of a row; None, with a warning in the log, when no series key can name it."""
        entry = LocationEntry(*row)
        if is_location(entry.location):
            return entry
        self._warn(f"{entry.source}: {entry.location}", "its location is empty, padded or has characters that cannot be seen")
        return None

    def _warn(self, name: str, why: str) -> None:
        """Log an invalid row once in the life of the process: lists are read many times a second."""
        if name not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(name)
            _log.warning("catalog.invalid_series", name=ascii(name), reason=why, hint="aurum series list --invalid")

    async def _fetch(self, statement: Statement, **values: object) -> Sequence[Record]:
        async with self._pool.acquire() as connection:
            return await statement.fetch(connection, **values)


@cache
def _series_page(filters: tuple[str, ...]) -> Statement:
    query = select(tables.series).order_by(_series.key).limit(bindparam("limit"))
    return compiled(_filtered(query, filters, searched=(_series.key, _series.location_name), after=_series.key))


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
    fetch = tables.fetch_state.c
    fetches = tables.dataset.outerjoin(tables.fetch_state, and_(fetch.source == dataset.source, fetch.dataset == dataset.name))
    query = select(tables.dataset, fetch.fetched_at).select_from(fetches).order_by(dataset.source, dataset.name)
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
    for name in FILTERED:
        if name in filters:
            query = query.where(matching(_series[name]))
    if "location_type" in filters:
        # As ``core.catalog.dimensions.location_type_as_compared`` does.
        compared = func.translate(func.lower(_series.location_type), " -", "__")
        query = query.where(compared == bindparam("location_type"))
    if "label_name" in filters:
        label = _series.labels.op("->>", return_type=Text())(bindparam("label_name", type_=Text()))
        query = query.where(label == bindparam("label_value"))
    if "components" in filters:
        query = query.where(_series.kind == Kind.PRICE, _series.measure.regexp_match(bindparam("components")))
    if "not_components" in filters:
        query = query.where(_series.kind == Kind.PRICE, not_(_series.measure.regexp_match(bindparam("not_components"))))
    if "pattern" in filters:
        query = query.where(_series.key.like(bindparam("pattern"), escape="/"))
    if "prefix" in filters:  # an index range, however the pattern goes on
        query = query.where(_series.key >= bindparam("prefix"), _series.key < bindparam("prefix_end"))
    if "text" in filters:
        query = query.where(or_(*(contains(column, "text") for column in searched)))
    if after is not None and "after" in filters:
        query = query.where(after > bindparam("after"))
    return query


def _with_escaped_text(values: dict[str, object]) -> dict[str, object]:
    text = values["text"]
    return values if text is None else {**values, "text": escaped(str(text))}


def _with_prefix(values: dict[str, object]) -> dict[str, object]:
    """Escape the pattern of keys, and add the range of keys that begin with the text before its first ``*``."""
    pattern = values["pattern"]
    if pattern is None:
        return values
    prefix = str(pattern).partition(ANY)[0]
    reach: dict[str, object] = {"prefix": prefix, "prefix_end": f"{prefix}{_LAST_CHARACTER}"} if prefix else {}
    return {**values, "pattern": like(str(pattern)), **reach}


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
        publication=tuple(row["publication"]),
        is_forecast=row["is_forecast"],
        details=tuple(row["details"]),
        order=row["search_order"],
        fetch=row["public_files"],
        fetched_at=row["fetched_at"],
    )


def _series_of(row: Record) -> Series | str:
    """Return the series of a row, or the rule of this release that it breaks."""
    try:
        return _valid_series(row)
    except (InvalidSeriesKey, UnknownName) as error:
        return error.detail


def _valid_series(row: Record) -> Series:
    """Raise ``InvalidSeriesKey`` or ``UnknownName`` for a row that breaks a rule of this release."""
    return Series(
        series_id=row["series_id"],
        spec=SeriesSpec(
            key=SeriesKey(row["source"], row["dataset"], row["location"], row["measure"]),
            unit=row["unit"],
            frequency=parse_frequency(row["frequency"]),
            zone=row["zone"],
            market=row["market"],
            currency=row["currency"],
            location_name=row["location_name"],
            location_type=row["location_type"],
            labels=row["labels"],
            business_days=stored_business_days(row["business_days"]),
            kind=stored_kind(row["kind"]),
            market_run=stored_market_run(row["market_run"]),
            fuel=stored_fuel(row["fuel"]),
            fuel_detail=row["fuel_detail"],
        ),
        version=row["version"],
        first_ts=row["first_ts"],
        last_ts=row["last_ts"],
        updated_at=row["updated_at"],
    )
