"""Archived months as Parquet files: immutable, named by a manifest, read by DuckDB."""

from __future__ import annotations

import asyncio
import io
import secrets
import threading
from collections.abc import AsyncIterator, Collection, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import polars as pl

from aurum.common.resilience.guards import Guards
from aurum.core.asof import Span
from aurum.core.clock import Clock
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, conform
from aurum.storage.duckdb.engine import Cursor, Engine
from aurum.storage.duckdb.errors import HistoryUnavailable, driver_errors
from aurum.storage.duckdb.history_files import HistoryFiles
from aurum.storage.duckdb.manifest import NAME, DataFile, Manifest
from aurum.storage.ports.capabilities import Capability
from aurum.storage.ports.history import ArchivedPart, Upkeep

_BATCH_ROWS = 65_536
_GROUP_ROWS = 131_072
"""Rows, all versions, that one query of a stream takes from its files: what bounds its memory."""
_ROW_GROUP = 32_768
"""A month of an hourly series is 744 rows: of a file of many series a read decodes one or two of these."""
_FULL_FILE_ROWS = 2_000_000
_SMALL_FILE_ROWS = 1_000_000
_PATIENCE_S = 10.0

_PARTS = pl.Schema({"series_id": pl.Int32(), "archive_id": pl.Int64()})
_CODEC = "zstd"


class HistoryLacks(HistoryUnavailable):
    """The manifest names no file for a part that the log says is archived. Facts: ``archive_id``, ``month``."""


class DuckdbHistory:
    """``HistoryStore`` over a folder or bucket. ``grace``: how long a file that was replaced can still be read.

    ``threads``: queries at once, and cores of one. ``memory``: of DuckDB, as it writes it (``1GB``).
    """

    def __init__(
        self, shelf: HistoryFiles, clock: Clock, *, threads: int = 2, memory: str = "1GB", grace: timedelta = timedelta(hours=1)
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self._grace = grace
        self._engine = Engine(threads=threads, memory=memory, where=shelf.where)
        self._known: tuple[Hashable, Manifest] | None = None
        self._writing = threading.Lock()

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.AS_OF, Capability.REVISIONS, Capability.STREAM, Capability.COMPACTION, Capability.EXPIRY})

    @property
    def guards(self) -> Guards:
        return Guards()

    async def look(self) -> None:
        def work() -> None:
            # The manifest, without the engine: who only looks need not load it.
            with driver_errors(self._shelf.where):
                self._manifest()

        await asyncio.to_thread(work)

    async def write(self, rows: pl.DataFrame, *, source: str, month: date, archive_id: int) -> None:
        frame = _placed(conform(rows, HISTORY), source, month, archive_id)

        def work(cursor: Cursor) -> None:
            new = self._kept(frame, source, month, (archive_id,))
            with self._alone():
                before = self._manifest(fresh=True)
                found = before.by_place.get((source, month, archive_id))
                rest = self._without(cursor, found, {archive_id}) if found is not None else ()
                self._replace(before, (found,) if found is not None else (), (new, *rest))

        await self._engine.run(work)

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        if not parts:
            return pl.DataFrame(schema=HISTORY)
        columns = list(HISTORY)
        return await self._engine.run(
            lambda cursor: _typed(
                self._read(cursor, parts, span or Span(), columns, "TRUE", {}, ["series_id", "ts", "known_at"])
            )
        )

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.stream(parts, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else pl.DataFrame(schema=MANY_OBSERVATIONS)

    async def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        standing, bound = _standing(as_of)
        columns = list(MANY_OBSERVATIONS)
        for group in _groups(parts):

            def work(cursor: Cursor, group: Sequence[ArchivedPart] = group) -> pl.DataFrame:
                return _typed(self._read(cursor, group, span, columns, standing, bound, ["series_id", "ts"]))

            found = await self._engine.run(work)
            for batch in found.iter_slices(_BATCH_ROWS):
                if not batch.is_empty():
                    yield batch

    async def discard(self, archive_ids: Collection[int]) -> None:
        unwanted = set(archive_ids)

        def work(cursor: Cursor) -> None:
            with self._alone():
                before = self._manifest(fresh=True)
                touched = tuple(file for file in before.files if unwanted.intersection(file.archive_ids))
                if touched:
                    rest = tuple(part for file in touched for part in self._without(cursor, file, unwanted))
                    self._replace(before, touched, rest)

        if unwanted:
            await self._engine.run(work)

    async def archive_ids(self) -> frozenset[int]:
        def work(_cursor: Cursor) -> frozenset[int]:
            return frozenset(archive_id for file in self._manifest().files for archive_id in file.archive_ids)

        return await self._engine.run(work)

    async def upkeep(self) -> Upkeep:
        def work(cursor: Cursor) -> Upkeep:
            before = len(self._manifest().files)
            for group in _small(self._manifest().files):
                self._merge(cursor, group)
            return Upkeep(before, len(self._manifest().files), self._swept())

        return await self._engine.run(work)

    async def close(self) -> None:
        await self._engine.close()

    def _read(
        self,
        cursor: Cursor,
        parts: Sequence[ArchivedPart],
        span: Span,
        columns: Sequence[str],
        standing: str,
        bound: dict[str, Any],
        order: Sequence[str],
    ) -> pl.DataFrame:
        wanted = pl.DataFrame([(part.series_id, part.archive_id) for part in parts], schema=_PARTS, orient="row")
        cursor.register("wanted", wanted.to_arrow())  # pyright: ignore[reportUnknownArgumentType] - Arrow comes without types
        source, files = self._scan(cursor, self._files(parts))
        # The least and the greatest id beside the join: row groups of other series are not even read.
        ends = {"first": wanted["series_id"].min(), "last": wanted["series_id"].max()}
        conditions = ["h.series_id BETWEEN $first AND $last", standing]
        if span.start is not None:
            conditions.append("h.ts >= $start")
            ends["start"] = span.start
        if span.end is not None:
            conditions.append("h.ts < $end")
            ends["end"] = span.end
        return _frame(
            cursor,
            f"""
            SELECT {", ".join(f"h.{column}" for column in columns)}
            FROM {source} AS h JOIN wanted AS w ON h.series_id = w.series_id AND h.archive_id = w.archive_id
            WHERE {" AND ".join(conditions)}
            ORDER BY {", ".join(f"h.{column}" for column in order)}
            """,  # noqa: S608 - constants of this module
            {**bound, **files, **ends},
        )

    def _files(self, parts: Sequence[ArchivedPart]) -> list[str]:
        manifest = self._manifest()
        names: set[str] = set()
        for part in parts:
            place = (part.source, part.month, part.archive_id)
            found = manifest.by_place.get(place) or self._manifest(fresh=True).by_place.get(place)
            if found is None:
                raise HistoryLacks(
                    f"history ({self._shelf.where}) has no rows under archive id {part.archive_id} "
                    f"({part.source}, {part.month:%Y-%m}): check AURUM_HISTORY__URL",
                    archive_id=part.archive_id,
                    month=part.month.isoformat(),
                )
            names.add(found.name)
        return sorted(names)

    def _scan(self, cursor: Cursor, names: list[str]) -> tuple[str, dict[str, Any]]:
        """What a query reads from, and what is bound for it."""
        scanned = self._shelf.scanned(names)
        if isinstance(scanned, list):
            return "read_parquet($files, hive_partitioning => false)", {"files": scanned}
        cursor.register("scanned", scanned)
        return "scanned", {}

    def _kept(self, frame: pl.DataFrame, source: str, month: date, archive_ids: tuple[int, ...]) -> DataFile:
        """A new file. Nobody sees it before a manifest names it."""
        content = io.BytesIO()
        frame.write_parquet(content, compression=_CODEC, row_group_size=_ROW_GROUP, statistics=True)
        name = (
            f"source={quote(source, safe='')}/month={month.isoformat()}/{min(archive_ids):010d}-{secrets.token_hex(4)}.parquet"
        )
        self._shelf.keep(name, content.getvalue())
        return DataFile(name, source, month, archive_ids, frame.height, content.tell())

    def _without(self, cursor: Cursor, file: DataFile, unwanted: set[int]) -> tuple[DataFile, ...]:
        """The file again without rows of some ids, so that it holds exactly what the manifest says; none if none are left."""
        left = tuple(archive_id for archive_id in file.archive_ids if archive_id not in unwanted)
        return (self._rewritten(cursor, (file,), left),) if left else ()

    def _rewritten(self, cursor: Cursor, files: tuple[DataFile, ...], archive_ids: tuple[int, ...]) -> DataFile:
        source, bound = self._scan(cursor, [file.name for file in files])
        rows = _frame(
            cursor,
            f"SELECT * FROM {source} AS h WHERE list_contains($ids, h.archive_id) ORDER BY series_id, ts, known_at",  # noqa: S608 - constants
            {**bound, "ids": list(archive_ids)},
        )
        return self._kept(rows, files[0].source, files[0].month, archive_ids)

    def _merge(self, cursor: Cursor, files: tuple[DataFile, ...]) -> None:
        merged = self._rewritten(cursor, files, tuple(sorted(one for file in files for one in file.archive_ids)))
        with self._alone():
            now = self._manifest(fresh=True)
            # Another writer may have replaced one of them: the merged file is then of no use, and swept later.
            if set(files) <= set(now.files):
                self._replace(now, files, (merged,))

    def _swept(self) -> int:
        """Delete files that no reader can hold: retired long enough, or left by a writer that died before it named them."""
        with self._alone():
            manifest, now = self._manifest(fresh=True), self._clock.now()
            expired = manifest.expired(now=now, grace=self._grace)
            named = {file.name for file in manifest.files} | {one.name for one in manifest.retired}
            stray = {name for name, since in self._shelf.names() if name not in named and since <= now - self._grace}
            for name in expired | stray:
                self._shelf.drop(name)
            if expired:
                self._shelf.keep(NAME, manifest.without_retired(expired).encode())
            return len(expired | stray)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """The only writer: of the threads here, and of the processes there."""
        with self._writing, self._shelf.locked(patience_s=_PATIENCE_S):
            yield

    def _manifest(self, *, fresh: bool = False) -> Manifest:
        """``fresh``: for who is about to replace it; stamps of a bucket may be as coarse as a second."""
        stamp = self._shelf.stamp(NAME)
        known = self._known
        if not fresh and known is not None and stamp is not None and known[0] == stamp:
            return known[1]
        content = self._shelf.read(NAME)
        manifest = Manifest.decode(content) if content is not None else Manifest()
        # The stamp is older than what was read, if they differ: then the next look reads again.
        self._known = (stamp, manifest)
        return manifest

    def _replace(self, before: Manifest, gone: tuple[DataFile, ...], come: tuple[DataFile, ...]) -> None:
        self._shelf.keep(NAME, before.exchanged(gone, come, now=self._clock.now()).encode())


def _placed(rows: pl.DataFrame, source: str, month: date, archive_id: int) -> pl.DataFrame:
    place = (
        pl.lit(source).alias("source"),
        pl.lit(month, pl.Date).alias("month"),
        pl.lit(archive_id, pl.Int64).alias("archive_id"),
    )
    return rows.select(*place, *HISTORY)


def _standing(as_of: datetime | None) -> tuple[str, dict[str, Any]]:
    if as_of is None:
        return "h.superseded_at IS NULL", {}
    return "h.known_at <= $as_of AND (h.superseded_at IS NULL OR h.superseded_at > $as_of)", {"as_of": as_of}


def _frame(cursor: Cursor, query: str, bound: dict[str, Any]) -> pl.DataFrame:
    table = cursor.sql(query, params=bound).to_arrow_table()
    found = pl.from_arrow(table)  # pyright: ignore[reportUnknownMemberType] - Arrow comes without types
    assert isinstance(found, pl.DataFrame)
    return found


def _typed(found: pl.DataFrame) -> pl.DataFrame:
    """With the zone written as everywhere: DuckDB calls it ``Etc/UTC``."""
    zoned = [name for name, dtype in found.schema.items() if isinstance(dtype, pl.Datetime)]
    return found.with_columns(pl.col(zoned).dt.convert_time_zone("UTC"))


def _groups(parts: Sequence[ArchivedPart]) -> Iterator[Sequence[ArchivedPart]]:
    """In the order of the answer, as many parts together as one query may take, and never none."""
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


def _small(files: tuple[DataFile, ...]) -> Iterator[tuple[DataFile, ...]]:
    """Files of one source and month that are better one file: at least two, none of them large, together not too large."""
    places: dict[tuple[str, date], list[DataFile]] = {}
    for file in files:
        if file.rows < _SMALL_FILE_ROWS:
            places.setdefault((file.source, file.month), []).append(file)
    for members in places.values():
        group: list[DataFile] = []
        for file in sorted(members, key=lambda file: file.archive_ids):
            if sum(one.rows for one in group) + file.rows > _FULL_FILE_ROWS:
                if len(group) > 1:
                    yield tuple(group)
                group = []
            group.append(file)
        if len(group) > 1:
            yield tuple(group)
