"""The reader of marts in a DuckDB file."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

import duckdb
import polars as pl
import polars.selectors as cs

from aurum.core.errors import Unavailable
from aurum.core.frames import UTC_US
from aurum.storage.ports.models import UnknownMart

_COLUMNS = """
SELECT column_name FROM information_schema.columns WHERE table_catalog = current_database() AND table_schema = $1
AND table_name = $2 ORDER BY ordinal_position
"""
_QUOTED = "SELECT {columns} FROM {schema}.{mart}"


class DuckDbMartReader:
    """``MartReader`` over one schema of a file. Each read opens and closes the file, so that builds can write to it."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._schema = schema

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        return await asyncio.to_thread(self._read, mart, columns)

    def _read(self, mart: str, columns: Collection[str]) -> pl.DataFrame:
        if not self._path.is_file():
            raise UnknownMart(f"no marts are built: {self._path} does not exist; run `aurum dbt build`", mart=mart)
        try:
            connection = duckdb.connect(self._path, read_only=True)
        except duckdb.IOException as error:
            raise Unavailable(f"{self._path} cannot be read: {str(error).splitlines()[0]}") from error
        with connection:
            connection.execute("SET TimeZone = 'UTC'")
            names = [row[0] for row in connection.execute(_COLUMNS, [self._schema, mart]).fetchall()]
            if not names:
                raise UnknownMart(f"no mart {mart} in schema {self._schema}", mart=mart)
            selected = [name for name in names if name in columns]
            # Identifiers cannot be bound as parameters: these come from the catalog and are quoted.
            query = _QUOTED.format(
                columns=", ".join(map(_quoted, selected)) or "1 AS one", schema=_quoted(self._schema), mart=_quoted(mart)
            )
            return _conformed(pl.DataFrame(connection.sql(query).to_arrow_table()))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _conformed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cs.decimal().cast(pl.Float64), cs.datetime().cast(UTC_US)).with_columns(cs.float().fill_nan(None))
