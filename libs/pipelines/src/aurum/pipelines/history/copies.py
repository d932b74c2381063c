"""History once more in another place: what the archive log names is copied there, and what it no longer names is dropped.

Run after each archive run, and again after a failure: it does what is missing and nothing else, so a copy that was away, or is
new, is whole again after one run. The log decides; the copy only follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from aurum.core.errors import Conflict
from aurum.core.history import tally
from aurum.pipelines.history.archive import Archive
from aurum.storage.ports.history import ArchivedPart, HistoryStore
from aurum.storage.ports.wide import HistoryCopy, WideScans

_Block: TypeAlias = tuple[str, date, int]
"""Source, month and ``archive_id``: what is written at a time."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a run did. ``parts``: brought over, or anew; ``rows``: of them; ``discarded``: ids that the log names no more."""

    parts: int
    rows: int
    discarded: int


class HistoryDiffers(Conflict):
    """History does not hold what its log says, which no copy can mend. Facts: ``series_id``, ``month``."""

    def __init__(self, part: ArchivedPart) -> None:
        super().__init__(
            f"history has other rows of series {part.series_id} in {part.month:%Y-%m} than its log says",
            series_id=part.series_id,
            month=part.month.isoformat(),
        )


async def bring_up_to_date(
    named: Sequence[ArchivedPart], *, history: HistoryStore, copy: HistoryStore, scans: WideScans
) -> Copied:
    """``named``: all parts the log names. ``copy`` and ``scans``: two ports of the copy.

    A block in which a part is missing is written anew, whole. Raises ``Unavailable`` and ``HistoryDiffers``; what is done by
    then stays.
    """
    short = {_block(part) for part in await scans.missing(named)}
    parts = rows = 0
    for block, some in _blocks(named):
        if block not in short:
            continue
        source, month, archive_id = block
        frame = await history.rows(some)
        counted = tally(frame).iter_rows()  # rows: one a series
        _check(some, {(series_id, at): (count, total) for series_id, at, count, total in counted})
        await copy.write(frame, source=source, month=month, archive_id=archive_id)
        parts, rows = parts + len(some), rows + frame.height
    stale = await copy.archive_ids() - {part.archive_id for part in named}
    if stale:
        await copy.discard(stale)
    return Copied(parts, rows, len(stale))


async def follow(archive: Archive, copy: HistoryCopy) -> Copied:
    """Bring the copy up to date with the log of an archive. Raises what ``bring_up_to_date`` raises."""
    named = [part async for page in archive.log.parts() for part in page]
    return await bring_up_to_date(named, history=archive.history, copy=copy.store, scans=copy.scans)


def _block(part: ArchivedPart) -> _Block:
    return part.source, part.month, part.archive_id


def _blocks(named: Iterable[ArchivedPart]) -> list[tuple[_Block, list[ArchivedPart]]]:
    """Blocks with their parts, in order."""
    found: dict[_Block, list[ArchivedPart]] = {}
    for part in named:
        found.setdefault(_block(part), []).append(part)
    return sorted(found.items())


def _check(parts: Iterable[ArchivedPart], there: dict[tuple[int, date], tuple[int, int]]) -> None:
    for part in parts:
        if there.get((part.series_id, part.month)) != (part.rows, part.checksum):
            raise HistoryDiffers(part)
