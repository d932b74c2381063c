"""The history store in ClickHouse: closed months, written by source and month and read by series."""

# ruff: noqa: S608 - statements are composed of constants of this package; values are bound as parameters

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product

import polars as pl

from aurum.common.resilience.guards import Guards
from aurum.core.asof import Span
from aurum.core.chunks import chunks
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, conform
from aurum.core.history import month_of
from aurum.storage.clickhouse.errors import ClickhouseUnavailable
from aurum.storage.clickhouse.parts import (
    NAMED,
    SPANNED,
    STANDING,
    in_turns,
    microseconds,
    named,
    spanned,
    standing,
    touched,
)
from aurum.storage.clickhouse.pool import ClickhousePool
from aurum.storage.clickhouse.schema import HISTORY_TABLE
from aurum.storage.ports.history import ArchivedPart, Merge, Upkeep, unreported

_BATCH_ROWS = 65_536
_INSERTED_ROWS = 1_000_000
"""Rows of one insert: one block of the server, which it stores whole or not at all."""

_MOST_PARTITIONS = 100
"""Months, each of them a partition, that the server accepts in one insert."""

_MOST_IDS = 4_096
"""Ids that one parameter of a query may name: it is sent as a field of the URL, which the server accepts up to 128 KiB."""

_HISTORY_COLUMNS = ", ".join(HISTORY)
_MANY_COLUMNS = ", ".join(MANY_OBSERVATIONS)

# FINAL: an insert whose connection broke is sent again, so its rows may be stored twice until parts are merged.
_ROWS = f"""
SELECT {_HISTORY_COLUMNS} FROM {HISTORY_TABLE} FINAL WHERE {NAMED} AND {SPANNED} ORDER BY series_id, ts, known_at
"""
_MANY = f"""
SELECT {_MANY_COLUMNS} FROM {HISTORY_TABLE} FINAL WHERE {NAMED} AND {SPANNED} AND {STANDING} ORDER BY series_id, ts
"""
_BATCH = f"""
SELECT {_MANY_COLUMNS} FROM {HISTORY_TABLE} FINAL
WHERE {NAMED} AND {SPANNED} AND {STANDING}
    AND (series_id > {{after_series:Int32}}
         OR (series_id = {{after_series:Int32}} AND ts > reinterpret({{after_ts:Int64}}, 'DateTime64(6, \\'UTC\\')')))
ORDER BY series_id, ts LIMIT {{rows:UInt32}}
"""
_COUNT = f"SELECT toInt64(count()) AS rows FROM {HISTORY_TABLE} FINAL WHERE {NAMED} AND {SPANNED}"
_WRITTEN = "source = {source:String} AND archive_id = {archive_id:Int64}"
_IS_WRITTEN = f"SELECT 1 AS written FROM {HISTORY_TABLE} WHERE {_WRITTEN} LIMIT 1"
_ERASE = f"DELETE FROM {HISTORY_TABLE} WHERE {_WRITTEN}"
_DISCARD = f"DELETE FROM {HISTORY_TABLE} WHERE archive_id IN {{archive_ids:Array(Int64)}}"
_OF_SERIES = "series_id IN {series:Array(Int32)} AND archive_id IN {archive_ids:Array(Int64)}"
_COUNT_SERIES = f"SELECT toInt64(count()) AS rows FROM {HISTORY_TABLE} WHERE {_OF_SERIES}"
_ERASE_SERIES = f"DELETE FROM {HISTORY_TABLE} WHERE {_OF_SERIES}"
_ARCHIVE_IDS = f"SELECT DISTINCT archive_id FROM {HISTORY_TABLE}"
_PARTS = f"""
SELECT toInt64(count()) AS files, toInt64(countIf(has_lightweight_delete)) AS masked FROM system.parts
WHERE database = currentDatabase() AND table = '{HISTORY_TABLE}' AND active
"""
_APPLY_DELETES = f"ALTER TABLE {HISTORY_TABLE} APPLY DELETED MASK"
_MERGE = f"OPTIMIZE TABLE {HISTORY_TABLE} FINAL"

_DELETE_NOW: Mapping[str, object] = {"lightweight_deletes_sync": "2"}
_CHANGE_NOW: Mapping[str, object] = {"mutations_sync": "2"}
_MERGE_NEEDED: Mapping[str, object] = {"optimize_skip_merged_partitions": "1"}


class HistoryChanged(ClickhouseUnavailable):
    """Rows were discarded while they were read: read the log again, then the rows."""

    def __init__(self) -> None:
        super().__init__("history changed while it was read", retry_after=1.0)


class ClickhouseHistory:
    """``HistoryStore`` in ClickHouse."""

    def __init__(self, pool: ClickhousePool) -> None:
        self._pool = pool

    @property
    def guards(self) -> Guards:
        return self._pool.guards

    @property
    def quotes(self) -> None:
        """None: quotes stay in the hot store."""

    async def look(self) -> None:
        await self._pool.read("SELECT 1 AS one")

    async def write(self, rows: pl.DataFrame, *, source: str, archive_id: int) -> None:
        if rows.is_empty():
            raise ValueError("rows must not be empty")
        frame = conform(rows, HISTORY).with_columns(month_of(pl.col("ts")).alias("month"))
        place = {"source": source, "archive_id": archive_id}
        if not (await self._pool.read(_IS_WRITTEN, place)).is_empty():
            await self._pool.command(_ERASE, place, settings=_DELETE_NOW)
        # All writers of these rows use one id: while an abandoned insert still runs, the server refuses the next one.
        query_id = f"aurum-write-{source}-{archive_id}"
        for group in _in_month_groups(frame):
            for piece in group.iter_slices(_INSERTED_ROWS):
                await self._pool.insert(_with_place(piece, source, archive_id), query_id=query_id)

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        within = span or Span()
        parameters = spanned(within)
        frames = [await self._pool.read(_ROWS, named(batch) | parameters) for batch in in_turns(touched(parts, within))]
        return _concatenated(frames, HISTORY)

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        parameters = spanned(span) | standing(as_of)
        frames = [await self._pool.read(_MANY, named(batch) | parameters) for batch in in_turns(touched(parts, span))]
        return _concatenated(frames, MANY_OBSERVATIONS)

    async def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield batches, each from a query of its own, so that the server holds nothing between. Raises ``HistoryChanged``."""
        requested = touched(parts, span)
        count = await self._count(requested, span)
        for group in in_turns(requested):
            remaining = list(group)
            after = {"after_series": remaining[0].series_id - 1, "after_ts": 0}
            while remaining:
                parameters = named(remaining) | spanned(span) | standing(as_of) | after | {"rows": _BATCH_ROWS}
                batch = _concatenated([await self._pool.read(_BATCH, parameters)], MANY_OBSERVATIONS)
                if not batch.is_empty():
                    yield batch
                if batch.height < _BATCH_ROWS:
                    break
                series_id, ts = int(batch["series_id"][-1]), batch["ts"][-1]
                after = {"after_series": series_id, "after_ts": microseconds(ts)}
                remaining = [part for part in remaining if part.series_id >= series_id]
        if await self._count(requested, span) != count:
            raise HistoryChanged

    async def discard(self, archive_ids: Collection[int]) -> None:
        if archive_ids:
            await self._pool.command(_DISCARD, {"archive_ids": sorted(archive_ids)}, settings=_DELETE_NOW)

    async def erase(self, series_ids: Collection[int], *, archive_ids: Collection[int]) -> int:
        erased = 0
        for series, ids in product(_in_chunks(series_ids), _in_chunks(archive_ids)):
            parameters = {"series": series, "archive_ids": ids}
            rows = int((await self._pool.read(_COUNT_SERIES, parameters))["rows"][0])
            if rows:
                await self._pool.command(_ERASE_SERIES, parameters, settings=_DELETE_NOW)
                erased += rows
        return erased

    async def archive_ids(self) -> frozenset[int]:
        return frozenset((await self._pool.read(_ARCHIVE_IDS))["archive_id"].to_list())

    async def merges(self) -> Sequence[Merge]:
        return ()

    async def upkeep(self, *, merged: Callable[[Merge], None] = unreported) -> Upkeep:  # noqa: ARG002 - the server merges
        """Merge parts and drop deleted rows. ``expired`` in the result counts parts from which deleted rows were dropped."""
        before, masked = await self._parts()
        if masked:
            await self._pool.command(_APPLY_DELETES, settings=_CHANGE_NOW)
        await self._pool.command(_MERGE, settings=_MERGE_NEEDED)
        after, still_masked = await self._parts()
        return Upkeep(files_before=before, files_after=after, expired=masked - still_masked)

    async def close(self) -> None:
        await self._pool.close()

    async def _count(self, parts: Sequence[ArchivedPart], span: Span) -> int:
        """Return the number of versions in some parts, which deletions change and merges do not."""
        counts = [await self._pool.read(_COUNT, named(batch) | spanned(span)) for batch in in_turns(parts)]
        return sum(int(count["rows"][0]) for count in counts)

    async def _parts(self) -> tuple[int, int]:
        """Return the number of the table's data parts, and of those with deleted rows that are only masked."""
        counts = await self._pool.read(_PARTS)
        return int(counts["files"][0]), int(counts["masked"][0])


def _with_place(rows: pl.DataFrame, source: str, archive_id: int) -> pl.DataFrame:
    month = pl.col("month")
    return rows.select(
        pl.lit(source).alias("source"),
        (month.dt.year().cast(pl.UInt32) * 100 + month.dt.month()).cast(pl.UInt32).alias("month"),
        pl.lit(archive_id, pl.Int64).alias("archive_id"),
        *HISTORY,
    )


def _in_month_groups(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows of ``_MOST_PARTITIONS`` months at a time, in their order."""
    months = rows["month"].unique().sort().to_list()
    for start in range(0, len(months), _MOST_PARTITIONS):
        yield rows.filter(pl.col("month").is_in(months[start : start + _MOST_PARTITIONS]))


def _in_chunks(ids: Collection[int]) -> Iterator[Sequence[int]]:
    return chunks(sorted(ids), size=lambda _: 1, most=_MOST_IDS)


def _concatenated(frames: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    if not frames:
        return pl.DataFrame(schema=schema)
    return conform(pl.concat(frames), schema)
