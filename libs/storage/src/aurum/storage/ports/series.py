"""Reading and writing observations. The bitemporal law these keep is stated in ``aurum.core.asof``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
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


@dataclass(frozen=True, slots=True)
class FileLoad:
    """All that one file says, ready to be stored.

    ``series``: schema ``core.frames.SERIES``. ``rows``: schema ``core.frames.FILE_ROWS``. ``quarantine``: schema
    ``core.frames.REFUSED``. ``validations``: what the checks of each dataset in it found. ``digest``: SHA-256 of the
    content, hexadecimal. ``known_at``: of the whole file; None when it differs by row or is the moment of loading.
    """

    name: str
    digest: str
    size: int
    source: str
    dataset: str
    known_at: datetime | None
    known_at_basis: KnownAtBasis
    rows_read: int
    series: pl.DataFrame
    rows: pl.DataFrame
    quarantine: pl.DataFrame
    validations: tuple[ValidationResult, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a load did: observations that are new points, that revise one, and that changed nothing.

    ``already_loaded``: the same content was applied before and nothing was done.
    """

    file_id: int
    new: int
    revised: int
    unchanged: int
    quarantined: int
    already_loaded: bool = False
    changed_series: tuple[int, ...] = ()


class SeriesWriter(Protocol):
    """Stores files, each whole or not at all, keeping the bitemporal law. Safe for many writers at once."""

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        """Store one file in one transaction: its series, observations, quarantine, completeness, validations and its own
        record.

        A digest applied before is not loaded again, unless ``force`` is true or it comes with another ``known_at`` by
        argument. Forced, a file whose known time is the moment of loading keeps the time it got first, so that nothing
        changes. Raises ``Conflict`` when a series it names exists with another unit or frequency, ``Unavailable`` when
        the store does not answer; either way nothing is stored.
        """
        ...

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None
    ) -> LoadOutcome | None:
        """What ``load`` without ``force`` would answer to content it would not load again; None when it would load it.

        ``basis``: given when the caller asks for a known time by argument or by schedule. One look-up by digest.
        """
        ...

    async def refuse(
        self,
        *,
        name: str,
        digest: str,
        size: int,
        source: str,
        dataset: str,
        reason: str,
        validations: Sequence[ValidationResult] = (),
    ) -> int:
        """Record that a file was refused whole, why, and what its checks found, together; gives the id of the record."""
        ...
