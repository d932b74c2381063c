"""Archived publications of quotes: one Parquet file for each archive id, which the log of the hot store names.

Files never change, so they need no manifest. Their names end in ``.pq``, which the clean-up of the other files leaves alone,
that of earlier releases included.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from io import BytesIO

import polars as pl

from aurum.core.curves.quote_archive import ORDER, RECORDED_QUOTES
from aurum.core.frames import UTC_US, conform
from aurum.storage.duckdb.engine import Cursor, Engine
from aurum.storage.duckdb.errors import HistoryUnavailable
from aurum.storage.duckdb.history_files import HistoryFiles
from aurum.storage.duckdb.queries import frame, scan
from aurum.storage.ports.quote_history import ArchivedQuotes

_SUFFIX = ".pq"
_NAME = re.compile(r"quotes/\.?(\d+)\.pq")
_WANTED = pl.Schema({"curve_id": pl.Int32(), "month": pl.Date(), "archive_id": pl.Int64()})


class DuckdbQuotes:
    """``QuoteHistory`` over a folder or bucket."""

    def __init__(self, files: HistoryFiles, engine: Engine) -> None:
        self._files = files
        self._engine = engine

    async def write(self, rows: pl.DataFrame, *, archive_id: int) -> None:
        if rows.is_empty():
            raise ValueError("rows must not be empty")
        placed = conform(rows, RECORDED_QUOTES).sort(ORDER).with_columns(pl.lit(archive_id, pl.Int64).alias("archive_id"))

        def work(_cursor: Cursor) -> None:
            content = BytesIO()
            placed.write_parquet(content, compression="zstd", row_group_size=65_536)
            self._files.write(_name(archive_id), content.getvalue())

        await self._engine.run(work)

    async def publications(self, parts: Sequence[ArchivedQuotes]) -> pl.DataFrame:
        if not parts:
            return pl.DataFrame(schema=RECORDED_QUOTES)
        rows = [(part.curve_id, part.month, part.archive_id) for part in parts]
        wanted = pl.DataFrame(rows, schema=_WANTED, orient="row")

        def work(cursor: Cursor) -> pl.DataFrame:
            source, parameters = scan(cursor, self._files, self._names(parts))
            cursor.register("wanted", wanted.to_arrow())  # pyright: ignore[reportUnknownArgumentType] - pyarrow ships no types
            ends = {"first": wanted["curve_id"].min(), "last": wanted["curve_id"].max()}
            query = f"""
                SELECT {", ".join(f"h.{name}" for name in RECORDED_QUOTES)} FROM {source} AS h
                JOIN wanted AS w ON h.curve_id = w.curve_id AND h.archive_id = w.archive_id
                    AND CAST(date_trunc('month', h.trade_date) AS DATE) = w.month
                WHERE h.curve_id BETWEEN $first AND $last
                ORDER BY {", ".join(f"h.{name}" for name in ORDER)}
            """  # noqa: S608 - constants of this module
            return frame(cursor, query, {**parameters, **ends}).with_columns(pl.col("known_at").cast(UTC_US))

        return conform(await self._engine.run(work), RECORDED_QUOTES)

    async def discard(self, archive_ids: Collection[int]) -> None:
        unwanted = set(archive_ids)

        def work(_cursor: Cursor) -> None:
            for name, archive_id in self._stored():
                if archive_id in unwanted:
                    self._files.delete(name)

        if unwanted:
            await self._engine.run(work)

    async def archive_ids(self) -> frozenset[int]:
        return await self._engine.run(lambda _: frozenset(archive_id for _, archive_id in self._stored()))

    def _names(self, parts: Sequence[ArchivedQuotes]) -> list[str]:
        """Return the names of the files of some parts. Raises ``HistoryUnavailable`` for one that is missing."""
        archive_ids = sorted({part.archive_id for part in parts})
        for archive_id in archive_ids:
            if self._files.stamp(_name(archive_id)) is None:
                raise HistoryUnavailable(
                    f"history ({self._files.location}) has no quotes under archive id {archive_id}: check AURUM_HISTORY__URL",
                    archive_id=archive_id,
                )
        return [_name(archive_id) for archive_id in archive_ids]

    def _stored(self) -> list[tuple[str, int]]:
        """Return the name and id of each file, unfinished ones included."""
        names = (name for name, _ in self._files.names(_SUFFIX))
        return [(name, int(match[1])) for name in names if (match := _NAME.match(name))]


def _name(archive_id: int) -> str:
    return f"quotes/{archive_id:010d}{_SUFFIX}"
