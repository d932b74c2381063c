"""Closed months to history: taken, written, read back, compared, and only then named and no longer hot.

Nothing here holds between two steps but what the log says, so a run may die anywhere and the next one goes on: rows under an
id that no part bears were never read by anybody, and are dropped first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from aurum.common.settings import DatabaseSettings, HistorySettings
from aurum.core.chunks import chunks
from aurum.core.errors import Invalid, Unavailable
from aurum.core.history import TALLY, first_open_month, tally
from aurum.storage.ports.history import ArchivedPart, ArchiveLog, ClosedMonth, HistoryStore, Taken


class NotAsWritten(Unavailable):
    """History gave back other rows than it was given; the hot rows stay. Facts: ``source``, ``month``, ``archive_id``."""


class NoHistory(Invalid):
    """This process has no history to move months to."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What a run works with. No copy is part of it: one follows the log (``pipelines.copies``) and holds nothing up.

    ``chunk_rows``: rows, all versions, held at once. ``grace``: how long a read may go on looking where a part was.
    """

    log: ArchiveLog
    history: HistoryStore
    chunk_rows: int = 2_000_000
    grace: timedelta = timedelta(hours=1)


def archive_of(settings: HistorySettings, database: DatabaseSettings, log: ArchiveLog, history: HistoryStore | None) -> Archive:
    """Return an archive as settings say. Raises ``NoHistory``."""
    if history is None:
        raise NoHistory("there is no history to move months to: AURUM_HISTORY__TIER is none")
    if settings.tier == "duckdb" and settings.url is None and database.url is not None:
        # The folder of this process may be a container's, gone tomorrow, and no other process would find it.
        raise NoHistory(
            "AURUM_HISTORY__URL is needed with AURUM_DATABASE__URL: a place that every process finds, and that lasts"
        )
    return Archive(log, history, chunk_rows=settings.chunk_rows, grace=timedelta(seconds=settings.grace_s))


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What became of some series of one source and month. ``left``: series that changed meanwhile and stay hot."""

    source: str
    month: date
    archive_id: int
    parts: int
    rows: int
    left: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of which history holds something else than the log says."""

    part: ArchivedPart
    rows: int
    checksum: int | None


async def archive_closed(
    archive: Archive, *, now: datetime, closed_after: timedelta, source: str | None = None
) -> AsyncIterator[ArchiveReport]:
    """Move every month that is closed at ``now``, oldest first within a source; a report for each piece that moved.

    A second run finds nothing to do. Raises ``ArchiveRunning``, ``NotAsWritten`` and what the stores raise; what was reported
    has moved, the rest is as it was.
    """
    before = first_open_month(now, closed_after=closed_after)
    async with archive.log.alone():
        await clear_leftovers(archive)
        for month in await archive.log.closed(before, source=source):
            sizes = await archive.log.sizes(month)
            for series_ids in _chunks(month.series_ids, sizes, archive.chunk_rows):
                yield await _move(archive, month, series_ids)


async def clear_leftovers(archive: Archive) -> frozenset[int]:
    """Drop from history what crashed runs and corrections left there. For who is ``alone``."""
    unnamed = await archive.log.unnamed(idle=archive.grace)
    # An id that only history knows is another store's, or newer than a log that was restored: not ours to drop.
    left = unnamed & await archive.history.archive_ids()
    if left:
        await archive.history.discard(left)
    return left


async def verify(archive: Archive, *, source: str | None = None) -> AsyncIterator[tuple[int, Sequence[Difference]]]:
    """History read against the log: for each piece how many parts were compared, and those that differ."""
    async for page in archive.log.parts(source=source):
        for parts in chunks(page, size=lambda part: part.rows, most=archive.chunk_rows):
            found = await asyncio.to_thread(tally, await archive.history.rows(parts))
            yield len(parts), await asyncio.to_thread(_differences, parts, found)


async def _move(archive: Archive, month: ClosedMonth, series_ids: Sequence[int]) -> ArchiveReport:
    started = time.perf_counter()
    archive_id = await _new_id(archive, month)
    taken = await archive.log.take(series_ids, month.month)
    moved: frozenset[int] = frozenset()
    rows = 0
    if not taken.rows.is_empty():
        await archive.history.write(taken.rows, source=month.source, month=month.month, archive_id=archive_id)
        expected = await _compared(archive.history, month, archive_id, taken)
        moved = await archive.log.commit(archive_id, month.month, taken)
        rows = int(expected.filter(pl.col("series_id").is_in(list(moved)))["rows"].sum())
        if not moved:
            await archive.history.discard([archive_id])
    return ArchiveReport(
        source=month.source,
        month=month.month,
        archive_id=archive_id,
        parts=len(moved),
        rows=rows,
        left=len(series_ids) - len(moved),
        seconds=time.perf_counter() - started,
    )


async def _new_id(archive: Archive, month: ClosedMonth) -> int:
    """One under which there is nothing: a log that was restored from a copy counts on from where it was then."""
    there = await archive.history.archive_ids()
    while (archive_id := await archive.log.begin(month.source, month.month)) in there:
        pass
    return archive_id


async def _compared(history: HistoryStore, month: ClosedMonth, archive_id: int, taken: Taken) -> pl.DataFrame:
    """Schema ``TALLY`` of what was taken, once history gave back the same."""
    expected = await asyncio.to_thread(tally, taken.rows)
    parts = [
        ArchivedPart(series_id, day, archive_id, month.source, rows, checksum)
        for series_id, day, rows, checksum in expected.iter_rows()  # rows: one a part
    ]
    found = await asyncio.to_thread(tally, await history.rows(parts))
    if not found.equals(expected):
        raise NotAsWritten(
            f"history gave back other rows of {month.source} in {month.month:%Y-%m} than it was given: nothing was archived",
            source=month.source,
            month=month.month.isoformat(),
            archive_id=archive_id,
        )
    return expected


def _chunks(series_ids: Sequence[int], sizes: Mapping[int, int], most: int) -> Iterator[Sequence[int]]:
    return chunks(series_ids, size=lambda series_id: sizes.get(series_id, 0), most=most)


def _differences(parts: Sequence[ArchivedPart], found: pl.DataFrame) -> Sequence[Difference]:
    named = pl.DataFrame(
        [(number, part.series_id, part.month, part.rows, part.checksum) for number, part in enumerate(parts)],
        schema={"number": pl.Int64, **TALLY},
        orient="row",
    )
    joined = named.join(found, on=["series_id", "month"], how="left", suffix="_found", maintain_order="left")
    same = (pl.col("rows") == pl.col("rows_found")) & (pl.col("checksum") == pl.col("checksum_found"))
    wrong = joined.filter(~same.fill_null(False)).select("number", "rows_found", "checksum_found")
    numbers: list[int] = wrong["number"].to_list()
    counts: list[int] = wrong["rows_found"].fill_null(0).to_list()
    sums: list[int | None] = wrong["checksum_found"].to_list()
    return [Difference(parts[number], rows, checksum) for number, rows, checksum in zip(numbers, counts, sums, strict=True)]
