"""Reading and writing observations. The bitemporal law these keep is stated in ``aurum.core.asof``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from aurum.core.asof import Span

if TYPE_CHECKING:
    import polars as pl

    from aurum.core.series.points import Points


class SeriesReader(Protocol):
    """Observations by series id. Unknown ids have no observations; ``as_of`` None means what is known now.

    Spans are half-open. ``as_of`` is inclusive and may lie in the future, where it means now. A read as of a past instant
    gives the same answer for ever: where a load that began before that instant has yet to commit, the read waits for it,
    and raises ``Unavailable`` (with ``retry_after``) when it takes too long. All methods raise ``Unavailable`` when the
    store does not answer.
    """

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """One series, schema ``OBSERVATIONS``, ascending by ``ts``."""
        ...

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
        """The answer of ``observations`` as arrays: half the cost of a page-sized slice is making a frame of it."""
        ...

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """Several series, schema ``MANY_OBSERVATIONS``, ascending by (``series_id``, ``ts``)."""
        ...

    def stream(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> AsyncIterator[pl.DataFrame]:
        """The answer of ``many`` in batches of bounded size, from one snapshot, with back-pressure."""
        ...

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        """Every version of every point, schema ``REVISIONS``, ascending by (``ts``, ``known_at``)."""
        ...


class PartialsReader(Protocol):
    """Sums, counts and extremes of hours of UTC, of the values now known.

    The answer is that of ``core.series.partials`` over the rows in one snapshot, also in the moment after a correction of the
    remotest hour; sums are added in the order of time, so that the same rows give the same bits. The rows are all that the
    ``SeriesReader`` beside it reads.
    """

    @property
    def has_sums(self) -> bool:
        """Whether the store keeps sums, so that reading them is cheaper than reading the rows. It may change at any time."""
        ...

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        """The buckets that start in the span, each of them whole, schema ``PARTIALS``; unknown ids have none.

        Raises ``Unavailable`` when the store does not answer, ``HistoryNotWired`` for archived months from a hot store alone.
        """
        ...


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """What a file says of series. ``series``: schema ``core.frames.SERIES``; ``rows``: schema ``core.frames.FILE_ROWS``."""

    series: pl.DataFrame
    rows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class StoredRows:
    """What storing rows changed. ``rows``: how many publications there were.

    ``changed``: ids of the series of which an answer is another now, ascending. ``touched``: schema
    ``core.frames.FILE_SERIES``, ascending by id.
    """

    rows: int
    new: int
    revised: int
    changed: tuple[int, ...]
    touched: pl.DataFrame


@dataclass(frozen=True, slots=True)
class LockedSeries:
    """Series of a file that no other transaction changes before this one has ended.

    ``ids``: in the order of the frame that describes them. ``empty``: ids of those that have no observation.
    """

    ids: Sequence[int]
    empty: frozenset[int]


class ObservationWriter(Protocol):
    """Stores observations within a transaction, keeping the bitemporal law. Safe for many writers at once."""

    async def lock(self, series: pl.DataFrame) -> LockedSeries:
        """Find or make the series that a frame of schema ``core.frames.SERIES`` describes, and lock them.

        Their descriptions (names, labels, market) follow the newest load. Raises ``Conflict`` when one exists with another unit
        or frequency.
        """
        ...

    async def store(self, part: SeriesRows, locked: LockedSeries, *, known_at: datetime | None) -> StoredRows:
        """Store the rows of a file and count up the version of each series that changes.

        ``known_at``: of rows that have none of their own. Raises ``FrameMismatch`` for a row without any known time.
        """
        ...

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        """Record what a file said of which series, schema ``core.frames.FILE_SERIES``."""
        ...
