"""What there is: series, locations, sources, datasets, blocks; and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from aurum.core.catalog.entries import (
    Completeness,
    DatasetEntry,
    DatasetQuality,
    FileEntry,
    LocationEntry,
    QuarantinedRow,
    SourceEntry,
)
from aurum.core.series.model import Series


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """Every given field must match; ``text`` is looked for, without regard to case, in key and location name."""

    source: str | None = None
    dataset: str | None = None
    market: str | None = None
    measure: str | None = None
    location: str | None = None
    text: str | None = None


class Catalog(Protocol):
    """Reads of the catalog. Lists ascend by the sort key named; ``after`` is the last sort key already seen."""

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        """Series by key."""
        ...

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        """The series of those keys that exist; the others are absent from the answer."""
        ...

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        """Up to five existing keys most like a key that does not exist, closest first."""
        ...

    async def locations_page(
        self, *, source: str | None, market: str | None, text: str | None, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        """Locations by (source, location)."""
        ...

    async def sources(self) -> Sequence[SourceEntry]:
        """Sources by name."""
        ...

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        """Datasets by (source, name)."""
        ...

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        """For source, dataset, market, measure, unit, frequency and location_type: each value and its number of series."""
        ...

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        """Block documents (``core.calendars.Block.from_document``) by (calendar, name)."""
        ...


class CatalogWriter(Protocol):
    """Declares what sources publish; repeated declarations replace."""

    async def declare(
        self,
        *,
        sources: Sequence[SourceEntry],
        datasets: Sequence[DatasetEntry],
        blocks: Sequence[Mapping[str, object]],
    ) -> None:
        """Sources and datasets replace what stands under their names; blocks a user changed are left as they are."""
        ...


class QualityLog(Protocol):
    """What was loaded, held back and found missing."""

    async def datasets_quality(self, *, now: datetime, source: str | None = None) -> Sequence[DatasetQuality]:
        """The state of each dataset that has series or refused files, by (source, dataset)."""
        ...

    async def completeness_page(
        self,
        *,
        key: str | None,
        source: str | None,
        dataset: str | None,
        start: date | None,
        end: date | None,
        only_incomplete: bool,
        after: tuple[str, date] | None,
        limit: int,
    ) -> Sequence[Completeness]:
        """Days by (key, day)."""
        ...

    async def files_page(
        self,
        *,
        status: str | None,
        source: str | None = None,
        dataset: str | None = None,
        since: datetime | None = None,
        before: int | None,
        limit: int,
    ) -> Sequence[FileEntry]:
        """Files, the newest record first; ``since``: recorded then or later; ``before`` is the last id already seen."""
        ...

    async def files_of(self, digest: str) -> Sequence[FileEntry]:
        """Every record of a content, oldest first."""
        ...

    async def quarantine_page(
        self,
        *,
        source: str | None = None,
        dataset: str | None = None,
        reason: str | None = None,
        digest: str | None = None,
        pending_only: bool = True,
        after: int | None = None,
        limit: int,
    ) -> Sequence[QuarantinedRow]:
        """Quarantined rows by id."""
        ...

    async def quarantined_row(self, row_id: int) -> QuarantinedRow:
        """One row. Raises ``NotFound``."""
        ...
