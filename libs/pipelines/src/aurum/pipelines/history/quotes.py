"""Moves publications of quotes of closed months to history, by the steps by which observations move.

They are read from the hot store, written to history, read back and compared. Then one transaction records them in the archive
log and deletes them from the hot store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from aurum.core.chunks import chunks
from aurum.core.curves.quote_archive import QUOTE_TALLY, quote_tally
from aurum.core.errors import Unavailable
from aurum.storage.ports.quote_history import ArchivedQuotes, QuoteArchiveLog, QuoteHistory


class QuotesNotAsWritten(Unavailable):
    """History returned other quotes than were written; the hot rows stay. Facts: ``month``, ``archive_id``."""


@dataclass(frozen=True, slots=True)
class QuoteDifference:
    """A part whose publications in history differ from the log. ``rows``: those in history."""

    part: ArchivedQuotes
    rows: int


@dataclass(frozen=True, slots=True)
class MovedQuotes:
    """The publications that a move wrote, and those that left the hot store: both schema ``QUOTE_TALLY``."""

    written: pl.DataFrame
    moved: pl.DataFrame


async def move_quotes(
    log: QuoteArchiveLog, history: QuoteHistory, curve_ids: Sequence[int], month: date, archive_id: int
) -> MovedQuotes:
    """Move the publications of some products in a month. Raises ``QuotesNotAsWritten`` and the errors of the stores."""
    rows = await log.snapshot(curve_ids, month)
    if rows.is_empty():
        nothing = pl.DataFrame(schema=QUOTE_TALLY)
        return MovedQuotes(nothing, nothing)
    written = await asyncio.to_thread(quote_tally, rows)
    await history.write(rows, archive_id=archive_id)
    parts = [ArchivedQuotes(curve_id, of, archive_id, *sums) for curve_id, of, *sums in written.iter_rows()]  # rows: one a part
    if not (await asyncio.to_thread(quote_tally, await history.publications(parts))).equals(written):
        raise QuotesNotAsWritten(
            f"history returned other quotes of {month:%Y-%m} than were written: they stay in the hot store; "
            "run `aurum archive run` again",
            month=month.isoformat(),
            archive_id=archive_id,
        )
    moved = await log.commit(archive_id, rows)
    if moved.is_empty():
        await history.discard([archive_id])
    return MovedQuotes(written, moved)


async def clear_quotes(history: QuoteHistory, unused: Collection[int]) -> frozenset[int]:
    """Delete publications that crashed runs and corrections left in history, and return their archive ids."""
    leftovers = frozenset(unused) & await history.archive_ids()
    await history.discard(leftovers)
    return leftovers


async def verify_quotes(
    log: QuoteArchiveLog, history: QuoteHistory, *, chunk_rows: int
) -> AsyncIterator[tuple[int, Sequence[QuoteDifference]]]:
    """Compare archived quotes with the log; yield for each chunk the number of parts compared, and those that differ."""
    async for page in log.parts():
        for parts in chunks(page, size=lambda part: part.rows, most=chunk_rows):
            stored = await asyncio.to_thread(quote_tally, await history.publications(parts))
            sums = {(curve_id, month): (rows, total) for curve_id, month, rows, total in stored.iter_rows()}  # rows: one a part
            present = [(part, *sums.get((part.curve_id, part.month), (0, None))) for part in parts]
            differ = [(part, rows) for part, rows, total in present if (rows, total) != (part.rows, part.checksum)]
            yield len(parts), [QuoteDifference(part, rows) for part, rows in differ]
