"""The history store in an Iceberg table: ``lake`` writes rows through the catalog, and Trino does everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, product

import polars as pl

from aurum.common.resilience.guards import Guards
from aurum.core.asof import Span
from aurum.core.chunks import chunks
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, conform
from aurum.storage.ports.history import ArchivedPart, Merge, Upkeep, unreported
from aurum.storage.trino.lake import Lake
from aurum.storage.trino.pool import Parameter, TrinoPool
from aurum.storage.trino.table import COLUMNS, PARTITIONING, TABLE, create_statement, parse_rows, select_list

_BATCH_ROWS = 131_072
"""Most rows that one query reads, except for one part with more: the whole answer is held in memory, also by the client."""
_BATCH_PARTS = 2_000
_SMALL_FILE_MB = 64
"""Size below which a file is merged with others of its source."""
_MONTH = "json_extract_scalar(readable_metrics, '$.month.{}_bound')"
_SAFE_AGE = timedelta(days=7)
"""Least age of unreferenced files to delete: a running writer's are younger. Trino accepts no less (``infra/trino``)."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """The text after ``WHERE`` and the values of its question marks."""

    text: str
    parameters: tuple[Parameter, ...] = ()

    def __and__(self, other: _Condition) -> _Condition:
        return _Condition(f"{self.text} AND {other.text}", self.parameters + other.parameters)


class TrinoHistory:
    """``HistoryStore`` on Trino. Creates the schema and the table on first use. ``close`` also closes ``pool``."""

    def __init__(self, pool: TrinoPool) -> None:
        self._pool = pool
        self._lake = Lake(pool.settings)
        self._table = f"{pool.settings.catalog}.{pool.settings.schema_}.{TABLE}"
        self._is_prepared = False
        self._preparing = asyncio.Lock()

    @property
    def guards(self) -> Guards:
        return self._pool.guards

    @property
    def quotes(self) -> None:
        """None: quotes stay in the hot store."""

    async def look(self) -> None:
        await self._pool.read("SELECT 1")

    async def write(self, rows: pl.DataFrame, *, source: str, archive_id: int) -> None:
        if rows.is_empty():
            raise ValueError("rows must not be empty")
        await self._prepare()
        frame = conform(rows, HISTORY)
        await self._pool.blocking(lambda: self._lake.replace(frame, source=source, archive_id=archive_id))

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        condition = _within(span or Span())
        return _concatenated([batch async for batch in self._batches(parts, HISTORY, condition)], HISTORY)

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return _concatenated([batch async for batch in self.stream(parts, span=span, as_of=as_of)], MANY_OBSERVATIONS)

    async def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        async for batch in self._batches(parts, MANY_OBSERVATIONS, _standing(as_of) & _within(span)):
            yield batch

    async def discard(self, archive_ids: Collection[int]) -> None:
        if not archive_ids:
            return
        await self._prepare()
        ids = sorted(archive_ids)
        await self._pool.execute(
            f"DELETE FROM {self._table} WHERE archive_id IN ({_marks(ids)})",
            ids,
            timeout_s=self._pool.settings.upkeep_timeout_s,
        )

    async def erase(self, series_ids: Collection[int], *, archive_ids: Collection[int]) -> int:
        await self._prepare()
        erased = 0
        for series, ids in product(_in_chunks(series_ids), _in_chunks(archive_ids)):
            condition = f"series_id IN ({_marks(series)}) AND archive_id IN ({_marks(ids)})"
            parameters = [*series, *ids]
            ((rows,),) = await self._pool.read(f"SELECT count(*) FROM {self._table} WHERE {condition}", parameters)
            if rows:
                timeout_s = self._pool.settings.upkeep_timeout_s
                await self._pool.execute(f"DELETE FROM {self._table} WHERE {condition}", parameters, timeout_s=timeout_s)
                erased += int(rows)
        return erased

    async def archive_ids(self) -> frozenset[int]:
        await self._prepare()
        rows = await self._pool.read(f"SELECT DISTINCT archive_id FROM {self._table}")
        return frozenset(int(archive_id) for (archive_id,) in rows)

    async def merges(self) -> Sequence[Merge]:
        await self._prepare()
        rows = await self._pool.read(
            f"""SELECT partition.source, min({_MONTH.format("lower")}), max({_MONTH.format("upper")}), count(*),
                       sum(record_count) FILTER (WHERE content = 0), sum(file_size_in_bytes)
                FROM {self._name("files")} WHERE content <> 0 OR file_size_in_bytes < {_SMALL_FILE_MB << 20}
                GROUP BY 1 HAVING count(*) > 1 OR count_if(content <> 0) > 0 ORDER BY 1"""
        )
        return [
            Merge(source, date.fromisoformat(first), date.fromisoformat(last), int(files), int(count or 0), int(size))
            for source, first, last, files, count, size in rows
        ]

    async def upkeep(self, *, merged: Callable[[Merge], None] = unreported) -> Upkeep:
        """Rewrite the small files of each source, then delete snapshots and files by age."""
        await self._prepare()
        before = await self._count("files"), await self._count("snapshots")
        merges = await self.merges()
        for merge in merges:
            # Trino binds no parameters in this statement.
            source = merge.source.replace("'", "''")
            await self._maintain(f"optimize(file_size_threshold => '{_SMALL_FILE_MB}MB') WHERE source = '{source}'")
            merged(merge)
        keep = self._pool.settings.keep_snapshots
        await self._maintain(f"expire_snapshots(retention_threshold => '{_duration(keep)}')")
        await self._maintain(f"remove_orphan_files(retention_threshold => '{_duration(max(keep, _SAFE_AGE))}')")
        after = await self._count("files"), await self._count("snapshots")
        created = len(merges)  # each rewrite makes a snapshot
        return Upkeep(files_before=before[0], files_after=after[0], expired=max(before[1] + created - after[1], 0))

    async def close(self) -> None:
        await self._pool.close()
        self._lake.close()

    async def _batches(
        self, parts: Sequence[ArchivedPart], schema: pl.Schema, condition: _Condition
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield rows in the order of series and time: parts are in that order, and each query reads the next ones."""
        if not parts:
            return
        await self._prepare()
        for group in _in_groups(parts):
            where = _of_parts(group) & condition
            rows = await self._pool.read(
                f"SELECT {select_list(schema)} FROM {self._table} WHERE {where.text}", where.parameters
            )
            if rows:
                yield parse_rows(rows, schema)

    async def _prepare(self) -> None:
        """Create the table if it is missing, and give one of an older release its new columns and partitioning.

        Files that an older release wrote keep their partitions until they are merged; they are read as before.
        """
        if self._is_prepared:
            return
        async with self._preparing:
            if self._is_prepared:
                return
            settings = self._pool.settings
            await self._pool.execute(f"CREATE SCHEMA IF NOT EXISTS {settings.catalog}.{settings.schema_}")
            await self._pool.execute(create_statement(self._table))
            existing = {name for name, *_ in await self._pool.read(f"SHOW COLUMNS FROM {self._table}")}
            for name in COLUMNS.keys() - existing:
                await self._pool.execute(f"ALTER TABLE {self._table} ADD COLUMN IF NOT EXISTS {name} {COLUMNS[name]}")
            ((created,),) = await self._pool.read(f"SHOW CREATE TABLE {self._table}")
            if PARTITIONING not in created:
                await self._pool.execute(f"ALTER TABLE {self._table} SET PROPERTIES {PARTITIONING}")
            self._is_prepared = True

    async def _maintain(self, procedure: str) -> None:
        await self._pool.execute(
            f"ALTER TABLE {self._table} EXECUTE {procedure}", timeout_s=self._pool.settings.upkeep_timeout_s
        )

    async def _count(self, metadata: str) -> int:
        ((count,),) = await self._pool.read(f"SELECT count(*) FROM {self._name(metadata)}")
        return int(count)

    def _name(self, metadata: str) -> str:
        """Return the name of a metadata table of the table, such as ``files`` or ``snapshots``."""
        settings = self._pool.settings
        return f'{settings.catalog}.{settings.schema_}."{TABLE}${metadata}"'


def _in_chunks(ids: Collection[int]) -> Iterator[Sequence[int]]:
    return chunks(sorted(ids), size=lambda _: 1, most=_BATCH_PARTS)


def _in_groups(parts: Sequence[ArchivedPart]) -> Iterator[list[ArchivedPart]]:
    """Yield the parts, ascending by series and month, in groups of as many as one query may read."""
    batch: list[ArchivedPart] = []
    rows = 0
    for part in sorted(set(parts), key=lambda part: (part.series_id, part.month)):
        if batch and (rows + part.rows > _BATCH_ROWS or len(batch) >= _BATCH_PARTS):
            yield batch
            batch, rows = [], 0
        batch.append(part)
        rows += part.rows
    if batch:
        yield batch


def _of_parts(parts: Sequence[ArchivedPart]) -> _Condition:
    """Return the condition for the rows of exactly these parts.

    The table may also hold rows of a series under the id of an earlier archive run, which are not part of history.
    """

    def place(part: ArchivedPart) -> tuple[str, date, int]:
        return part.source, part.month, part.archive_id

    texts: list[str] = []
    parameters: list[Parameter] = []
    for (source, month, archive_id), group in groupby(sorted(parts, key=place), key=place):
        ids = sorted(part.series_id for part in group)
        texts.append(f"(source = ? AND month = ? AND archive_id = ? AND series_id IN ({_marks(ids)}))")
        parameters += [source, month, archive_id, *ids]
    return _Condition(f"({' OR '.join(texts)})", tuple(parameters))


def _within(span: Span) -> _Condition:
    condition = _Condition("true")
    if span.start is not None:
        condition &= _Condition("ts >= ?", (span.start,))
    if span.end is not None:
        condition &= _Condition("ts < ?", (span.end,))
    return condition


def _standing(as_of: datetime | None) -> _Condition:
    if as_of is None:
        return _Condition("superseded_at IS NULL")
    return _Condition("known_at <= ? AND (superseded_at IS NULL OR superseded_at > ?)", (as_of, as_of))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _duration(length: timedelta) -> str:
    return f"{length.total_seconds():.0f}s"


def _concatenated(batches: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat(batches) if batches else pl.DataFrame(schema=schema)
