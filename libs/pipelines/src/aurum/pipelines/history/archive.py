"""Moves closed months from the hot store to history.

The rows of a month are read from the hot store, written to history, read back and compared. Only then does one transaction
record them in the archive log and delete the hot rows. The log is the only state between two steps, so a run may be killed at
any point. The next run first deletes the rows under ids for which the log names no part: leftovers of crashed runs, and of
corrections older than ``grace``. It also erases the rows of series that were removed longer ago than ``grace``.
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
from aurum.storage.ports.history import ArchivedPart, ArchiveLog, ClosedMonth, HistoryStore, PartsSnapshot


class NotAsWritten(Unavailable):
    """History returned other rows than were written; the hot rows stay. Facts: ``source``, ``month``, ``archive_id``."""


class NoHistory(Invalid):
    """Months cannot be archived, because no history store that outlives the process is configured."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The stores and limits of an archive run. A copy of history is not among them: ``history.copies`` updates it later.

    ``chunk_rows``: most rows, all versions counted, in memory at once. ``grace``: how long a read may still use the place
    where a part was before a correction.
    """

    log: ArchiveLog
    history: HistoryStore
    chunk_rows: int = 2_000_000
    grace: timedelta = timedelta(hours=1)


def archive_of(settings: HistorySettings, database: DatabaseSettings, log: ArchiveLog, history: HistoryStore | None) -> Archive:
    """Return the archive that the settings describe. Raises ``NoHistory``."""
    if history is None:
        raise NoHistory("no history store is configured: set AURUM_HISTORY__TIER to duckdb or trino")
    if settings.tier == "duckdb" and settings.url is None and database.url is not None:
        # The default folder may be inside a container: it would be lost with it, and other processes could not read it.
        raise NoHistory(
            "AURUM_HISTORY__URL is needed with AURUM_DATABASE__URL: set it to a lasting folder or bucket that all processes use"
        )
    return Archive(log, history, chunk_rows=settings.chunk_rows, grace=timedelta(seconds=settings.grace_s))


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """The result for some series of one source and month. ``left``: series that changed during the move and stay hot."""

    source: str
    month: date
    archive_id: int
    parts: int
    rows: int
    left: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A part whose rows in history differ from the log. ``rows``, ``checksum``: those in history, 0 and None without rows."""

    part: ArchivedPart
    rows: int
    checksum: int | None


async def archive_closed(
    archive: Archive, *, now: datetime, closed_after: timedelta, source: str | None = None
) -> AsyncIterator[ArchiveReport]:
    """Move every month that is closed at ``now``, the oldest of each source first; yield a report for each chunk of series.

    A second run has nothing left to move. Raises ``ArchiveRunning``, ``NotAsWritten`` and the errors of the stores; chunks
    that were reported have moved, all others are unchanged.
    """
    before = first_open_month(now, closed_after=closed_after)
    async with archive.log.exclusive_run():
        await clear_leftovers(archive)
        await erase_removed(archive)
        for month in await archive.log.closed_months(before, source=source):
            sizes = await archive.log.sizes(month)
            for series_ids in _series_chunks(month.series_ids, sizes, archive.chunk_rows):
                yield await _move(archive, month, series_ids)


async def clear_leftovers(archive: Archive) -> frozenset[int]:
    """Delete the rows that crashed runs and corrections left in history, and return their archive ids.

    The caller must hold ``ArchiveLog.exclusive_run``.
    """
    unnamed = await archive.log.unused_ids(idle=archive.grace)
    # An id that is in history but not in the log belongs to another store, or is newer than a restored log: it must stay.
    leftovers = unnamed & await archive.history.archive_ids()
    if leftovers:
        await archive.history.discard(leftovers)
    return leftovers


async def erase_removed(archive: Archive) -> int:
    """Delete the rows of removed series from history and return their number. After a crash the next run repeats it.

    The caller must hold ``ArchiveLog.exclusive_run``.
    """
    removed = await archive.log.removed_series(idle=archive.grace)
    if not removed:
        return 0
    series_ids = [one.series_id for one in removed]
    # Ids that only the log has are of no use; ids that only history has belong to another store.
    archive_ids = frozenset[int]().union(*(one.archive_ids for one in removed)) & await archive.history.archive_ids()
    erased = await archive.history.erase(series_ids, archive_ids=archive_ids)
    await archive.log.mark_erased(series_ids)
    return erased


async def verify(archive: Archive, *, source: str | None = None) -> AsyncIterator[tuple[int, Sequence[Difference]]]:
    """Compare history with the log; yield for each chunk the number of parts compared, and those that differ."""
    async for page in archive.log.parts(source=source):
        for parts in chunks(page, size=lambda part: part.rows, most=archive.chunk_rows):
            stored = await asyncio.to_thread(tally, await archive.history.rows(parts))
            yield len(parts), await asyncio.to_thread(_differences, parts, stored)


async def _move(archive: Archive, month: ClosedMonth, series_ids: Sequence[int]) -> ArchiveReport:
    started = time.perf_counter()
    archive_id = await _new_id(archive, month)
    snapshot = await archive.log.snapshot(series_ids, month.month)
    moved: frozenset[int] = frozenset()
    rows = 0
    if not snapshot.rows.is_empty():
        await archive.history.write(snapshot.rows, source=month.source, month=month.month, archive_id=archive_id)
        expected = await _read_back(archive.history, month, archive_id, snapshot)
        moved = await archive.log.commit(archive_id, month.month, snapshot)
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
    """Return a new archive id that history does not use yet.

    A log that was restored from a backup counts on from an earlier number, so it may give out ids that history already has.
    """
    used = await archive.history.archive_ids()
    while (archive_id := await archive.log.begin(month.source, month.month)) in used:
        pass
    return archive_id


async def _read_back(history: HistoryStore, month: ClosedMonth, archive_id: int, snapshot: PartsSnapshot) -> pl.DataFrame:
    """Return the tally (schema ``TALLY``) of the snapshot's rows. Raises ``NotAsWritten`` when history has another one."""
    expected = await asyncio.to_thread(tally, snapshot.rows)
    parts = [
        ArchivedPart(series_id, day, archive_id, month.source, rows, checksum)
        for series_id, day, rows, checksum in expected.iter_rows()  # rows: one a part
    ]
    stored = await asyncio.to_thread(tally, await history.rows(parts))
    if not stored.equals(expected):
        raise NotAsWritten(
            f"history returned other rows of {month.source} in {month.month:%Y-%m} than were written: "
            "these series stay in the hot store; run `aurum archive run` again",
            source=month.source,
            month=month.month.isoformat(),
            archive_id=archive_id,
        )
    return expected


def _series_chunks(series_ids: Sequence[int], sizes: Mapping[int, int], most: int) -> Iterator[Sequence[int]]:
    return chunks(series_ids, size=lambda series_id: sizes.get(series_id, 0), most=most)


def _differences(parts: Sequence[ArchivedPart], stored: pl.DataFrame) -> Sequence[Difference]:
    expected = pl.DataFrame(
        [(number, part.series_id, part.month, part.rows, part.checksum) for number, part in enumerate(parts)],
        schema={"number": pl.Int64, **TALLY},
        orient="row",
    )
    joined = expected.join(stored, on=["series_id", "month"], how="left", suffix="_stored", maintain_order="left")
    same = (pl.col("rows") == pl.col("rows_stored")) & (pl.col("checksum") == pl.col("checksum_stored"))
    wrong = joined.filter(~same.fill_null(False)).select("number", "rows_stored", "checksum_stored")
    numbers: list[int] = wrong["number"].to_list()
    counts: list[int] = wrong["rows_stored"].fill_null(0).to_list()
    sums: list[int | None] = wrong["checksum_stored"].to_list()
    return [Difference(parts[number], rows, checksum) for number, rows, checksum in zip(numbers, counts, sums, strict=True)]
