"""Recordings: what each transaction added to the store, and when.

``known_at`` says when a number became known to the market, a recording when it came into this store. Every transaction that
adds or restates observations is one recording. Its instant, ``recorded_at``, is taken in the order of commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Invalid

if TYPE_CHECKING:
    import polars as pl

    from aurum.core.as_loaded import LaterRecordings
    from aurum.storage.ports.observations import SeriesReader


class RecordingAction(StrEnum):
    """Kind of a recording."""

    BEGIN = "begin"
    """The store began to record; there is one, the first."""
    LOAD = "load"
    RESTATEMENT = "restatement"
    """Known times of stored observations were set anew."""


@dataclass(frozen=True, slots=True)
class DatasetChange:
    """The effect of one recording on one dataset.

    ``known_at``: of the rows without a scheduled time of their own, UTC; None if there are none. ``basis``: of ``known_at``;
    SCHEDULED without it. ``series``: number of series, or of products, that the file names. ``new``, ``revised``: points, or
    quotes. ``first_ts``, ``last_ts``: first and last interval start, UTC; of quotes the trade dates at 00:00; None for no
    points.
    """

    source: str
    dataset: str
    known_at: datetime | None
    basis: KnownAtBasis
    series: int
    new: int
    revised: int
    first_ts: datetime | None
    last_ts: datetime | None


@dataclass(frozen=True, slots=True)
class NewIssue:
    """One publication of a forecast dataset in a file.

    ``scheduled_at``: the usual publication time by which an issue of several days is recognised; None for other datasets.
    ``first_ts``, ``last_ts``: first and last interval start. ``series``: number of series.
    """

    source: str
    dataset: str
    known_at: datetime
    basis: KnownAtBasis
    scheduled_at: datetime | None
    first_ts: datetime
    last_ts: datetime
    series: int


class RecordingWriter(Protocol):
    """Writes of recordings within a transaction."""

    async def begin(self) -> int:
        """Return the id of a new recording, which ``seal`` completes."""
        ...

    async def issues_at(self, source: str, dataset: str, scheduled_at: datetime) -> Sequence[datetime]:
        """Return the known times of the stored issues of that usual publication time, ascending."""
        ...

    async def record_issues(self, file_id: int, issues: Sequence[NewIssue]) -> None:
        """Record the issues in a file."""
        ...

    async def record_undo(self, recording_id: int, *, added: pl.DataFrame, removed: pl.DataFrame) -> None:
        """Record what a restatement adds (``series_id``, ``ts``, ``known_at``) and takes away (schema ``PUBLICATIONS``).

        Loads record theirs in ``ObservationWriter.store``. A publication of the same point and known time may not be in both:
        one that gets other content is taken away only. Call it once for a series. A restatement must leave ``known_at`` in
        ``file_series`` as it is, and may not move a publication to a time after the latest one there of its series.
        """
        ...

    async def seal(
        self, recording_id: int, action: RecordingAction, changes: Sequence[DatasetChange], *, file_id: int | None = None
    ) -> None:
        """Record the transaction and its changes: the last statement before the commit.

        Other transactions wait here for this one to end, so positions and instants follow the order of commits.
        """
        ...


class NotRecorded(Invalid):
    """An instant at which the store had not begun to record, or one in the future. Facts: ``earliest``, ``latest``."""


def check_recorded(instant: datetime, *, first: datetime, last: datetime, now: datetime) -> None:
    """Raise ``NotRecorded`` unless the store can be read as it stood at an instant.

    ``first``, ``last``: instants of the first and the last recording. ``now``: by the clock of the store.
    """
    facts = {"earliest": first.isoformat(), "latest": max(last, now).isoformat()}
    if instant < first:
        raise NotRecorded(
            f"is before {first.isoformat()}, when the store began to record its loads: use it or a later instant",
            **facts,
        )
    # A recording may be ahead of a clock that was set back. At an instant equal to the clock another recording may follow.
    if instant > last and instant >= now:
        raise NotRecorded(f"is in the future: the clock of the store shows {now.isoformat()}", **facts)


class UndoLog(Protocol):
    """The record of what recordings did, to take back the later ones. All methods raise ``Unavailable``."""

    async def latest(self) -> datetime:
        """Return the instant of the last recording, UTC."""
        ...

    async def require(self, instant: datetime) -> None:
        """Return once every recording up to an instant can be read. Raises ``NotRecorded``."""
        ...

    async def later(self, series_ids: Sequence[int], *, span: Span, after: datetime) -> LaterRecordings:
        """Return what the recordings after an instant did to points of some series in a span.

        Rows that were read earlier than this are covered: it also names recordings committed since.
        """
        ...


class LoadedReaders(Protocol):
    """Readers of the store as it stood. ``storage.loaded`` implements it."""

    async def latest(self) -> datetime:
        """Return the instant of the last recording, UTC: a read as loaded by then sees what is stored now."""
        ...

    async def as_loaded(self, instant: datetime) -> SeriesReader:
        """Return a reader of the store with the files committed up to an instant, whatever was loaded or restated since.

        Its answers never change, except that a removed series stays removed. Raises ``NotRecorded`` and ``Unavailable``.
        """
        ...


MOST_MATCHED_KEYS = 100
"""Most keys of series that an entry names."""


@dataclass(frozen=True, slots=True)
class ChangePosition:
    """A place in the list of changes: after the entry with this number.

    ``recorded_at``: of that entry, UTC; for number 0, of the recording with which the store began. No two stores have an entry
    with the same number and instant, and a copy of a store that has the entry has all entries before it.
    """

    number: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """The entries to be read: of a source, of a dataset, and with one of some series.

    ``series``: keys, or patterns in which ``*`` stands for any text; empty: all.
    """

    source: str | None = None
    dataset: str | None = None
    series: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesMatch:
    """The series of an entry that a filter names.

    ``keys``: the first ``MOST_MATCHED_KEYS``, ascending. Series that were removed do not count.
    """

    count: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """One entry of the list of changes: the effect of a recording on one dataset.

    ``file_id``, ``file_name``, ``digest``: of the file that was loaded; None for other actions. ``matched``: None where no
    series were requested.
    """

    position: ChangePosition
    action: RecordingAction
    file_id: int | None
    file_name: str | None
    digest: str | None
    change: DatasetChange
    matched: SeriesMatch | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Entries in ascending position. ``next``: every entry up to it was considered. ``last``: the last one given out."""

    entries: Sequence[ChangeEntry]
    next: ChangePosition
    last: ChangePosition

    @property
    def is_last(self) -> bool:
        """Whether no entry follows."""
        return self.next.number >= self.last.number


@dataclass(frozen=True, slots=True)
class ChangeBounds:
    """The extent of the list of changes. ``oldest``: the earliest position after which every entry is still served."""

    oldest: ChangePosition
    last: ChangePosition


@dataclass(frozen=True, slots=True)
class ChangedSeries:
    """A series of an entry with new or revised points.

    ``first_ts``, ``last_ts``: first and last interval start of the file's points, UTC. ``known_at``: the latest known time of
    these points.
    """

    series_id: int
    key: str
    first_ts: datetime
    last_ts: datetime
    known_at: datetime


class ChangeLog(Protocol):
    """Reads of the list of changes. All methods raise ``Unavailable`` when the store does not answer.

    A position never appears below one that was read before: positions are given out in the order of commits.
    """

    async def bounds(self, kept_since: datetime) -> ChangeBounds:
        """Return the extent of the list of the entries that were recorded at ``kept_since`` or later."""
        ...

    async def position(self, number: int) -> ChangePosition | None:
        """Return the position with this number, 0 for that before the first entry; None if there is none."""
        ...

    async def changes(self, after: ChangePosition, criteria: ChangeFilter, *, limit: int) -> ChangePage:
        """Return entries after a position.

        A page may end before ``limit`` entries, even without any, because the number of entries and of series that are looked
        through is bounded; ``is_last`` says whether entries follow.
        """
        ...

    async def entry(self, number: int) -> ChangeEntry | None:
        """Return the entry at a position; None if there is none."""
        ...

    async def keys(self, entry: ChangeEntry) -> Sequence[str]:
        """Return the keys of the series of an entry, ascending; those of its dataset for an entry without a file."""
        ...

    async def changed_series(self, entry: ChangeEntry, *, from_key: str, limit: int) -> Sequence[ChangedSeries]:
        """Return series with new or revised points, ascending by key, from ``from_key`` on; none without a file."""
        ...


@dataclass(frozen=True, slots=True)
class ChangedPoints:
    """Points of an entry, schema ``core.frames.CHANGED_POINTS``, and where to read on: after that (key, ``ts``).

    ``next``: None when no point follows. There may be fewer points than were requested, even none, before the last page.
    """

    points: pl.DataFrame
    next: tuple[str, datetime] | None


class ChangedPointsReader(Protocol):
    """Reads of old and new values of the points that an entry added or revised."""

    async def points(self, entry: ChangeEntry, *, after: tuple[str, datetime] | None, limit: int) -> ChangedPoints:
        """Return points after a (key, ``ts``), ascending; ``after`` None: from the first.

        The versions that one call looks through are bounded. Raises ``Unavailable``, and ``HistoryNotConfigured`` for archived
        months in a store without history.
        """
        ...
