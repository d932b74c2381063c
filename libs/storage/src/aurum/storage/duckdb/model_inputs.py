"""A copy of the store's tables in a DuckDB file, for the models that dbt builds there."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from aurum.core.errors import Unavailable
from aurum.core.frames import conform
from aurum.storage.ports.model_inputs import (
    BLOCK_HOUR,
    DATASETS,
    DELIVERY_PERIOD,
    FILES,
    MARKET_DAY,
    PRODUCTS,
    QUOTES_IN_FORCE,
    SERIES_TABLE,
    STRIP_PART,
    Bulk,
    CopyWriter,
)

_TYPES: dict[type[pl.DataType], str] = {
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Float64: "DOUBLE",
    pl.String: "VARCHAR",
    pl.Date: "DATE",
    pl.Boolean: "BOOLEAN",
    pl.Datetime: "TIMESTAMPTZ",
}
_TABLES: dict[str, pl.Schema] = {
    "series": SERIES_TABLE,
    "dataset": DATASETS,
    "ingest_file": FILES,
    "market_day": MARKET_DAY,
    "block_hour": BLOCK_HOUR,
    "product": PRODUCTS,
    "quote": QUOTES_IN_FORCE,
    "delivery_period": DELIVERY_PERIOD,
    "strip_part": STRIP_PART,
    **{str(bulk): bulk.schema for bulk in Bulk},
}
_VERSIONS = pl.Schema({name: SERIES_TABLE[name] for name in ("series_id", "key", "version")})
_PRODUCT_VERSIONS = pl.Schema({name: PRODUCTS[name] for name in ("curve_id", "key", "version")})


class WarehouseInUse(Unavailable):
    """Another process has the DuckDB file open. Facts: ``path``."""


class DuckDbStoreCopy:
    """``StoreCopy`` in the schema ``store`` of a DuckDB file, which the first use creates."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def writing(self) -> Generator[CopyWriter]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = duckdb.connect(self._path)
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise Unavailable(f"{self._path} cannot be opened: {str(error).splitlines()[0]}") from error
            raise WarehouseInUse(
                f"{self._path} is in use by another process: try again when it has ended", path=str(self._path)
            ) from error
        with connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.begin()
            connection.execute("CREATE SCHEMA IF NOT EXISTS store")
            for name, schema in _TABLES.items():
                columns = ", ".join(f'"{column}" {_TYPES[dtype.base_type()]}' for column, dtype in schema.items())
                connection.execute(f"CREATE TABLE IF NOT EXISTS store.{name} ({columns})")
            for column, dtype in SERIES_TABLE.items():
                # A file of an earlier release has fewer columns. Its series are all written anew.
                kind = _TYPES[dtype.base_type()]
                connection.execute(f'ALTER TABLE store.series ADD COLUMN IF NOT EXISTS "{column}" {kind}')
            yield _Writer(connection)
            connection.commit()  # without a commit nothing changes


class _Writer:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def known(self) -> pl.DataFrame:
        table = self._connection.sql("SELECT series_id, key, version FROM store.series").to_arrow_table()
        return pl.DataFrame(table).cast(_VERSIONS)  # pyright: ignore[reportArgumentType] - a schema is a mapping to data types

    def replace(self, table: str, rows: pl.DataFrame) -> None:
        self._connection.execute(f"DELETE FROM store.{table}")  # noqa: S608 - the names are keys of _TABLES
        self._insert(table, rows)

    def forget(self, series_ids: Collection[int] | None) -> None:
        for bulk in Bulk:
            if series_ids is None:
                self._connection.execute(f"DELETE FROM store.{bulk}")  # noqa: S608
            else:
                statement = f"DELETE FROM store.{bulk} WHERE series_id IN (SELECT unnest(?::INTEGER[]))"  # noqa: S608
                self._connection.execute(statement, [sorted(series_ids)])

    def append(self, table: Bulk, rows: pl.DataFrame) -> None:
        self._insert(table, rows)

    def known_products(self) -> pl.DataFrame:
        table = self._connection.sql("SELECT curve_id, key, version FROM store.product").to_arrow_table()
        return pl.DataFrame(table).cast(_PRODUCT_VERSIONS)  # pyright: ignore[reportArgumentType] - likewise

    def forget_quotes(self, curve_ids: Collection[int]) -> None:
        statement = "DELETE FROM store.quote WHERE curve_id IN (SELECT unnest(?::INTEGER[]))"
        self._connection.execute(statement, [sorted(curve_ids)])

    def append_quotes(self, rows: pl.DataFrame) -> None:
        self._insert("quote", rows)

    def _insert(self, table: str, rows: pl.DataFrame) -> None:
        frame = conform(rows, _TABLES[table])
        arrow = frame.to_arrow()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - pyarrow has no types
        self._connection.register("inserted", arrow)  # pyright: ignore[reportUnknownArgumentType]
        self._connection.execute(f"INSERT INTO store.{table} SELECT * FROM inserted")  # noqa: S608
        self._connection.unregister("inserted")
