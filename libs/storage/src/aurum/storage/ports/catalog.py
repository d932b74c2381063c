"""What there is: series, locations, sources, datasets, blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aurum.core.catalog.entries import DatasetEntry, LocationEntry, SourceEntry

if TYPE_CHECKING:
    from aurum.core.series.model import Series


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """Every field that is not None must match; ``text`` is searched for, in any case, in key and location name."""

    source: str | None = None
    dataset: str | None = None
    market: str | None = None
    measure: str | None = None
    location: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LocationFilter:
    """Every field that is not None must match; ``text`` is searched for, in any case, in location and name."""

    source: str | None = None
    market: str | None = None
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
        self, criteria: LocationFilter, *, after: tuple[str, str] | None, limit: int
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
