"""Moves closed months from the hot store to history.

Rows of consecutive months are read from the hot store, written to history as one file, read back and compared. Only then does
one transaction record them in the archive log and delete the hot rows. The log is the only state between two steps, so a run
may be killed at any point. The next run first deletes the rows under ids for which the log names no part: leftovers of crashed
runs, and of corrections older than ``grace``. It also erases the rows of series that were removed longer ago than ``grace``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from aurum.common.settings import DatabaseSettings, HistorySettings
from aurum.core.chunks import chunks
from aurum.core.errors import Invalid, Unavailable
from aurum.core.history import TALLY, first_open_month, tally
from aurum.pipelines.history.planning import Move, plan, plan_quotes
from aurum.pipelines.history.quotes import QuoteDifference, clear_quotes, move_quotes, verify_quotes
from aurum.storage.ports.history import ArchivedPart, ArchiveLog, HistoryStore, Months
from aurum.storage.ports.quote_history import SOURCE


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
    """The result of one move. ``parts``: those that moved; ``left``: those that changed meanwhile and stay hot."""

    source: str
    months: Months
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


async def planned_moves(
    archive: Archive, *, now: datetime, closed_after: timedelta, source: str | None = None
) -> Sequence[Move]:
    """Return what ``archive_closed`` would move at ``now``. Nothing is changed, and no lock is needed."""
    before = first_open_month(now, closed_after=closed_after)
    moves = await plan(archive.log, before, chunk_rows=archive.chunk_rows, source=source)
    if archive.history.quotes is not None and source is None:
        moves += await plan_quotes(archive.log.quotes, before, chunk_rows=archive.chunk_rows)
    return moves


def unannounced(_moves: Sequence[Move]) -> None:
    """Ignore a plan: the default where no caller follows the progress of a run."""


async def archive_closed(
    archive: Archive,
    *,
    now: datetime,
    closed_after: timedelta,
    source: str | None = None,
    planned: Callable[[Sequence[Move]], None] = unannounced,
) -> AsyncIterator[ArchiveReport]:
    """Move every month that is closed at ``now``, the oldest of each source first; yield a report for each move.

    ``planned`` is called with all moves before the first one. A second run has nothing left to move. Raises
    ``ArchiveRunning``, ``NotAsWritten`` and the errors of the stores; what was reported has moved, all else is unchanged.
    """
    async with archive.log.exclusive_run():
        await clear_leftovers(archive)
        await erase_removed(archive)
        moves = await planned_moves(archive, now=now, closed_after=closed_after, source=source)
        planned(moves)
        for move in moves:
            yield await (_perform if move.source != SOURCE else _perform_quotes)(archive, move)


async def clear_leftovers(archive: Archive) -> frozenset[int]:
    """Delete the rows that crashed runs and corrections left in history, and return their archive ids.

    The caller must hold ``ArchiveLog.exclusive_run``.
    """
    unnamed = await archive.log.unused_ids(idle=archive.grace)
    # An id that is in history but not in the log belongs to another store, or is newer than a restored log: it must stay.
    leftovers = unnamed & await archive.history.archive_ids()
    if leftovers:
        await archive.history.discard(leftovers)
    quotes = archive.history.quotes
    return leftovers if quotes is None else leftovers | await clear_quotes(quotes, unnamed)


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


async def verify(
    archive: Archive, *, source: str | None = None
) -> AsyncIterator[tuple[int, Sequence[Difference | QuoteDifference]]]:
    """Compare history with the log; yield for each chunk the number of parts compared, and those that differ.

    ``source``: only series of this source; None: quotes as well.
    """
    async for page in archive.log.parts(source=source):
        for parts in chunks(page, size=lambda part: part.rows, most=archive.chunk_rows):
            stored = await asyncio.to_thread(tally, await archive.history.rows(parts))
            yield len(parts), await asyncio.to_thread(_differences, parts, stored)
    quotes = archive.history.quotes
    if source is None and quotes is not None:
        async for compared in verify_quotes(archive.log.quotes, quotes, chunk_rows=archive.chunk_rows):
            yield compared


async def _perform(archive: Archive, move: Move) -> ArchiveReport:
    started = time.perf_counter()
    archive_id = await _new_id(archive, move)
    snapshot = await archive.log.snapshot(move.series_ids, move.months)
    expected = moved = await asyncio.to_thread(tally, snapshot.rows)
    if not snapshot.rows.is_empty():
        await archive.history.write(snapshot.rows, source=move.source, archive_id=archive_id)
        await _read_back(archive.history, move, archive_id, expected)
        moved = await archive.log.commit(archive_id, snapshot)
        if moved.is_empty():
            await archive.history.discard([archive_id])
    return ArchiveReport(
        source=move.source,
        months=move.months,
        archive_id=archive_id,
        parts=moved.height,
        rows=int(moved["rows"].sum()),
        left=expected.height - moved.height,
        seconds=time.perf_counter() - started,
    )


async def _perform_quotes(archive: Archive, move: Move) -> ArchiveReport:
    started = time.perf_counter()
    archive_id = await _new_id(archive, move)
    quotes = archive.history.quotes
    if quotes is None:
        raise NoHistory("the history store does not hold quotes")
    done = await move_quotes(archive.log.quotes, quotes, move.series_ids, move.months.first, archive_id)
    return ArchiveReport(
        source=move.source,
        months=move.months,
        archive_id=archive_id,
        parts=done.moved.height,
        rows=int(done.moved["rows"].sum()),
        left=done.written.height - done.moved.height,
        seconds=time.perf_counter() - started,
    )


async def _new_id(archive: Archive, move: Move) -> int:
    """Return a new archive id that history does not use yet.

    A log that was restored from a backup counts on from an earlier number, so it may give out ids that history already has.
    """
    used = await archive.history.archive_ids()
    if archive.history.quotes is not None:
        used |= await archive.history.quotes.archive_ids()
    while (archive_id := await archive.log.begin(move.source, move.months)) in used:
        pass
    return archive_id


async def _read_back(history: HistoryStore, move: Move, archive_id: int, expected: pl.DataFrame) -> None:
    """Compare the rows of a move in history with their tally (schema ``TALLY``). Raises ``NotAsWritten``."""
    parts = [
        ArchivedPart(series_id, month, archive_id, move.source, rows, checksum)
        for series_id, month, rows, checksum in expected.iter_rows()  # rows: one a part
    ]
    stored = await asyncio.to_thread(tally, await history.rows(parts))
    if not stored.equals(expected):
        raise NotAsWritten(
            f"history returned other rows of {move.source} in {move.months} than were written: "
            "these series stay in the hot store; run `aurum archive run` again",
            source=move.source,
            month=move.months.first.isoformat(),
            archive_id=archive_id,
        )


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
