"""The writer of the Iceberg table, through its catalog and its files and without Trino.

Everything here blocks; it runs on the threads of a pool.
"""

# pyright: basic
# pyarrow, which pyiceberg takes, ships no types.

from __future__ import annotations

import threading

import polars as pl
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import And, BooleanExpression, EqualTo
from pyiceberg.table import Table

from aurum.common.settings.trino import TrinoSettings
from aurum.core.errors import Invalid
from aurum.core.frames import HISTORY
from aurum.core.history import month_of
from aurum.storage.trino.table import PROPERTIES, TABLE

_ARROW = pa.schema(
    [
        ("source", pa.string()),
        ("month", pa.date32()),
        ("archive_id", pa.int64()),
        ("series_id", pa.int32()),
        ("ts", pa.timestamp("us", "UTC")),
        ("known_at", pa.timestamp("us", "UTC")),
        ("superseded_at", pa.timestamp("us", "UTC")),
        ("value", pa.float64()),
        ("quality", pa.int32()),
    ]
)

_TRIES = 8
"""Attempts at a commit when others commit at the same time: each attempt starts from the newest table."""


class NotWritable(Invalid):
    """The settings lack what is needed to write history through the Iceberg catalog. Facts: ``setting``."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"{setting} is not set: it is needed to write history in Iceberg", setting=setting)


class Lake:
    """The Iceberg catalog and the files of its table. Connects on first use."""

    def __init__(self, settings: TrinoSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._catalog: SqlCatalog | None = None

    def replace(self, rows: pl.DataFrame, *, source: str, archive_id: int) -> None:
        """Write rows of schema ``HISTORY`` in place of any rows of the same source and ``archive_id``.

        Makes one commit, usually of one file; durable on return.
        """
        replaced = And(_equal("source", source), _equal("archive_id", archive_id))
        table = _arrow(rows, source=source, archive_id=archive_id)
        for tries_left in reversed(range(_TRIES)):
            try:
                self._commit(table, replaced)
            except CommitFailedException:
                if not tries_left:
                    raise
            else:
                return

    def close(self) -> None:
        """Close the connections to the catalog."""
        if self._catalog is not None:
            self._catalog.close()
            self._catalog = None

    def _commit(self, rows: pa.Table, replaced: BooleanExpression) -> None:
        table = self._table()
        with table.transaction() as change:
            if not PROPERTIES.items() <= table.properties.items():
                change.set_properties(PROPERTIES)
            # Looks first: a delete without a matching row logs a warning, and most parts are written for the first time.
            if table.scan(row_filter=replaced, selected_fields=("archive_id",), limit=1).to_arrow().num_rows:
                change.delete(replaced)
            change.append(rows)

    def _table(self) -> Table:
        return self._opened().load_table((self._settings.schema_, TABLE))

    def _opened(self) -> SqlCatalog:
        with self._lock:
            if self._catalog is None:
                self._catalog = SqlCatalog(self._settings.catalog_name, **_properties(self._settings))
            return self._catalog


def _properties(settings: TrinoSettings) -> dict[str, str]:
    if settings.catalog_uri is None:
        raise NotWritable("AURUM_TRINO__CATALOG_URI")
    if settings.warehouse is None:
        raise NotWritable("AURUM_TRINO__WAREHOUSE")
    properties = {
        # Names the driver that pyiceberg installs, whichever one SQLAlchemy would choose.
        "uri": settings.catalog_uri.get_secret_value().replace("postgresql://", "postgresql+psycopg2://", 1),
        "warehouse": settings.warehouse,
        # The tables of the catalog are created by infra/trino/iceberg/catalog.sql.
        "init_catalog_tables": "false",
        "s3.endpoint": settings.s3_endpoint,
        "s3.region": settings.s3_region,
        "s3.access-key-id": settings.s3_key,
        "s3.secret-access-key": None if settings.s3_secret is None else settings.s3_secret.get_secret_value(),
    }
    return {name: value for name, value in properties.items() if value is not None}


def _arrow(rows: pl.DataFrame, *, source: str, archive_id: int) -> pa.Table:
    """Convert rows of schema ``HISTORY`` to the columns of the table."""
    frame = rows.select(
        pl.lit(source).alias("source"),
        month_of(pl.col("ts")).alias("month"),
        pl.lit(archive_id, pl.Int64).alias("archive_id"),
        *HISTORY,
    )
    return frame.to_arrow().cast(_ARROW)


def _equal(name: str, value: str | int) -> BooleanExpression:
    return EqualTo(name, value)  # pyright: ignore[reportCallIssue] - its signature is made at run time
