"""Queries over files of history: the source of a scan, the choice of parts in it, and results as frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from aurum.storage.duckdb.engine import Cursor
from aurum.storage.duckdb.history_files import HistoryFiles
from aurum.storage.ports.history import ArchivedPart

_PARTS = pl.Schema({"series_id": pl.Int32(), "month": pl.Date(), "archive_id": pl.Int64()})
# A join alone would read all row groups. With the bounds of series and months DuckDB skips row groups outside of them.
_WITHIN = "h.series_id BETWEEN $first AND $last AND h.month BETWEEN $first_month AND $last_month"
_JOIN = " JOIN wanted AS w ON h.series_id = w.series_id AND h.month = w.month AND h.archive_id = w.archive_id"


@dataclass(frozen=True, slots=True)
class Choice:
    """The part of a query that selects the rows of some archived parts from the files ``h``.

    ``join``: follows FROM. ``text``: follows WHERE. ``values``: the parameters of both.
    """

    join: str
    text: str
    values: Mapping[str, Any]


def scan(cursor: Cursor, files: HistoryFiles, names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the text that follows FROM in a query over some files, and the parameters it needs."""
    source = files.scan_source(list(names))
    if isinstance(source, list):
        return "read_parquet($files, hive_partitioning => false)", {"files": source}
    cursor.register("scanned", source)
    return "scanned", {}


def frame(cursor: Cursor, query: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Run a query and return its result. DuckDB names the zone of instants ``Etc/UTC``."""
    table = cursor.sql(query, params=dict(parameters)).to_arrow_table()
    result = pl.from_arrow(table)  # pyright: ignore[reportUnknownMemberType] - pyarrow ships no types
    assert isinstance(result, pl.DataFrame)
    return result


def choose(cursor: Cursor, parts: Sequence[ArchivedPart]) -> Choice:
    """Return the choice of exactly the rows of some parts. ``parts`` must not be empty."""
    series, months = sorted({part.series_id for part in parts}), sorted({part.month for part in parts})
    values = {"first": series[0], "last": series[-1], "first_month": months[0], "last_month": months[-1]}
    ids = {part.archive_id for part in parts}
    if len(series) == len(ids) == 1 and len(months) == _months_between(months[0], months[-1]):
        # Consecutive months of one series under one id: the usual slice, for which a join takes longer than the scan.
        return Choice("", f"{_WITHIN} AND h.archive_id = $archive_id", {**values, "archive_id": ids.pop()})
    wanted = pl.DataFrame([(part.series_id, part.month, part.archive_id) for part in parts], schema=_PARTS, orient="row")
    cursor.register("wanted", wanted.to_arrow())  # pyright: ignore[reportUnknownArgumentType] - pyarrow ships no types
    return Choice(_JOIN, _WITHIN, values)


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month + 1
