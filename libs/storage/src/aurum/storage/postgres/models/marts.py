"""Reads of marts in a schema of the store's database."""

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
_INTEGERS = ("int2", "int4", "int8")
_NUMBERS = ("float4", "float8", "numeric")
_INSTANT = "timestamptz"


class PostgresMartReader:
    """``MartReader`` over one schema."""

    def __init__(self, pool: PostgresPool, schema: str) -> None:
        self._pool = pool
        self._schema = schema

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        content = io.BytesIO()
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            available = {row["name"]: row["type"] for row in await connection.fetch(_COLUMNS, self._schema, mart)}
            if not available:
                raise UnknownMart(f"mart {mart} does not exist in schema {self._schema}", mart=mart)
            types = {name: kind for name, kind in available.items() if name in columns}
            # A mart is read whole, which may take longer than the time limit of a read.
            await connection.execute("SET LOCAL statement_timeout = 0")
            # Identifiers cannot be bound. These names come from the catalog of the database and are quoted.
            selected = ", ".join(_selected(name, kind) for name, kind in types.items()) or "1 AS one"
            query = f"SELECT {selected} FROM {_quoted(self._schema)}.{_quoted(mart)}"  # noqa: S608
            await connection.copy_from_query(query, output=content, format="csv", null=_NULL)
        content.seek(0)
        return _frame(content, types)


def _selected(name: str, kind: str) -> str:
    # Instants as microseconds since 1970: exact, and without text to parse.
    value = f"(extract(epoch FROM {_quoted(name)}) * 1000000)::bigint" if kind == _INSTANT else _quoted(name)
    return f"{value} AS {_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _frame(content: io.BytesIO, types: dict[str, str]) -> pl.DataFrame:
    csv_types = {name: _csv_type(kind) for name, kind in types.items()}
    frame = pl.read_csv(
        content,
        has_header=False,
        schema=csv_types or {"one": pl.Int64},
        null_values=_NULL,
        empty_string_is_null=False,
    )
    return frame.with_columns(
        [_converted(name, kind).alias(name) for name, kind in types.items()] if types else [],
    )


def _csv_type(kind: str) -> pl.DataType:
    if kind in _INTEGERS or kind == _INSTANT:
        return pl.Int64()
    return pl.Float64() if kind in _NUMBERS else pl.String()


def _converted(name: str, kind: str) -> pl.Expr:
    column = pl.col(name)
    if kind == _INSTANT:
        return column.cast(UTC_US)
    if kind == "date":
        return column.str.to_date("%Y-%m-%d")
    if kind == "bool":
        return column == "t"
    return column.fill_nan(None) if kind in _NUMBERS else column
