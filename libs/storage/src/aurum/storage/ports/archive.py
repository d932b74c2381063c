"""The archive log: which parts of the hot store stand in history, and how parts move between the two.

Kept by the hot store, in its transactions; ``ports.history`` is the other side, which has none with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

import polars as pl

from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.core.series.points import Points
from aurum.storage.ports.history import ArchivedPart


class ArchiveRunning(Unavailable):
    """Another run moves months to history; one goes at a time."""


class HistoryNotWired(Unavailable):
    """Months are archived that this process has no history for. Facts: ``parts``."""

    def __init__(self, parts: int) -> None:
        super().__init__(
            f"{parts} month(s) of what was asked for stand in history, and this process has none: set AURUM_HISTORY__TIER",
            parts=parts,
        )


class HistoryDamaged(Unavailable):
    """History does not hold what the log says; nothing was changed. Facts: ``series_id``, ``month``, ``archive_id``."""

    def __init__(self, part: ArchivedPart) -> None:
        super().__init__(
            f"history does not hold series {part.series_id} in {part.month:%Y-%m} as the log says "
            f"(archive id {part.archive_id}, {part.rows} rows): run `aurum archive verify`",
            series_id=part.series_id,
            month=part.month.isoformat(),
            archive_id=part.archive_id,
        )


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """Series of one source that have hot rows in one month, ascending by id."""

    source: str
    month: date
    series_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """The rows of some parts as they stood in one snapshot.

    ``rows``: schema ``HISTORY`` and in its order. ``versions``: of each series, as counted then.
    """

    rows: pl.DataFrame
    versions: dict[int, int]


@dataclass(frozen=True, slots=True)
class ArchivedMonth:
    """How much of one source and month stands in history."""

    source: str
    month: date
    parts: int
    rows: int


class ArchiveLog(Protocol):
    """Moves parts out of the hot store and says where they are. All methods raise ``Unavailable``."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Be the only run for the length of the block; ends with the process, however it ends. Raises ``ArchiveRunning``."""
        ...

    async def closed(self, before: date, *, source: str | None = None) -> Sequence[ClosedMonth]:
        """What is hot of months before that one (its first day), ascending by source and month."""
        ...

    async def sizes(self, month: ClosedMonth) -> dict[int, int]:
        """How many rows, all versions, each of its series has in that month."""
        ...

    async def begin(self, source: str, month: date) -> int:
        """A new ``archive_id``, written down before anything is written under it."""
        ...

    async def take(self, series_ids: Sequence[int], month: date) -> Taken:
        """All versions of those series in that month, from one snapshot; they stay where they are."""
        ...

    async def commit(self, archive_id: int, month: date, taken: Taken) -> frozenset[int]:
        """Name the parts and delete their hot rows, in one transaction; gives the series that moved.

        Under the lock loads take. A series whose rows of that month are no longer those taken stays hot, unnamed. Raises
        ``Conflict`` when ``unnamed`` gave the id out meanwhile.
        """
        ...

    async def unnamed(self, *, idle: timedelta) -> frozenset[int]:
        """Ids of which no part bears the name, and has not for so long: no read can be under way that still looks there.

        Those that never had one are among them whatever their age, and can no longer get one: only for who is ``alone``.
        """
        ...

    async def months(self) -> Sequence[ArchivedMonth]:
        """What stands in history, ascending by source and month."""
        ...

    def parts(self, *, source: str | None = None, month: date | None = None) -> AsyncIterator[Sequence[ArchivedPart]]:
        """Every part that stands in history, ascending by series and month, in groups of bounded size."""
        ...


@dataclass(frozen=True, slots=True)
class HotPoints:
    """What is hot of one series in a span, and the parts of it that are not, from one snapshot."""

    points: Points
    parts: Sequence[ArchivedPart]


@dataclass(frozen=True, slots=True)
class HotRevisions:
    """All hot versions of one series in a span, schema ``REVISIONS``, and the parts that are archived, from one snapshot."""

    rows: pl.DataFrame
    parts: Sequence[ArchivedPart]


@dataclass(frozen=True, slots=True)
class HotStream:
    """Hot rows of several series in batches, as ``SeriesReader.stream`` gives them, and the parts that are archived."""

    batches: AsyncIterator[pl.DataFrame]
    parts: Sequence[ArchivedPart]


class HotReader(Protocol):
    """The hot side of a read: ``SeriesReader`` that says, in the snapshot of its rows, which parts of the span it lacks."""

    async def hot_points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> HotPoints: ...

    async def hot_revisions(self, series_id: int, *, span: Span) -> HotRevisions: ...

    def hot_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AbstractAsyncContextManager[HotStream]:
        """One snapshot for the length of the block."""
        ...


def wired(parts: Collection[ArchivedPart]) -> None:
    """For who has no history. Raises ``HistoryNotWired`` when there are parts in it."""
    if parts:
        raise HistoryNotWired(len(parts))
