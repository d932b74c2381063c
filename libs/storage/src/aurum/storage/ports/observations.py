"""Reads and writes of observations. They obey the bitemporal law, which ``aurum.core.asof`` states."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from aurum.core.asof import ALL_TIME, Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Conflict

if TYPE_CHECKING:
    import polars as pl

    from aurum.core.series.points import Points


class SeriesReader(Protocol):
    """Reads of observations by series id. Unknown ids have no observations.

    Spans are half-open. ``as_of`` is inclusive; None, or an instant in the future, means the values known now. A read as of a
    past instant always returns the same answer: while a load that began before that instant has not committed, the read waits
    for it, and raises ``Unavailable`` (with ``retry_after``) when that takes too long. All methods raise ``Unavailable`` when
    the store does not answer.
    """

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """Return the observations of one series, schema ``OBSERVATIONS``, ascending by ``ts``."""
        ...

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
        """Return the answer of ``observations`` as arrays: for a page-sized slice, half the cost is the frame."""
        ...

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """Return the observations of several series, schema ``MANY_OBSERVATIONS``, ascending by (``series_id``, ``ts``)."""
        ...

    def stream(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> AsyncIterator[pl.DataFrame]:
        """Yield the answer of ``many`` in batches of bounded size, from one snapshot, with back-pressure."""
        ...

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        """Return every version of every point of one series, schema ``REVISIONS``, ascending by (``ts``, ``known_at``)."""
        ...

    async def versions(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """Return every version of every point of several series that was known at ``as_of`` (None: now), schema ``HISTORY``.

        ``superseded_at`` is that of the store: it may lie after ``as_of``.
        """
        ...

    def version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield the answer of ``versions`` in batches of bounded size, from one snapshot, with back-pressure.

        The versions of a point may be in two batches.
        """
        ...

    async def confirmations(self, series_ids: Sequence[int], *, span: Span, known: Span = ALL_TIME) -> pl.DataFrame:
        """Return the publications that repeated the value in force, schema ``CONFIRMATIONS``.

        ``known``: half-open span of their known times. Every publication is a version or a confirmation. One that a later load
        made a version may still be among the confirmations, so those that are read after the versions complete them.
        """
        ...


class PartialsReader(Protocol):
    """Reads of partials: sums, counts and extremes of UTC hours, over the values now known.

    The answer equals ``core.series.partials`` over the rows of one snapshot, even directly after a correction. It covers the
    same rows as the store's ``SeriesReader``. Values are added in order of time, so equal rows give equal bits.
    """

    @property
    def has_sums(self) -> bool:
        """Whether the store keeps sums, so that reading them is cheaper than reading the rows. It may change at any time."""
        ...

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        """Return the hours that start in the span, each of them whole, schema ``PARTIALS``; unknown ids have none.

        Raises ``Unavailable`` when the store does not answer, and ``HistoryNotConfigured`` for archived months in a
        store without history.
        """
        ...


class NeighbourReader(Protocol):
    """Reads of the stored points beside the span that a file has of a series, and within it."""

    async def neighbours(self, spans: pl.DataFrame, *, count: int, within: int = 0) -> pl.DataFrame:
        """Return up to ``count`` current points of each series outside its span, schema ``NEIGHBOURS``.

        ``spans``: schema ``FILE_SPANS``. The points are the last ones before the span, or the first ones after it for a series
        without any before. ``within``: number of points, the last ones, that are returned from the span itself of a series with
        fewer than ``count`` outside. Archived points count, if this process has a history store. Unknown series have no points.
        Raises ``Unavailable`` when the store does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class RuleDated:
    """Rows with a known time of their own have it from the publication rule of their dataset.

    ``may_correct``: another value of a stored point becomes known with the file; else the file is refused.
    """

    may_correct: bool = False


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """Series and observations of one dataset in a file.

    ``series``: schema ``core.frames.SERIES``. ``rows``: schema ``core.frames.FILE_ROWS``. ``rule``: None when no row is dated
    by a publication rule. ``is_forecast``: the issues in the rows are recorded. ``issue_at``: the usual publication time of an
    issue of several days, UTC, whatever dates its rows; None for datasets whose points are dated one by one.
    """

    series: pl.DataFrame
    rows: pl.DataFrame
    rule: RuleDated | None = None
    is_forecast: bool = False
    issue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """The known time of the rows of a file that have none of their own, UTC, and its basis. ``time`` None: all have one.

    ``repeated``: the content was loaded before. ``same_issue``: known times of stored issues with the usual publication time
    of this one, ascending.
    """

    time: datetime | None
    basis: KnownAtBasis = KnownAtBasis.PUBLISHED
    repeated: bool = False
    same_issue: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Result of storing the rows of a part. ``rows``: number of publications.

    ``changed``: ids of the series whose answers changed, ascending. ``points``: ``series_id`` and ``ts`` of what changed in
    them. ``touched``: schema ``core.frames.FILE_SERIES``, ascending by id. ``issues``: of a forecast, the distinct known times
    with ``first_ts``, ``last_ts`` and number of ``series``.
    """

    rows: int
    new: int
    revised: int
    changed: tuple[int, ...]
    points: pl.DataFrame
    touched: pl.DataFrame
    issues: pl.DataFrame | None = None


class CorrectionUndated(Conflict):
    """A file brings other values for stored points, and its known time would come from a rule. Facts: ``points``."""


@dataclass(frozen=True, slots=True)
class LockedSeries:
    """Series of a file, locked so that no other transaction changes them before this one ends.

    ``ids``: in the order of the frame that describes them. ``empty``: ids of the series without observations.
    """

    ids: Sequence[int]
    empty: frozenset[int]


class ObservationWriter(Protocol):
    """Writes of observations within a transaction, by the bitemporal law. Safe for many writers at once."""

    async def lock(self, series: pl.DataFrame) -> LockedSeries:
        """Find or create the series in a frame of schema ``core.frames.SERIES``, and lock them.

        Their descriptions (names, labels, market) become those of the newest load. Raises ``Conflict`` when a series exists
        with another unit or frequency.
        """
        ...

    async def store(self, part: SeriesRows, locked: LockedSeries, *, moment: Moment, recording_id: int) -> StoredRows:
        """Store the rows of a file and raise the version of each series that changes.

        ``moment``: the known time of rows without their own. ``recording_id``: from ``RecordingWriter.begin``. Raises
        ``FrameMismatch`` for a row without any known time, and ``CorrectionUndated``.
        """
        ...

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        """Record the series that a file touched, schema ``core.frames.FILE_SERIES``."""
        ...
