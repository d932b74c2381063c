"""Keeps a second copy of history: parts in the archive log are copied, rows that the log no longer names are deleted.

It runs after each archive run, and again after a failure. It copies only what is missing, so a copy that was unavailable, or
is new, is complete after one run. The log decides; the copy only follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from aurum.core.errors import Conflict
from aurum.core.history import tally
from aurum.pipelines.history.archive import Archive
from aurum.storage.ports.history import ArchivedPart, HistoryStore
from aurum.storage.ports.wide import HistoryCopy, WideScans

_Block: TypeAlias = tuple[str, int]
"""Source and ``archive_id`` of the rows that are written together."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """The result of an update.

    ``parts``: parts copied; ``rows``: rows in them; ``discarded``: ids deleted from the copy; ``erased``: rows of removed
    series that were deleted from it.
    """

    parts: int
    rows: int
    discarded: int
    erased: int = 0


class HistoryDiffers(Conflict):
    """The rows of a part in history differ from the archive log; a copy cannot repair that. Facts: ``series_id``, ``month``."""

    def __init__(self, part: ArchivedPart) -> None:
        super().__init__(
            f"the rows of series {part.series_id} in {part.month:%Y-%m} in history differ from the archive log: "
            "run `aurum archive verify`",
            series_id=part.series_id,
            month=part.month.isoformat(),
        )


async def synchronise(
    named: Sequence[ArchivedPart], *, history: HistoryStore, copy: HistoryStore, scans: WideScans
) -> CopyReport:
    """Copy the parts that the copy lacks, and delete from it the ids that the log no longer names.

    ``named``: all parts in the log. ``copy`` and ``scans``: two ports of the copy. A block that lacks a part is written again
    as a whole. Raises ``Unavailable`` and ``HistoryDiffers``; blocks written before that stay.
    """
    incomplete = {_block(part) for part in await scans.missing(named)}
    parts = rows = 0
    for block, block_parts in _blocks(named):
        if block not in incomplete:
            continue
        source, archive_id = block
        frame = await history.rows(block_parts)
        tallies = tally(frame).iter_rows()  # rows: one a series
        _check(block_parts, {(series_id, at): (count, total) for series_id, at, count, total in tallies})
        await copy.write(frame, source=source, archive_id=archive_id)
        parts, rows = parts + len(block_parts), rows + frame.height
    stale = await copy.archive_ids() - {part.archive_id for part in named}
    if stale:
        await copy.discard(stale)
    return CopyReport(parts, rows, len(stale))


async def update_copy(archive: Archive, copy: HistoryCopy) -> CopyReport:
    """Bring the copy up to date with the log of an archive. Raises the errors of ``synchronise``."""
    named = [part async for page in archive.log.parts() for part in page]
    report = await synchronise(named, history=archive.history, copy=copy.store, scans=copy.scans)
    return replace(report, erased=await _erase_removed(archive, copy.store))


async def _erase_removed(archive: Archive, copy: HistoryStore) -> int:
    """Delete the rows of removed series from a copy and return their number.

    Every removed series is looked for each time: the log does not record what a copy holds, which may be new or may have been
    unavailable.
    """
    removed = await archive.log.removed_series(idle=archive.grace, all_of_them=True)
    archive_ids = frozenset[int]().union(*(one.archive_ids for one in removed)) & await copy.archive_ids()
    return await copy.erase([one.series_id for one in removed], archive_ids=archive_ids) if archive_ids else 0


def _block(part: ArchivedPart) -> _Block:
    return part.source, part.archive_id


def _blocks(named: Iterable[ArchivedPart]) -> list[tuple[_Block, list[ArchivedPart]]]:
    """Return the blocks with their parts, in order."""
    blocks: dict[_Block, list[ArchivedPart]] = {}
    for part in named:
        blocks.setdefault(_block(part), []).append(part)
    return sorted(blocks.items())


def _check(parts: Iterable[ArchivedPart], tallies: dict[tuple[int, date], tuple[int, int]]) -> None:
    """Raise ``HistoryDiffers`` for the first part whose rows in history are not those of the log."""
    for part in parts:
        if tallies.get((part.series_id, part.month)) != (part.rows, part.checksum):
            raise HistoryDiffers(part)
