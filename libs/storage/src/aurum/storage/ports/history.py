"""Closed months: the history store that holds their rows, and the archive log of the hot store that lists them.

A *part* is one series in one month (UTC, by ``ts``), with all its versions. The archive log of the hot store names the parts
that are archived, and the ``archive_id`` under which their rows are stored. One id may stand for many series and months of one
source. Rows in history that the log does not name are never read. So a write to history needs no transaction with the hot
store: rows that a crash leaves behind are discarded later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from aurum.core.asof import ALL_TIME, Span
from aurum.core.errors import Unavailable
from aurum.storage.ports.quote_history import ArchivedQuotes, QuoteArchiveLog, QuoteHistory, QuotesNotHeld

if TYPE_CHECKING:
    import polars as pl

    from aurum.common.resilience.guards import Guards
    from aurum.core.series.points import Points


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """One archived series in one month.

    ``month``: its first day. ``rows``, ``checksum``: over all versions, as ``core.history`` computes them.
    """

    series_id: int
    month: date
    archive_id: int
    source: str
    rows: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Result of the maintenance of history.

    ``files_before``, ``files_after``: numbers of data files; ``expired``: number of snapshots or files that were dropped.
    """

    files_before: int
    files_after: int
    expired: int


@dataclass(frozen=True, slots=True)
class Merge:
    """Small files of one source that maintenance merges into one file.

    ``first``, ``last``: months of the earliest and the latest row. ``size``: bytes of the files in all.
    """

    source: str
    first: date
    last: date
    files: int
    rows: int
    size: int


def unreported(_merge: Merge) -> None:
    """Ignore a merge: the default where no caller follows the progress of maintenance."""


class HistoryStore(Protocol):
    """Store of archived months.

    All methods raise ``Unavailable`` when the store does not answer, or not by the deadline of the task if it has one. In every
    adapter the columns are ``source``, ``month``, ``archive_id`` and those of ``core.frames.HISTORY``. A file has rows of one
    source, sorted by series and time.
    """

    @property
    def guards(self) -> Guards:
        """Circuits, retries, timeouts and bulkheads of the calls to the server; empty for a store without a server."""
        ...

    @property
    def quotes(self) -> QuoteHistory | None:
        """The store of archived quotes; None: it does not hold quotes, which then stay in the hot store."""
        ...

    async def look(self) -> None:
        """Return when the store answers a trivial query."""
        ...

    async def write(self, rows: pl.DataFrame, *, source: str, archive_id: int) -> None:
        """Store rows of one source and any months, schema ``HISTORY`` and in its order; they are durable on return.

        A second write with the same source and ``archive_id`` replaces the first. Raises ``ValueError`` for no rows.
        """
        ...

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        """Return all versions in those parts whose ``ts`` lies in the span, schema ``HISTORY``, in its order."""
        ...

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """Return the values known at ``as_of`` (None: now), schema ``MANY_OBSERVATIONS``, by (``series_id``, ``ts``)."""
        ...

    def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield the answer of ``many`` in batches of bounded size, with back-pressure."""
        ...

    async def discard(self, archive_ids: Collection[int]) -> None:
        """Delete all rows under those ids; unknown ids are ignored."""
        ...

    async def erase(self, series_ids: Collection[int], *, archive_ids: Collection[int]) -> int:
        """Delete the rows of some series under some ids; return the number of rows, 0 if there are none.

        Rows of other series, and rows under other ids, stay as they are. It may be repeated.
        """
        ...

    async def archive_ids(self) -> frozenset[int]:
        """Return the ids that have rows."""
        ...

    async def merges(self) -> Sequence[Merge]:
        """Return what ``upkeep`` would merge now, ascending by source and month; nothing if a server merges by itself."""
        ...

    async def upkeep(self, *, merged: Callable[[Merge], None] = unreported) -> Upkeep:
        """Merge small files, and delete files that are no longer reachable. ``merged`` is called after each merge.

        A merged file replaces its parts only after it was read back and compared. The call may be repeated, and may end at any
        point: what was merged stays merged, and nothing else has changed.
        """
        ...

    async def close(self) -> None:
        """Close connections and files."""
        ...


class ArchiveRunning(Unavailable):
    """Another run is moving months to history; only one may run at a time."""


class HistoryNotConfigured(Unavailable):
    """Requested months are archived, and this process has no history store configured. Facts: ``parts``."""

    def __init__(self, parts: int) -> None:
        super().__init__(
            f"{parts} requested month(s) are archived, and this process has no history store: set AURUM_HISTORY__TIER",
            parts=parts,
        )


class HistoryDamaged(Unavailable):
    """History does not hold the rows that the archive log records. Facts: ``series_id``, ``month``, ``archive_id``."""

    def __init__(self, part: ArchivedPart) -> None:
        super().__init__(
            f"history does not hold series {part.series_id} in {part.month:%Y-%m} as the archive log records it "
            f"(archive id {part.archive_id}, {part.rows} rows): run `aurum archive verify`",
            series_id=part.series_id,
            month=part.month.isoformat(),
            archive_id=part.archive_id,
        )


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """Series of one source that still have hot rows in one month. ``series_ids``: ascending."""

    source: str
    month: date
    series_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Months:
    """A run of months. ``first``, ``last``: their first days; ``last`` is included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}" if self.first == self.last else f"{self.first:%Y-%m} to {self.last:%Y-%m}"


@dataclass(frozen=True, slots=True)
class PartsSnapshot:
    """The rows of some series in a run of months, from one snapshot of the hot store.

    ``rows``: schema ``HISTORY`` and in its order. ``versions``: the version of each series in that snapshot, by id.
    """

    months: Months
    rows: pl.DataFrame
    versions: dict[int, int]


@dataclass(frozen=True, slots=True)
class ArchivedMonth:
    """Number of parts and rows of one source and month in history."""

    source: str
    month: date
    parts: int
    rows: int


@dataclass(frozen=True, slots=True)
class RemovedSeries:
    """A series that an operator removed. ``archive_ids``: all ids under which its rows may stand in history."""

    series_id: int
    archive_ids: frozenset[int]


class ArchiveLog(Protocol):
    """Log of archived parts: moves them out of the hot store and names their place. All methods raise ``Unavailable``."""

    @property
    def quotes(self) -> QuoteArchiveLog:
        """The log of archived quotes, which shares the ids and the lock of runs."""
        ...

    def exclusive_run(self) -> AbstractAsyncContextManager[None]:
        """Exclude other runs within the block; the lock ends with the process, crashes included. Raises ``ArchiveRunning``."""
        ...

    async def closed_months(self, before: date, *, source: str | None = None) -> Sequence[ClosedMonth]:
        """Return the months before ``before`` (a first day) that have hot rows, ascending by source and month."""
        ...

    async def sizes(self, months: Sequence[ClosedMonth]) -> pl.DataFrame:
        """Return the number of rows, all versions, of each series in each month; ascending by month and series.

        Columns ``series_id`` (Int32), ``month`` (Date), ``rows`` (Int64).
        """
        ...

    async def begin(self, source: str, months: Months) -> int:
        """Return a new ``archive_id``, which is recorded before any row is written under it."""
        ...

    async def snapshot(self, series_ids: Sequence[int], months: Months) -> PartsSnapshot:
        """Return all versions of those series in those months, from one snapshot. The hot store is not changed."""
        ...

    async def commit(self, archive_id: int, snapshot: PartsSnapshot) -> pl.DataFrame:
        """Name the parts in the log and delete their hot rows, in one transaction; return the parts that moved as ``TALLY``.

        It holds the lock that loads take. A part whose rows differ from the snapshot stays hot and is not named. Raises
        ``Conflict`` when ``unused_ids`` returned the id meanwhile.
        """
        ...

    async def unused_ids(self, *, idle: timedelta) -> frozenset[int]:
        """Return the ids that no part has had for at least ``idle``, so that no read under way still uses them.

        Ids that never had a part are included whatever their age, and no part can get one any more. Call it only within
        ``exclusive_run``.
        """
        ...

    async def removed_series(self, *, idle: timedelta, all_of_them: bool = False) -> Sequence[RemovedSeries]:
        """Return the series removed at least ``idle`` ago whose rows are not recorded as erased, ascending by id.

        ``all_of_them``: also those that are recorded as erased, for a copy of history. A read that began before the removal may
        still use the rows until ``idle`` has passed.
        """
        ...

    async def mark_erased(self, series_ids: Collection[int]) -> None:
        """Record that history holds no row of some removed series any more."""
        ...

    async def months(self) -> Sequence[ArchivedMonth]:
        """Return the archived months, ascending by source and month."""
        ...

    def parts(self, *, source: str | None = None, month: date | None = None) -> AsyncIterator[Sequence[ArchivedPart]]:
        """Yield every archived part, ascending by series and month, in groups of bounded size."""
        ...


@dataclass(frozen=True, slots=True)
class HotPoints:
    """The hot points of one series in a span and its archived parts, from one snapshot."""

    points: Points
    parts: Sequence[ArchivedPart]


@dataclass(frozen=True, slots=True)
class HotRevisions:
    """All hot versions of one series in a span, schema ``REVISIONS``, and its archived parts, from one snapshot."""

    rows: pl.DataFrame
    parts: Sequence[ArchivedPart]


@dataclass(frozen=True, slots=True)
class HotStream:
    """Hot rows of several series in batches, as ``SeriesReader`` yields them, and the archived parts."""

    batches: AsyncIterator[pl.DataFrame]
    parts: Sequence[ArchivedPart]


class HotReader(Protocol):
    """``SeriesReader`` of the hot store that also returns the archived parts of the span, from the snapshot of its rows."""

    async def hot_points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> HotPoints: ...

    async def hot_revisions(self, series_id: int, *, span: Span) -> HotRevisions: ...

    def hot_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AbstractAsyncContextManager[HotStream]:
        """Hold one snapshot within the block."""
        ...

    def hot_version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AbstractAsyncContextManager[HotStream]:
        """Hold one snapshot within the block; the batches are those of ``SeriesReader.version_stream``."""
        ...

    async def confirmations(self, series_ids: Sequence[int], *, span: Span, known: Span = ALL_TIME) -> pl.DataFrame:
        """Return the answer of ``SeriesReader.confirmations``: they stay in the hot store when months are archived."""
        ...


@dataclass(frozen=True, slots=True)
class HotPartials:
    """Partials of the hot rows of several series, schema ``PARTIALS``, and the parts that are archived, from one snapshot."""

    frame: pl.DataFrame
    parts: Sequence[ArchivedPart]


class HotPartialsReader(Protocol):
    """``PartialsReader`` of the hot store that also returns the archived parts of the span, from the same snapshot."""

    @property
    def has_sums(self) -> bool: ...

    async def hot_partials(self, series_ids: Sequence[int], *, span: Span) -> HotPartials: ...


def refuse_archived_parts(parts: Collection[ArchivedPart]) -> None:
    """Raise ``HistoryNotConfigured`` when there are archived parts: for readers without a history store."""
    if parts:
        raise HistoryNotConfigured(len(parts))


def quotes_in(history: HistoryStore | None, parts: Collection[ArchivedQuotes]) -> QuoteHistory:
    """Return the store of archived publications. Raises ``HistoryNotConfigured``, ``QuotesNotHeld``."""
    if history is None:
        raise HistoryNotConfigured(len(parts))
    if history.quotes is None:
        raise QuotesNotHeld(
            f"{len(parts)} requested month(s) of quotes are archived, and the history store of this process holds no quotes: "
            "set AURUM_HISTORY__TIER to duckdb, with the location where they were archived"
        )
    return history.quotes
