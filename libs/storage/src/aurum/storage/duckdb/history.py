"""The history store over Parquet files, which never change, are listed in a manifest and are read by DuckDB."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from aurum.common.resilience.guards import Guards
from aurum.core.asof import Span
from aurum.core.clock import Clock
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, conform
from aurum.storage.duckdb.compaction import FileSizes, groups, merge_of
from aurum.storage.duckdb.engine import Cursor, Engine
from aurum.storage.duckdb.errors import HistoryUnavailable, driver_errors
from aurum.storage.duckdb.history_files import HistoryFiles
from aurum.storage.duckdb.manifest import NAME, DataFile, Manifest
from aurum.storage.duckdb.queries import choose, frame, scan
from aurum.storage.duckdb.quote_history import DuckdbQuotes
from aurum.storage.duckdb.rewriting import rewrite, write_new
from aurum.storage.ports.history import ArchivedPart, Merge, Upkeep, unreported

_BATCH_ROWS = 65_536
_GROUP_ROWS = 131_072
"""Rows, all versions counted, that one query of a stream reads from files: the bound of its memory."""
_LOCK_PATIENCE_S = 10.0

# A subquery becomes a hash join; ``list_contains`` would compare every row with every id.
_OF_IDS = "h.archive_id IN (SELECT unnest($ids))"
_OF_SERIES = f"h.series_id IN (SELECT unnest($series)) AND {_OF_IDS}"


class ArchivedPartMissing(HistoryUnavailable):
    """The manifest names no file for a part that is archived according to the log. Facts: ``archive_id``, ``month``."""


class DuckdbHistory:
    """``HistoryStore`` over a folder or bucket.

    ``grace``: how long a replaced file stays readable. ``threads``: queries at a time, and cores that one query may use.
    ``memory``: DuckDB's limit, as it writes it (``1GB``). ``sizes``: bytes of the files that ``upkeep`` merges and makes.
    """

    def __init__(
        self,
        files: HistoryFiles,
        clock: Clock,
        *,
        threads: int = 2,
        memory: str = "1GB",
        grace: timedelta = timedelta(hours=1),
        sizes: FileSizes | None = None,
    ) -> None:
        self._files = files
        self._clock = clock
        self._grace = grace
        self._sizes = sizes or FileSizes()
        self._engine = Engine(threads=threads, memory=memory, location=files.location)
        self._quotes = DuckdbQuotes(files, self._engine)
        self._cached: tuple[Hashable, Manifest] | None = None
        self._writing = threading.Lock()

    @property
    def guards(self) -> Guards:
        return Guards()

    @property
    def quotes(self) -> DuckdbQuotes:
        return self._quotes

    async def look(self) -> None:
        def work() -> None:
            # Reads the manifest without the engine, so that a health check does not load DuckDB.
            with driver_errors(self._files.location):
                self._manifest()

        await asyncio.to_thread(work)

    async def write(self, rows: pl.DataFrame, *, source: str, archive_id: int) -> None:
        if rows.is_empty():
            raise ValueError("rows must not be empty")
        conformed = conform(rows, HISTORY)

        def work(cursor: Cursor) -> None:
            new = write_new(self._files, conformed, source, archive_id)
            with self._exclusive():
                before = self._manifest(fresh=True)
                earlier = tuple(before.under_id(source, archive_id))
                rest = [file for old in earlier for file in self._without(cursor, old, {archive_id})]
                self._replace(before, earlier, (new, *rest))

        await self._engine.run(work)

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        if not parts:
            return pl.DataFrame(schema=HISTORY)
        columns = list(HISTORY)
        return await self._engine.run(
            lambda cursor: _in_utc(
                self._read(cursor, parts, span or Span(), columns, "TRUE", {}, ["series_id", "ts", "known_at"])
            )
        )

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.stream(parts, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else pl.DataFrame(schema=MANY_OBSERVATIONS)

    async def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        condition, parameters = _standing(as_of)
        columns = list(MANY_OBSERVATIONS)
        for group in _groups(parts):

            def work(cursor: Cursor, group: Sequence[ArchivedPart] = group) -> pl.DataFrame:
                return _in_utc(self._read(cursor, group, span, columns, condition, parameters, ["series_id", "ts"]))

            rows = await self._engine.run(work)
            for batch in rows.iter_slices(_BATCH_ROWS):
                if not batch.is_empty():
                    yield batch

    async def discard(self, archive_ids: Collection[int]) -> None:
        unwanted = set(archive_ids)

        def work(cursor: Cursor) -> None:
            with self._exclusive():
                before = self._manifest(fresh=True)
                affected = tuple(file for file in before.files if unwanted.intersection(file.archive_ids))
                if affected:
                    rest = tuple(file for old in affected for file in self._without(cursor, old, unwanted))
                    self._replace(before, affected, rest)

        if unwanted:
            await self._engine.run(work)

    async def erase(self, series_ids: Collection[int], *, archive_ids: Collection[int]) -> int:
        unwanted, places = sorted(series_ids), set(archive_ids)

        def work(cursor: Cursor) -> int:
            with self._exclusive():
                before = self._manifest(fresh=True)
                possible = [file for file in before.files if places.intersection(file.archive_ids)]
                affected = {file: rows for file in possible if (rows := self._count(cursor, file, unwanted, places))}
                if affected:
                    rest = tuple(self._without_series(cursor, file, unwanted, places) for file in affected)
                    self._replace(before, tuple(affected), rest)
                return sum(affected.values())

        return await self._engine.run(work) if unwanted and places else 0

    async def archive_ids(self) -> frozenset[int]:
        def work(_cursor: Cursor) -> frozenset[int]:
            return frozenset(archive_id for file in self._manifest().files for archive_id in file.archive_ids)

        return await self._engine.run(work)

    async def merges(self) -> Sequence[Merge]:
        def work(_cursor: Cursor) -> list[Merge]:
            return [merge_of(group) for group in groups(self._manifest().files, self._sizes)]

        return await self._engine.run(work)

    async def upkeep(self, *, merged: Callable[[Merge], None] = unreported) -> Upkeep:
        before = await self._file_count()
        # A group at a time: the engine is free for reads in between, and a caller may stop there.
        for group in await self._engine.run(lambda _: list(groups(self._manifest().files, self._sizes))):
            await self._engine.run(lambda cursor, group=group: self._merge(cursor, group))
            merged(merge_of(group))
        expired = await self._engine.run(lambda _: self._sweep())
        return Upkeep(before, await self._file_count(), expired)

    async def close(self) -> None:
        await self._engine.close()

    async def _file_count(self) -> int:
        return await self._engine.run(lambda _: len(self._manifest().files))

    def _read(
        self,
        cursor: Cursor,
        parts: Sequence[ArchivedPart],
        span: Span,
        columns: Sequence[str],
        condition: str,
        parameters: dict[str, Any],
        order: Sequence[str],
    ) -> pl.DataFrame:
        source, files = scan(cursor, self._files, self._file_names(parts))
        chosen = choose(cursor, parts)
        conditions = [chosen.text, condition]
        ends: dict[str, Any] = {}
        if span.start is not None:
            conditions.append("h.ts >= $start")
            ends["start"] = span.start
        if span.end is not None:
            conditions.append("h.ts < $end")
            ends["end"] = span.end
        return frame(
            cursor,
            f"""
            SELECT {", ".join(f"h.{column}" for column in columns)}
            FROM {source} AS h{chosen.join}
            WHERE {" AND ".join(conditions)}
            ORDER BY {", ".join(f"h.{column}" for column in order)}
            """,  # noqa: S608 - constants of this module
            {**parameters, **files, **chosen.values, **ends},
        )

    def _file_names(self, parts: Sequence[ArchivedPart]) -> list[str]:
        manifest = self._manifest()
        names: set[str] = set()
        for part in parts:
            file = manifest.file_of(part) or self._manifest(fresh=True).file_of(part)
            if file is None:
                raise ArchivedPartMissing(
                    f"history ({self._files.location}) has no rows under archive id {part.archive_id} "
                    f"({part.source}, {part.month:%Y-%m}): check AURUM_HISTORY__URL",
                    archive_id=part.archive_id,
                    month=part.month.isoformat(),
                )
            names.add(file.name)
        return sorted(names)

    def _without(self, cursor: Cursor, file: DataFile, unwanted: set[int]) -> tuple[DataFile, ...]:
        """Write a file again without the rows of some ids; empty if no rows are left.

        The new file then holds exactly the ids that the manifest states.
        """
        remaining = [archive_id for archive_id in file.archive_ids if archive_id not in unwanted]
        return (rewrite(cursor, self._files, [file], remaining, _OF_IDS, {"ids": remaining}),) if remaining else ()

    def _without_series(self, cursor: Cursor, file: DataFile, series_ids: list[int], archive_ids: set[int]) -> DataFile:
        """Write a file again without the rows of some series under some ids; it remains the file of all its ids."""
        values = {"series": series_ids, "ids": sorted(archive_ids)}
        return rewrite(cursor, self._files, [file], file.archive_ids, f"NOT ({_OF_SERIES})", values)

    def _count(self, cursor: Cursor, file: DataFile, series_ids: list[int], archive_ids: set[int]) -> int:
        """Return the number of rows of some series under some ids in a file."""
        source, parameters = scan(cursor, self._files, [file.name])
        bounds = {"first": series_ids[0], "last": series_ids[-1]}
        counted = frame(
            cursor,
            f"""SELECT count(*) AS rows FROM {source} AS h
                WHERE h.series_id BETWEEN $first AND $last AND {_OF_SERIES}""",  # noqa: S608 - constants
            {**parameters, **bounds, "series": series_ids, "ids": sorted(archive_ids)},
        )
        return int(counted["rows"][0])

    def _merge(self, cursor: Cursor, files: tuple[DataFile, ...]) -> None:
        merged = rewrite(cursor, self._files, files, sorted(archive_id for file in files for archive_id in file.archive_ids))
        with self._exclusive():
            current = self._manifest(fresh=True)
            # If another writer has replaced one of them meanwhile, the merged file is useless, and a later sweep deletes it.
            if set(files) <= set(current.files):
                self._replace(current, files, (merged,))

    def _sweep(self) -> int:
        """Delete files that no reader can be using, and return how many.

        They were retired longer ago than the grace time, or left by a writer that died before a manifest named them.
        """
        with self._exclusive():
            manifest, now = self._manifest(fresh=True), self._clock.now()
            expired = manifest.expired(now=now, grace=self._grace)
            named = {file.name for file in manifest.files} | {file.name for file in manifest.retired}
            stray = {name for name, since in self._files.names() if name not in named and since <= now - self._grace}
            for name in expired | stray:
                self._files.delete(name)
            if expired:
                self._files.write(NAME, manifest.without_retired(expired).encode())
            return len(expired | stray)

    @contextmanager
    def _exclusive(self) -> Generator[None]:
        """Hold the locks of the only writer, among the threads of this process and among all processes."""
        with self._writing, self._files.locked(patience_s=_LOCK_PATIENCE_S):
            yield

    def _manifest(self, *, fresh: bool = False) -> Manifest:
        """Return the manifest, read again only if its file has changed.

        ``fresh``: read it in any case, for a caller that is about to replace it: the time stamps of a bucket may be as coarse
        as a second.
        """
        stamp = self._files.stamp(NAME)
        cached = self._cached
        if not fresh and cached is not None and stamp is not None and cached[0] == stamp:
            return cached[1]
        content = self._files.read(NAME)
        manifest = Manifest.decode(content) if content is not None else Manifest()
        # If the file changed between the two calls, the stamp is the older of the two, so the next call reads again.
        self._cached = (stamp, manifest)
        return manifest

    def _replace(self, before: Manifest, removed: tuple[DataFile, ...], added: tuple[DataFile, ...]) -> None:
        self._files.write(NAME, before.with_replaced(removed, added, now=self._clock.now()).encode())


def _standing(as_of: datetime | None) -> tuple[str, dict[str, Any]]:
    if as_of is None:
        return "h.superseded_at IS NULL", {}
    return "h.known_at <= $as_of AND (h.superseded_at IS NULL OR h.superseded_at > $as_of)", {"as_of": as_of}


def _in_utc(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its zone named ``UTC``; DuckDB names it ``Etc/UTC``."""
    zoned = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Datetime)]
    return rows.with_columns(pl.col(zoned).dt.convert_time_zone("UTC"))


def _groups(parts: Sequence[ArchivedPart]) -> Iterator[Sequence[ArchivedPart]]:
    """Yield the parts in the order of the answer, in groups of as many as one query may read; no group is empty."""
    group: list[ArchivedPart] = []
    rows = 0
    for part in sorted(parts, key=lambda part: (part.series_id, part.month)):
        if group and rows + part.rows > _GROUP_ROWS:
            yield group
            group, rows = [], 0
        group.append(part)
        rows += part.rows
    if group:
        yield group
