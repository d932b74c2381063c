"""The catalog of the store: series, locations, sources, datasets and blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aurum.core.catalog.entries import DatasetEntry, LocationEntry, SourceEntry
from aurum.storage.ports.removal import InvalidSeries

if TYPE_CHECKING:
    from aurum.core.series.model import Series


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """Every field that is not None must match; ``text`` is searched for, in upper or lower case, in key and location name.

    ``label_name`` and ``label_value``: a label of the series and its value; both are set, or neither.
    """

    source: str | None = None
    dataset: str | None = None
    market: str | None = None
    measure: str | None = None
    location: str | None = None
    text: str | None = None
    label_name: str | None = None
    label_value: str | None = None


@dataclass(frozen=True, slots=True)
class LocationFilter:
    """Every field that is not None must match; ``text`` is searched for, in upper or lower case, in location and name."""

    source: str | None = None
    market: str | None = None
    text: str | None = None


class Catalog(Protocol):
    """Reads of the catalog. Lists ascend by the sort key that a method names; ``after`` is the last sort key already seen."""

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        """Return matching series, ascending by key."""
        ...

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        """Return the series that have those keys, by key; keys without a series are absent."""
        ...

    async def invalid_series(self) -> Sequence[InvalidSeries]:
        """Return the stored series that break a rule of this release, ascending by key. Every other method leaves them out.

        An older release may have stored them. It reads the whole list of series, so it is for operators.
        """
        ...

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        """Return up to five existing keys that resemble an unknown key, closest first."""
        ...

    async def locations_page(
        self, criteria: LocationFilter, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        """Return matching locations, ascending by (source, location)."""
        ...

    async def sources(self) -> Sequence[SourceEntry]:
        """Return all sources, ascending by name."""
        ...

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        """Return the datasets of one source or of all, ascending by (source, name)."""
        ...

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        """Return the number of series of each value of source, dataset, market, measure, unit, frequency, location_type."""
        ...

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        """Return block documents (``core.calendars.Block.from_document``), ascending by (calendar, name)."""
        ...


class CatalogWriter(Protocol):
    """Writes of the catalog: sources, datasets and blocks. A repeated declaration replaces the earlier one."""

    async def declare(
        self,
        *,
        sources: Sequence[SourceEntry],
        datasets: Sequence[DatasetEntry],
        blocks: Sequence[Mapping[str, object]],
    ) -> None:
        """Store sources and datasets under their names, and blocks except those that a user changed."""
        ...
