"""``HistoryStore`` in an Iceberg table: rows get in through its catalog (see ``lake``), all else is asked of Trino."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

import polars as pl

from aurum.common.resilience.guards import Guards
from aurum.core.asof import Span
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, conform
from aurum.storage.ports.capabilities import Capability
from aurum.storage.ports.history import ArchivedPart, Upkeep
from aurum.storage.trino.lake import Lake
from aurum.storage.trino.pool import Parameter, TrinoPool
from aurum.storage.trino.table import COLUMNS, TABLE, created, frame, selected

_BATCH_ROWS = 131_072
"""A query gives about so many rows, one part more at most: it is held whole, here and by the client."""
_BATCH_PARTS = 2_000
_SAFE_AGE = timedelta(days=7)
"""Files nobody knows of may be those of a writer at work; Trino refuses less, see ``infra/trino``."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """What stands after ``WHERE``, and what its question marks stand for."""

    text: str
    parameters: tuple[Parameter, ...] = ()

    def __and__(self, other: _Condition) -> _Condition:
        return _Condition(f"{self.text} AND {other.text}", self.parameters + other.parameters)


class TrinoHistory:
    """``HistoryStore`` on Trino. Makes the schema and the table when it first needs them. ``pool`` is closed with it."""

    capabilities = frozenset(
        {Capability.AS_OF, Capability.REVISIONS, Capability.STREAM, Capability.COMPACTION, Capability.EXPIRY}
    )

    def __init__(self, pool: TrinoPool) -> None:
        self._pool = pool
        self._lake = Lake(pool.settings)
        self._table = f"{pool.settings.catalog}.{pool.settings.schema_}.{TABLE}"
        self._is_there = False
        self._making = asyncio.Lock()

    @property
    def guards(self) -> Guards:
        return self._pool.guards

    async def look(self) -> None:
        await self._pool.read("SELECT 1")

    async def write(self, rows: pl.DataFrame, *, source: str, month: date, archive_id: int) -> None:
        await self._prepare()
        whole = conform(rows, HISTORY)
        await self._pool.blocking(lambda: self._lake.put(whole, source=source, month=month, archive_id=archive_id))

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        within = _within(span or Span())
        return _together([batch async for batch in self._batches(parts, HISTORY, within)], HISTORY)

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return _together([batch async for batch in self.stream(parts, span=span, as_of=as_of)], MANY_OBSERVATIONS)

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

    async def archive_ids(self) -> frozenset[int]:
        await self._prepare()
        found = await self._pool.read(f"SELECT DISTINCT archive_id FROM {self._table}")
        return frozenset(int(archive_id) for (archive_id,) in found)

    async def upkeep(self) -> Upkeep:
        """Rewrites the months that are in several files, then drops snapshots and files by age."""
        await self._prepare()
        before = await self._count("files"), await self._count("snapshots")
        pieces = await self._pool.read(
            f"SELECT partition.month FROM {self._name('files')} GROUP BY 1, partition.source HAVING count(*) > 1"
        )
        months = sorted({date.fromisoformat(month) for (month,) in pieces})
        for month in months:
            # Trino binds no parameters here.
            await self._change(f"optimize WHERE month = DATE '{month.isoformat()}'")
        keep = self._pool.settings.keep_snapshots
        await self._change(f"expire_snapshots(retention_threshold => '{_duration(keep)}')")
        await self._change(f"remove_orphan_files(retention_threshold => '{_duration(max(keep, _SAFE_AGE))}')")
        after = await self._count("files"), await self._count("snapshots")
        made = len(months)
        return Upkeep(files_before=before[0], files_after=after[0], expired=max(before[1] + made - after[1], 0))

    async def close(self) -> None:
        await self._pool.close()
        self._lake.close()

    async def _batches(
        self, parts: Sequence[ArchivedPart], schema: pl.Schema, which: _Condition
    ) -> AsyncIterator[pl.DataFrame]:
        """In the order of series and time, because parts are: each query asks for those that come next."""
        if not parts:
            return
        await self._prepare()
        for some in _in_batches(parts):
            condition = _among(some) & which
            rows = await self._pool.read(
                f"SELECT {selected(schema)} FROM {self._table} WHERE {condition.text}", condition.parameters
            )
            if rows:
                yield frame(rows, schema)

    async def _prepare(self) -> None:
        """The table as this version wants it: made if missing, with columns added that an older one lacks."""
        if self._is_there:
            return
        async with self._making:
            if self._is_there:
                return
            settings = self._pool.settings
            await self._pool.execute(f"CREATE SCHEMA IF NOT EXISTS {settings.catalog}.{settings.schema_}")
            await self._pool.execute(created(self._table))
            known = {name for name, *_ in await self._pool.read(f"SHOW COLUMNS FROM {self._table}")}
            for name in COLUMNS.keys() - known:
                await self._pool.execute(f"ALTER TABLE {self._table} ADD COLUMN IF NOT EXISTS {name} {COLUMNS[name]}")
            self._is_there = True

    async def _change(self, procedure: str) -> None:
        await self._pool.execute(
            f"ALTER TABLE {self._table} EXECUTE {procedure}", timeout_s=self._pool.settings.upkeep_timeout_s
        )

    async def _count(self, what: str) -> int:
        ((count,),) = await self._pool.read(f"SELECT count(*) FROM {self._name(what)}")
        return int(count)

    def _name(self, what: str) -> str:
        """One of the tables Iceberg has about the table."""
        settings = self._pool.settings
        return f'{settings.catalog}.{settings.schema_}."{TABLE}${what}"'


def _in_batches(parts: Sequence[ArchivedPart]) -> Iterator[list[ArchivedPart]]:
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


def _among(parts: Sequence[ArchivedPart]) -> _Condition:
    """Those parts and no others: a series may stand under the id of an earlier archiving, too, and those rows do not exist."""

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


def _together(batches: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat(batches) if batches else pl.DataFrame(schema=schema)
