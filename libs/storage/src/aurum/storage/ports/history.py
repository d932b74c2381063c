"""Closed months: the history store that holds their rows, and the archive log of the hot store that says which are there.

A *part* is one series in one month (UTC, by ``ts``), with all its versions. The archive log of the hot store says which parts
are archived, and under which ``archive_id`` their rows stand; a row in history that the log does not name does not exist.
So writing to history needs no transaction with the hot store: what a crash leaves behind is never read, and is discarded later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from aurum.core.asof import Span
from aurum.core.errors import Unavailable

if TYPE_CHECKING:
    import polars as pl

    from aurum.common.resilience.guards import Guards
    from aurum.core.series.points import Points


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """One series in one month. ``month``: its first day. ``rows``, ``checksum``: of all its versions, see ``core.history``."""

    series_id: int
    month: date
    archive_id: int
    source: str
    rows: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What looking after history did. ``files_*``: data files before and after; ``expired``: snapshots or files dropped."""

    files_before: int
    files_after: int
    expired: int


class HistoryStore(Protocol):
    """Archived months. All methods raise ``Unavailable`` when the store does not answer, by the deadline of the task if any.

    The columns are those of ``core.frames.HISTORY`` after ``source``, ``month`` and ``archive_id``; partitioned by source and
    month, sorted by series and time, the same in every adapter.
    """

    @property
    def guards(self) -> Guards:
        """What protects from the server behind it, if there is one."""
        ...

    async def look(self) -> None:
        """Return when the store answers a question that costs nothing."""
        ...

    async def write(self, rows: pl.DataFrame, *, source: str, month: date, archive_id: int) -> None:
        """Keep rows, schema ``HISTORY`` and in its order, all of one source and month; they are durable on return.

        Written twice with the same source, month and ``archive_id``, the second stands in the place of the first.
        """
        ...

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        """All versions in those parts whose ``ts`` lies in the span, schema ``HISTORY``, in its order."""
        ...

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """What stood as of then (None: what stands now), schema ``MANY_OBSERVATIONS``, ascending by (``series_id``, ``ts``)."""
        ...

    def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        """The answer of ``many`` in batches of bounded size, with back-pressure."""
        ...

    async def discard(self, archive_ids: Collection[int]) -> None:
        """Drop all rows under those ids; ids nobody wrote are no error."""
        ...

    async def archive_ids(self) -> frozenset[int]:
        """The ids under which there are rows."""
        ...

    async def upkeep(self) -> Upkeep:
        """Compact what is in many pieces and drop what is no longer reachable."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


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


@dataclass(frozen=True, slots=True)
class HotPartials:
    """Partials of the hot rows of several series, schema ``PARTIALS``, and the parts that are archived, from one snapshot."""

    frame: pl.DataFrame
    parts: Sequence[ArchivedPart]


class HotPartialsReader(Protocol):
    """The hot side of a read of sums by the hour. See ``PartialsReader``."""

    @property
    def has_sums(self) -> bool: ...

    async def hot_partials(self, series_ids: Sequence[int], *, span: Span) -> HotPartials: ...


def wired(parts: Collection[ArchivedPart]) -> None:
    """For who has no history. Raises ``HistoryNotWired`` when there are parts in it."""
    if parts:
        raise HistoryNotWired(len(parts))
