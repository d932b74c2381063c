"""Writes the data files of history: new ones from frames, and new versions of existing ones, which it reads back."""

# pyarrow ships no types.
# pyright: basic
from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from aurum.core.frames import HISTORY
from aurum.core.history import month_of
from aurum.storage.duckdb.engine import Cursor
from aurum.storage.duckdb.errors import HistoryUnavailable
from aurum.storage.duckdb.history_files import HistoryFiles
from aurum.storage.duckdb.manifest import DataFile
from aurum.storage.duckdb.queries import frame, scan

if TYPE_CHECKING:
    from pyarrow import Schema
    from pyarrow.parquet import ParquetWriter

_LEAST_GROUP, _MOST_GROUP = 32_768, 524_288
"""Rows of a Parquet row group. A month of an hourly series is 744 rows, so a read of one series decodes one or two groups."""
_GROUPS = 16
"""Most row groups of a file, unless they would exceed ``_MOST_GROUP``: a read looks at the statistics of all of them."""
_COLUMNS = ("source", "month", "archive_id", *HISTORY)
_DELTA_ENCODED = ("month", "archive_id", "series_id", "ts", "known_at", "superseded_at")
"""Columns in which neighbouring rows differ little: encoded as differences they take half the space of a dictionary."""


class RewriteDiffers(HistoryUnavailable):
    """A file that was written from other files does not hold their rows. It was deleted; they stay. Facts: ``file``."""


def write_new(files: HistoryFiles, rows: pl.DataFrame, source: str, archive_id: int) -> DataFile:
    """Write rows of one source, schema ``HISTORY``, to a new file, which no reader sees before a manifest names it."""
    place = (
        pl.lit(source).alias("source"),
        month_of(pl.col("ts")).alias("month"),
        pl.lit(archive_id, pl.Int64).alias("archive_id"),
    )
    placed = rows.select(*place, *HISTORY)
    first, last = placed.select(pl.col("month").min().alias("first"), pl.col("month").max().alias("last")).row(0)
    name = _name(source, first, last, archive_id)
    table = placed.to_arrow()
    with files.writing(name) as file:
        with _writer(file, table.schema) as writer:
            writer.write_table(table, row_group_size=_row_group(rows.height))
        size = file.tell()
    return DataFile(name, source, first, last, (archive_id,), rows.height, size)


def rewrite(
    cursor: Cursor,
    files: HistoryFiles,
    old: Sequence[DataFile],
    archive_ids: Sequence[int],
    condition: str = "TRUE",
    values: Mapping[str, Any] | None = None,
) -> DataFile:
    """Write the rows of some files of one source that meet a condition to a new file, and compare it with them.

    ``archive_ids``: the ids that the manifest lists for the new file. It has no rows if the condition holds for none. Rows pass
    through in batches, so memory is bounded by the sort of DuckDB, which spills to disk. Raises ``RewriteDiffers``.
    """
    source, parameters = scan(cursor, files, [file.name for file in old])
    parameters = {**parameters, **(values or {})}
    rows = f"FROM {source} AS h WHERE {condition}"
    expected = _fingerprint(cursor, rows, parameters)
    first, last = min(file.first for file in old), max(file.last for file in old)
    name = _name(old[0].source, first, last, min(archive_ids))
    query = f"SELECT {', '.join(_COLUMNS)} {rows} ORDER BY series_id, ts, known_at"
    reader = cursor.sql(query, params=parameters).to_arrow_reader(_row_group(int(expected["rows"].sum())))
    with files.writing(name) as file:
        with _writer(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        size = file.tell()
    written, parameters = scan(cursor, files, [name])
    present = _fingerprint(cursor, f"FROM {written} AS h", parameters)
    if not present.equals(expected):
        files.delete(name)
        raise RewriteDiffers(
            f"history ({files.location}) returned other rows than were written to {name}: "
            "it was deleted, nothing else has changed; check the disk",
            retry_after=60.0,
            file=name,
        )
    return DataFile(name, old[0].source, first, last, tuple(archive_ids), int(present["rows"].sum()), size)


def _name(source: str, first: object, last: object, archive_id: int) -> str:
    """Return a new name. It has no ``month=``: readers that take columns from paths would take it for the month of all rows."""
    months = f"{first:%Y-%m}_{last:%Y-%m}" if first != last else f"{first:%Y-%m}"
    return f"source={quote(source, safe='')}/{months}-{archive_id:010d}-{secrets.token_hex(4)}.parquet"


def _writer(file: IO[bytes], schema: Schema) -> ParquetWriter:
    from pyarrow.parquet import ParquetWriter

    return ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in _COLUMNS if name not in _DELTA_ENCODED],  # pyright: ignore[reportArgumentType] - wrong guess
        column_encoding=dict.fromkeys(_DELTA_ENCODED, "DELTA_BINARY_PACKED"),
    )


def _row_group(rows: int) -> int:
    """Return the rows of each row group of a file."""
    return min(max(-(-rows // (_GROUPS * _LEAST_GROUP)) * _LEAST_GROUP, _LEAST_GROUP), _MOST_GROUP)


def _fingerprint(cursor: Cursor, rows: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Return the number of rows under each archive id and a sum of their hashes, which does not depend on their order."""
    return frame(
        cursor,
        f"""SELECT archive_id, count(*) AS rows, CAST(sum(hash({", ".join(_COLUMNS)})) AS VARCHAR) AS hashes
            {rows} GROUP BY archive_id ORDER BY archive_id""",
        parameters,
    )
