"""Quotes on the wire: packed columns of reads, and binary COPY with nulls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from itertools import pairwise

import numpy as np
import polars as pl
from asyncpg import Record
from numpy.typing import NDArray

from aurum.core.curves.quotes import FIELDS, QUOTES
from aurum.core.frames import conform
from aurum.storage.postgres.connection.columns import unpacked
from aurum.storage.postgres.connection.copy import CHUNK_ROWS, HEADER, TRAILER, Layout
from aurum.storage.postgres.connection.pool import Connection

IDENTITY: Mapping[str, str] = {
    "curve_id": "int4",
    "trade_date": "date",
    "delivery_start": "date",
    "delivery_end": "date",
}
QUOTE: Mapping[str, str] = {**IDENTITY, **dict.fromkeys(FIELDS, "float8"), "known_at": "timestamptz"}
"""Columns of a quote with their types, in the order of the tables."""

_FIELDS = set(FIELDS)
_NO_VALUE = 0xFFFF
"""Each half of the size of a null."""


def columns_of(alias: str) -> str:
    """Return the columns of a quote for a packed read: packed columns hold no null, so NaN stands for a missing field."""
    return ", ".join(f"coalesce({alias}.{name}, 'NaN') AS {name}" if name in _FIELDS else f"{alias}.{name}" for name in QUOTE)


def unpacked_quotes(row: Record | None) -> pl.DataFrame:
    """Return the quotes of a packed answer, schema ``QUOTES``."""
    return conform(unpacked(QUOTE, row).with_columns(pl.col(FIELDS).fill_nan(None)), QUOTES)


def unpacked_publications(row: Record | None) -> pl.DataFrame:
    """Return the publications of a packed answer: the columns of ``QUOTES`` and ``recording_id``."""
    return unpacked_quotes(row).with_columns(unpacked({"recording_id": "int8"}, row)["recording_id"])


class QuoteLayout(Layout):
    """Columns of a COPY in which the published fields may be null."""

    async def source(self, frame: pl.DataFrame) -> AsyncIterator[bytes]:
        yield HEADER
        for start, end in pairwise([*range(0, frame.height, CHUNK_ROWS), frame.height]):
            yield self._with_nulls(frame.slice(start, end - start))
        yield TRAILER

    def _with_nulls(self, frame: pl.DataFrame) -> bytes:
        """Return rows in wire format: full rows, without the bytes of the missing values.

        All sizes are even, so bytes are handled in pairs, which takes half the time.
        """
        rows = self.encode(frame.with_columns(pl.col(FIELDS).fill_null(0.0)))
        sent = rows.view(np.uint16).reshape(len(rows), self.dtype.itemsize // 2)
        is_sent: NDArray[np.bool_] | None = None
        for name in FIELDS:
            if not frame[name].null_count():
                continue
            if is_sent is None:
                is_sent = np.ones(sent.shape, dtype=np.bool_)
            is_null = frame[name].is_null().to_numpy()
            assert self.dtype.fields is not None
            size, value = self.dtype.fields[f"__size_{name}"][1] // 2, self.dtype.fields[name][1] // 2
            sent[is_null, size:value] = _NO_VALUE
            is_sent[is_null, value : value + 4] = False
        return sent.tobytes() if is_sent is None else sent[is_sent].tobytes()


PUBLICATION: Mapping[str, str] = {**QUOTE, "recording_id": "int8"}
"""Columns of a quote with the recording that brought it: those of both tables."""
PUBLICATION_ROW = QuoteLayout(**PUBLICATION)
IDENTITY_ROW = Layout(**IDENTITY)


async def stage_quotes(connection: Connection, name: str, frame: pl.DataFrame) -> None:
    """Create a temporary table of publications for the rest of the transaction, in place of an earlier one of that name."""
    columns = ", ".join(f"{column} {kind}{'' if column in _FIELDS else ' NOT NULL'}" for column, kind in PUBLICATION.items())
    await connection.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
    await connection.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
    await connection.copy_to_table(name, source=PUBLICATION_ROW.source(frame), columns=list(PUBLICATION), format="binary")
    await connection.execute(f"ANALYZE {name}")
