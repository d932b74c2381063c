"""Marts in a schema of the store's database."""

from __future__ import annotations

import io
from collections.abc import Collection

import polars as pl

from aurum.core.frames import UTC_US
from aurum.storage.ports.models import UnknownMart
from aurum.storage.postgres.connection.pool import PostgresPool

_COLUMNS = """
SELECT a.attname AS name, t.typname AS type FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = a.atttypid
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_NULL = "\\N"
_WHOLE = ("int2", "int4", "int8")
_BROKEN = ("float4", "float8", "numeric")
_INSTANT = "timestamptz"


class PostgresMartReader:
    """``MartReader`` over one schema."""

    def __init__(self, pool: PostgresPool, schema: str) -> None:
        self._pool = pool
        self._schema = schema

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        written = io.BytesIO()
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            there = {row["name"]: row["type"] for row in await connection.fetch(_COLUMNS, self._schema, mart)}
            if not there:
                raise UnknownMart(f"no mart {mart} in schema {self._schema}", mart=mart)
            types = {name: kind for name, kind in there.items() if name in columns}
            # A mart is read whole, which may take longer than a read of the store.
            await connection.execute("SET LOCAL statement_timeout = 0")
            # Identifiers cannot be bound: these are names of the catalog, quoted.
            selected = ", ".join(_selected(name, kind) for name, kind in types.items()) or "1 AS one"
            query = f"SELECT {selected} FROM {_quoted(self._schema)}.{_quoted(mart)}"  # noqa: S608
            await connection.copy_from_query(query, output=written, format="csv", null=_NULL)
        written.seek(0)
        return _frame(written, types)


def _selected(name: str, kind: str) -> str:
    # Microseconds since 1970, exact, and nothing to parse.
    value = f"(extract(epoch FROM {_quoted(name)}) * 1000000)::bigint" if kind == _INSTANT else _quoted(name)
    return f"{value} AS {_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _frame(written: io.BytesIO, types: dict[str, str]) -> pl.DataFrame:
    read = {name: _read_as(kind) for name, kind in types.items()}
    frame = pl.read_csv(
        written,
        has_header=False,
        schema=read or {"one": pl.Int64},
        null_values=_NULL,
        empty_string_is_null=False,
    )
    return frame.with_columns(
        [_made(name, kind).alias(name) for name, kind in types.items()] if types else [],
    )


def _read_as(kind: str) -> pl.DataType:
    if kind in _WHOLE or kind == _INSTANT:
        return pl.Int64()
    return pl.Float64() if kind in _BROKEN else pl.String()


def _made(name: str, kind: str) -> pl.Expr:
    column = pl.col(name)
    if kind == _INSTANT:
        return column.cast(UTC_US)
    if kind == "date":
        return column.str.to_date("%Y-%m-%d")
    if kind == "bool":
        return column == "t"
    return column.fill_nan(None) if kind in _BROKEN else column
