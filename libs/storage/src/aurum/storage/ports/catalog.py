"""The catalog of the store: series, locations, sources, datasets and blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from aurum.core.catalog.dimensions import Component, Fuel, Kind, MarketRun
from aurum.core.catalog.entries import (
    DatasetEntry,
    DatasetExtent,
    IssueEntry,
    LocationEntry,
    PlaceName,
    SeriesIssue,
    SourceEntry,
)
from aurum.core.curves.reading_terms import Spelling
from aurum.storage.ports.removal import InvalidSeries

if TYPE_CHECKING:
    from aurum.core.series.model import Series

IssueChoice: TypeAlias = datetime | Literal["latest", "first"]
"""An issue by its known time, or the one with the last or the first known time of a series."""


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """Every field that is not None must match; ``text`` is searched for, in upper or lower case, in key and location name.

    ``label_name`` and ``label_value``: a label of the series and its value; both are set, or neither. ``pattern``: of the key,
    in which ``*`` stands for any text, also for none. ``location_type``: in upper or lower
    case, with blanks, hyphens or underscores. ``component``: of a price; series of other kinds do not match.
    """

    source: str | None = None
    dataset: str | None = None
    market: str | None = None
    measure: str | None = None
    location: str | None = None
    text: str | None = None
    label_name: str | None = None
    label_value: str | None = None
    pattern: str | None = None
    kind: Kind | None = None
    market_run: MarketRun | None = None
    fuel: Fuel | None = None
    location_type: str | None = None
    component: Component | None = None


FILTERED = ("source", "dataset", "market", "measure", "location", "kind", "market_run", "fuel")
"""The fields of ``SeriesFilter`` that a field of a series must equal."""


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
        """Return up to five existing keys that resemble an unknown key: of its source first, then by shared words."""
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

    async def dataset_extents(self) -> Mapping[tuple[str, str], DatasetExtent]:
        """Return the number of series and the span of each dataset that has any, by (source, name)."""
        ...

    async def issues_page(
        self, series_id: int, *, as_of: datetime | None = None, before: tuple[datetime, int] | None, limit: int
    ) -> Sequence[IssueEntry]:
        """Return the issues of a series that were known at ``as_of`` (None: now), the newest first.

        They descend by (known time, file id); ``before`` is the last pair already seen. Unknown ids have no issues.
        """
        ...

    async def series_issues(
        self, series_ids: Sequence[int], issue: IssueChoice, *, as_of: datetime | None = None
    ) -> Mapping[int, SeriesIssue]:
        """Return the chosen issue of each series among those known at ``as_of`` (None: now); series without it are absent."""
        ...

    async def nearest_issues(
        self, series_id: int, known_at: datetime, *, as_of: datetime | None = None, limit: int
    ) -> Sequence[datetime]:
        """Return the known times of the issues of a series that are closest to an instant, closest first."""
        ...

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        """Return the number of series of each value of a dimension.

        Dimensions: source, dataset, market, measure, unit, frequency, location_type, kind, market_run, fuel.
        """
        ...

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        """Return block documents (``core.calendars.Block.from_document``), ascending by (calendar, name)."""
        ...

    async def spellings(self) -> Sequence[Spelling]:
        """Return the mappings of words of periods, of units, and of units of brokers, ascending by kind and spelling."""
        ...


class CatalogWriter(Protocol):
    """Writes of the catalog: sources, datasets and blocks. A repeated declaration replaces the earlier one."""

    async def declare(
        self,
        *,
        sources: Sequence[SourceEntry],
        datasets: Sequence[DatasetEntry],
        blocks: Sequence[Mapping[str, object]],
        places: Sequence[PlaceName] = (),
    ) -> None:
        """Store sources and datasets under their names, and blocks except those that a user changed.

        Stored series at ``places`` get their name, and their type, where they have none. The words of series in the search
        become those of the declarations.
        """
        ...

    async def refresh_search(self) -> int:
        """Write the words of the search anew where they are outdated or missing; return the number of series written.

        For series that an older release has stored or renamed.
        """
        ...
