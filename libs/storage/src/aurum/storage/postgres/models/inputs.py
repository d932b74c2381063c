"""Inputs of a warehouse on PostgreSQL: snapshots of the store's tables, and calendars for engines that read the store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from io import BytesIO

import polars as pl

from aurum.core.frames import UTC_US, conform
from aurum.storage.ports.curves import ReferenceKind
from aurum.storage.ports.history import ArchivedPart, HistoryStore, refuse_archived_parts
from aurum.storage.ports.model_inputs import (
    BLOCK_HOUR,
    DATASETS,
    DELIVERY_PERIOD,
    FILES,
    MARKET_DAY,
    PRODUCTS,
    QUOTED_PERIODS,
    QUOTES_IN_FORCE,
    SERIES_TABLE,
    STRIP_PART,
    Bulk,
    StoreSnapshot,
)
from aurum.storage.postgres.connection.copy import Collector, Layout
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.history.parts import PART, PARTS, parts_of

MARTS_ROLE = "aurum_marts"
"""Role that reads the store and owns the schemas of models; migration 0005 creates it."""

_BATCH_BYTES = 16 << 20
_ROWS_PER_READ = 1_000_000
_NULL = "\\N"
_DOCUMENTS = ("labels", "document")
"""Columns of JSON, which are sent as text."""

_LAYOUTS = {
    Bulk.OBSERVATION: Layout(series_id="int4", ts="timestamptz", value="float8", quality="int2", known_at="timestamptz"),
    Bulk.OBSERVATION_VERSION: Layout(
        series_id="int4", ts="timestamptz", known_at="timestamptz", superseded_at="timestamptz", value="float8", quality="int2"
    ),
    Bulk.COMPLETENESS: Layout(series_id="int4", day="date", expected="int4", present="int4"),
}
_SERIES = "SELECT {columns} FROM series ORDER BY series_id"
_DATASETS = "SELECT {columns} FROM dataset ORDER BY source, name"
_FILES = "SELECT {columns} FROM ingest_file ORDER BY file_id"
# Products and quotes of tenants are in the schema private.
_PRODUCTS = "SELECT {columns} FROM public.product ORDER BY curve_id"
_PERIODS = "SELECT DISTINCT {columns} FROM public.quote ORDER BY curve_id, delivery_start, delivery_end"
_REFERENCES = 'SELECT document FROM public.curve_reference WHERE kind = $1 ORDER BY name COLLATE "C"'
_QUOTE_WIRE: Mapping[pl.DataType, str] = {pl.Int32(): "int4", pl.Date(): "date", pl.Float64(): "float8", UTC_US: "timestamptz"}
_QUOTE = Layout(**{name: _QUOTE_WIRE[dtype] for name, dtype in QUOTES_IN_FORCE.items()})
_NUMBERS = [name for name, dtype in QUOTES_IN_FORCE.items() if dtype == pl.Float64()]
_AS_WIRE = ", ".join(f"coalesce({name}, 'NaN')" if name in _NUMBERS else name for name in QUOTES_IN_FORCE)
_QUOTES = f"SELECT {_AS_WIRE} FROM public.quote WHERE curve_id = ANY($1)"  # noqa: S608 - names from this package

# Texts are stored once, under the number ``place``; so the rows have a fixed width and can be copied in binary.
_DAYS = Layout(place="int4", market_day="date", starts_at="timestamptz", ends_at="timestamptz", weekday="int2", holiday="int2")
_HOURS = Layout(place="int4", ts="timestamptz", market_day="date", hour_ending="int2")
_CREATE_TEMPORARY = """
CREATE TEMP TABLE given_place (place int4 PRIMARY KEY, first text NOT NULL, second text NOT NULL) ON COMMIT DROP;
CREATE TEMP TABLE given_day (place int4, market_day date, starts_at timestamptz, ends_at timestamptz, weekday int2,
    holiday int2) ON COMMIT DROP;
CREATE TEMP TABLE given_hour (place int4, ts timestamptz, market_day date, hour_ending int2) ON COMMIT DROP;
"""
_PLACES = "INSERT INTO given_place SELECT * FROM unnest($1::int4[], $2::text[], $3::text[])"
_PUT_DAYS = """
INSERT INTO market_day AS t (zone, market_day, starts_at, ends_at, weekday, nerc_holiday)
SELECT first, market_day, starts_at, ends_at, weekday, holiday = 1 FROM given_day JOIN given_place USING (place)
ON CONFLICT (zone, market_day) DO UPDATE
SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, weekday = excluded.weekday, nerc_holiday = excluded.nerc_holiday
WHERE (t.starts_at, t.ends_at, t.weekday, t.nerc_holiday)
    IS DISTINCT FROM (excluded.starts_at, excluded.ends_at, excluded.weekday, excluded.nerc_holiday)
"""
_DROP_DAYS = """
DELETE FROM market_day AS t WHERE NOT EXISTS (
    SELECT FROM given_day AS g JOIN given_place AS p USING (place) WHERE p.first = t.zone AND g.market_day = t.market_day)
"""
_PUT_HOURS = """
INSERT INTO block_hour AS t (calendar, block, ts, market_day, hour_ending)
SELECT first, second, ts, market_day, hour_ending FROM given_hour JOIN given_place USING (place)
ON CONFLICT (calendar, ts, block) DO UPDATE SET market_day = excluded.market_day, hour_ending = excluded.hour_ending
WHERE (t.market_day, t.hour_ending) IS DISTINCT FROM (excluded.market_day, excluded.hour_ending)
"""
_DROP_HOURS = """
DELETE FROM block_hour AS t WHERE NOT EXISTS (
    SELECT FROM given_hour AS g JOIN given_place AS p USING (place)
    WHERE p.first = t.calendar AND p.second = t.block AND g.ts = t.ts)
"""


class PostgresStoreExport:
    """``StoreExport`` on PostgreSQL. Archived months come from ``history``, by the archive log of the same snapshot."""

    def __init__(self, pool: PostgresPool, history: HistoryStore | None = None) -> None:
        self._pool = pool
        self._history = history

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[StoreSnapshot]:
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            # A copy of all tables may take longer than the time limit of a read.
            await connection.execute("SET LOCAL statement_timeout = 0")
            yield _Snapshot(connection, self._history)


class _Snapshot:
    def __init__(self, connection: Connection, history: HistoryStore | None) -> None:
        self._connection = connection
        self._history = history

    async def archived(self) -> int:
        return await self._connection.fetchval("SELECT count(*) FROM archived_part")

    async def series(self) -> pl.DataFrame:
        return await self._table(_SERIES, SERIES_TABLE)

    async def datasets(self) -> pl.DataFrame:
        return await self._table(_DATASETS, DATASETS)

    async def files(self) -> pl.DataFrame:
        return await self._table(_FILES, FILES)

    async def products(self) -> pl.DataFrame:
        return await self._table(_PRODUCTS, PRODUCTS)

    async def quoted_periods(self) -> pl.DataFrame:
        return await self._table(_PERIODS, QUOTED_PERIODS)

    async def references(self, kind: ReferenceKind) -> Sequence[Mapping[str, object]]:
        return [row["document"] for row in await self._connection.fetch(_REFERENCES, kind)]

    async def quotes(self, curve_ids: Collection[int], sink: Callable[[pl.DataFrame], None]) -> None:
        await self._copied(
            _QUOTE, _QUOTES, [sorted(curve_ids)], lambda rows: sink(rows.with_columns(pl.col(_NUMBERS).fill_nan(None)))
        )

    async def rows(self, table: Bulk, series_ids: Collection[int] | None, sink: Callable[[pl.DataFrame], None]) -> None:
        layout = _LAYOUTS[table]
        condition = "" if series_ids is None else " WHERE series_id = ANY($1)"
        query = f"SELECT {', '.join(layout.columns)} FROM {table}{condition}"  # noqa: S608 - names from this package
        arguments = [] if series_ids is None else [sorted(series_ids)]
        await self._copied(layout, query, arguments, lambda rows: sink(conform(rows, table.schema)))
        if table is not Bulk.COMPLETENESS:
            await self._archived_rows(table, series_ids, sink)

    async def _copied(
        self, layout: Layout, query: str, arguments: Sequence[object], sink: Callable[[pl.DataFrame], None]
    ) -> None:
        """Pass the rows of a query to ``sink``, in batches of bounded size."""
        collector = Collector(layout)

        async def collect(data: bytes) -> None:
            collector.feed(data)
            if collector.size >= _BATCH_BYTES:
                sink(collector.take())

        await self._connection.copy_from_query(query, *arguments, output=collect, format="binary")
        rest = collector.take()
        if not rest.is_empty():
            sink(rest)

    async def _archived_rows(
        self, table: Bulk, series_ids: Collection[int] | None, sink: Callable[[pl.DataFrame], None]
    ) -> None:
        condition = "" if series_ids is None else "WHERE p.series_id = ANY($1)"
        # Files are sorted by series: in this order each group reads a few row groups of a file.
        query = f"SELECT {PART} FROM {PARTS} {condition} ORDER BY p.series_id, p.month"  # noqa: S608 - constants
        parts = parts_of(await self._connection.fetch(query, *([] if series_ids is None else [sorted(series_ids)])))
        if not parts:
            return
        if self._history is None:
            refuse_archived_parts(parts)
            return
        is_current = pl.col("superseded_at").is_null()
        for group in _groups(parts):
            rows = await self._history.rows(group)
            table_rows = rows.filter(is_current if table is Bulk.OBSERVATION else ~is_current)
            sink(conform(table_rows, table.schema))

    async def _table(self, query: str, schema: pl.Schema) -> pl.DataFrame:
        """Return a table with texts, sent as CSV and read in columns. Instants are sent as microseconds."""
        columns = ", ".join(_as_csv(name, dtype) for name, dtype in schema.items())
        content = BytesIO()
        await self._connection.copy_from_query(query.format(columns=columns), output=content, format="csv", null=_NULL)
        wire = {name: pl.Int64() if dtype == UTC_US else dtype for name, dtype in schema.items()}
        text = content.getvalue()
        if not text:
            return pl.DataFrame(schema=schema)
        frame = pl.read_csv(text, has_header=False, schema=wire, null_values=_NULL, empty_string_is_null=False)
        return frame.cast(dict(schema))  # pyright: ignore[reportArgumentType] - a schema is a mapping to data types


class PostgresCalendarTables:
    """``CalendarTables`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def put(self, days: pl.DataFrame, hours: pl.DataFrame) -> None:
        zones = conform(days, MARKET_DAY).select(first="zone", second=pl.lit("")).unique(maintain_order=True)
        blocks = conform(hours, BLOCK_HOUR).select(first="calendar", second="block").unique(maintain_order=True)
        places = pl.concat([zones, blocks]).with_row_index("place").with_columns(pl.col("place").cast(pl.Int32))
        numbered_days = days.join(places.filter(pl.col("second") == ""), left_on="zone", right_on="first").with_columns(
            holiday=pl.col("nerc_holiday").cast(pl.Int16)
        )
        numbered_hours = hours.join(places, left_on=["calendar", "block"], right_on=["first", "second"])
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('calendar tables', 0))")
            await connection.execute(_CREATE_TEMPORARY)
            await connection.execute(_PLACES, *(places[name].to_list() for name in ("place", "first", "second")))
            for table, layout, rows in (("given_day", _DAYS, numbered_days), ("given_hour", _HOURS, numbered_hours)):
                await connection.copy_to_table(
                    table, source=layout.source(rows), columns=list(layout.columns), format="binary", schema_name="pg_temp"
                )
                await connection.execute(f"ANALYZE pg_temp.{table}")
            for statement in (_DROP_DAYS, _PUT_DAYS, _DROP_HOURS, _PUT_HOURS):
                await connection.execute(statement)

    async def put_deliveries(self, periods: pl.DataFrame, parts: pl.DataFrame) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('delivery tables', 0))")
            await _replace(connection, "delivery_period", list(DELIVERY_PERIOD)[:3], conform(periods, DELIVERY_PERIOD))
            await _replace(connection, "strip_part", list(STRIP_PART), conform(parts, STRIP_PART))

    async def make_schemas(self, names: Collection[str]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            for name in names:
                quoted = await connection.fetchval("SELECT quote_ident($1)", name)
                await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted} AUTHORIZATION {MARTS_ROLE}")


async def _replace(connection: Connection, table: str, key: Sequence[str], rows: pl.DataFrame) -> None:
    """Make the rows of a table those of a frame; rows that are the same are not written."""
    names = ", ".join(rows.columns)
    is_same = " AND ".join(f"g.{name} = t.{name}" for name in key) + " AND ROW(g.*) IS NOT DISTINCT FROM ROW(t.*)"
    await connection.execute(f"CREATE TEMP TABLE given_{table} (LIKE public.{table}) ON COMMIT DROP")
    await connection.copy_to_table(
        f"given_{table}",
        source=BytesIO(rows.write_csv(include_header=False, null_value=_NULL).encode()),
        columns=rows.columns,
        format="csv",
        null=_NULL,
        schema_name="pg_temp",
    )
    await connection.execute(f"ANALYZE pg_temp.given_{table}")
    for statement in (
        f"DELETE FROM {table} AS t WHERE NOT EXISTS (SELECT FROM given_{table} AS g WHERE {is_same})",  # noqa: S608 - names from this package
        f"INSERT INTO {table} ({names}) SELECT {names} FROM given_{table} ON CONFLICT DO NOTHING",  # noqa: S608
    ):
        await connection.execute(statement)


def _groups(parts: Sequence[ArchivedPart]) -> Iterator[Sequence[ArchivedPart]]:
    """Yield the parts in order, in groups of at most ``_ROWS_PER_READ`` rows or of one part."""
    group: list[ArchivedPart] = []
    rows = 0
    for part in parts:
        if group and rows + part.rows > _ROWS_PER_READ:
            yield group
            group, rows = [], 0
        group.append(part)
        rows += part.rows
    yield group


def _as_csv(name: str, dtype: object) -> str:
    if dtype == UTC_US:
        return f"(extract(epoch FROM {name}) * 1000000)::bigint AS {name}"
    return f"{name}::text AS {name}" if name in _DOCUMENTS else name
