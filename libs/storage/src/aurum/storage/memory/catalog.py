"""The catalog in dictionaries: series, locations, sources, datasets, blocks."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from aurum.core.catalog.entries import (
    DatasetEntry,
    DatasetExtent,
    IssueEntry,
    LocationEntry,
    PlaceName,
    SeriesIssue,
    SourceEntry,
)
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.reading_terms import Spelling
from aurum.core.search.near_keys import nearest_keys
from aurum.core.series.model import Series
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.catalog import IssueChoice, LocationFilter, SeriesFilter
from aurum.storage.ports.removal import InvalidSeries
from aurum.storage.series_fields import has_fields
from aurum.storage.series_patterns import ANY, SeriesPatterns

_DIMENSIONS = ("source", "dataset", "market", "measure", "unit", "frequency", "location_type", "kind", "market_run", "fuel")


class MemoryCatalog:
    """``Catalog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        patterns = SeriesPatterns([criteria.pattern or ANY])
        matching = (
            series
            for key, series in sorted(self._state.series.items())
            if (after is None or key > after) and patterns.matches(key) and _matches(series, criteria)
        )
        return list(islice(matching, limit))

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        return {key: self._state.series[key] for key in keys if key in self._state.series}

    async def invalid_series(self) -> Sequence[InvalidSeries]:
        return ()  # a state in memory begins empty, and only valid series enter it

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        return nearest_keys(key, self._state.series)

    async def locations_page(
        self, criteria: LocationFilter, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        series_filter, text = SeriesFilter(source=criteria.source, market=criteria.market), criteria.text
        matching = [
            series
            for series in self._state.series.values()
            if _matches(series, series_filter)
            and (text is None or _contains(text, series.key.location, series.spec.location_name))
            and (after is None or _place(series) > after)
        ]
        places = groupby(sorted(matching, key=_place), key=_place)
        return [_location(place, list(members)) for place, members in islice(places, limit)]

    async def sources(self) -> Sequence[SourceEntry]:
        return [entry for _, entry in sorted(self._state.sources.items())]

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        return [
            replace(entry, fetched_at=state.fetched_at) if (state := self._state.fetches.get(name)) is not None else entry
            for name, entry in sorted(self._state.datasets.items())
            if source is None or name[0] == source
        ]

    async def dataset_extents(self) -> Mapping[tuple[str, str], DatasetExtent]:
        members: defaultdict[tuple[str, str], list[Series]] = defaultdict(list)
        for series in self._state.series.values():
            members[series.key.source, series.key.dataset].append(series)
        return {
            name: DatasetExtent(
                len(of_dataset),
                min((series.first_ts for series in of_dataset if series.first_ts is not None), default=None),
                max((series.last_ts for series in of_dataset if series.last_ts is not None), default=None),
            )
            for name, of_dataset in members.items()
        }

    async def issues_page(
        self, series_id: int, *, as_of: datetime | None = None, before: tuple[datetime, int] | None, limit: int
    ) -> Sequence[IssueEntry]:
        issues = sorted(self._issues(series_id, as_of), key=lambda issue: (issue.known_at, issue.file_id), reverse=True)
        return [issue for issue in issues if before is None or (issue.known_at, issue.file_id) < before][:limit]

    async def series_issues(
        self, series_ids: Sequence[int], issue: IssueChoice, *, as_of: datetime | None = None
    ) -> Mapping[int, SeriesIssue]:
        chosen: dict[int, SeriesIssue] = {}
        for series_id in set(series_ids):
            issues = self._issues(series_id, as_of)
            times = sorted({entry.known_at for entry in issues})
            known_at = issue if isinstance(issue, datetime) else times[-1 if issue == "latest" else 0] if times else None
            files = [entry for entry in issues if entry.known_at == known_at]
            if files:
                chosen[series_id] = SeriesIssue(
                    files[0].known_at,
                    tuple(sorted(entry.file_id for entry in files)),
                    min(entry.first_ts for entry in files),
                    max(entry.last_ts for entry in files),
                )
        return chosen

    async def nearest_issues(
        self, series_id: int, known_at: datetime, *, as_of: datetime | None = None, limit: int
    ) -> Sequence[datetime]:
        times = {entry.known_at for entry in self._issues(series_id, as_of)}
        return sorted(times, key=lambda time: (abs(time - known_at), time))[:limit]

    def _issues(self, series_id: int, as_of: datetime | None) -> list[IssueEntry]:
        """Return the issues of a series, in any order."""
        names = {file.file_id: file.name for file in self._state.files}
        return [
            IssueEntry(
                issue.known_at,
                issue.basis,
                one.file_id,
                names[one.file_id],
                issue.first_ts,
                issue.last_ts,
                issue.series,
            )
            for one, issue in ((one, one.issue) for one in self._state.issues)
            if (as_of is None or one.issue.known_at <= as_of)
            and series_id in set(self._state.file_series[one.file_id]["series_id"])
        ]

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        dimensions = [_dimensions(series) for series in self._state.series.values()]
        return {name: _counts(values[name] for values in dimensions) for name in _DIMENSIONS}

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        return [document for _, document in sorted(self._state.blocks.items())]

    async def spellings(self) -> Sequence[Spelling]:
        kinds = MappingKind.PERIOD, MappingKind.UNIT, MappingKind.QUOTED_UNIT
        mapped = [one for one in self._state.mappings.values() if one.kind in kinds]
        ordered = sorted(mapped, key=lambda one: (one.kind, one.scope, one.folded))
        return [Spelling(one.kind, one.scope, one.folded, one.target) for one in ordered]


class MemoryCatalogWriter:
    """``CatalogWriter`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def declare(
        self,
        *,
        sources: Sequence[SourceEntry],
        datasets: Sequence[DatasetEntry],
        blocks: Sequence[Mapping[str, object]],
        places: Sequence[PlaceName] = (),
    ) -> None:
        # Copies through JSON, as a database would return them: tuples become lists, and changes of the argument have no effect.
        documents = [json.loads(json.dumps(dict(block))) for block in blocks]
        async with self._state.lock:
            self._declare(sources, datasets, documents)
            self._name_places({(place.source, place.location): place for place in places})

    def _name_places(self, places: Mapping[tuple[str, str], PlaceName]) -> None:
        for key, series in self._state.series.items():
            place, spec = places.get((series.key.source, series.key.location)), series.spec
            if place is None or spec.location_name:
                continue
            named = replace(spec, location_name=place.name, location_type=spec.location_type or place.kind)
            self._state.series[key] = replace(series, spec=named, version=series.version + (series.version > 0))

    async def refresh_search(self) -> int:
        return 0  # the words of a state in memory are made at each read

    def _declare(
        self, sources: Sequence[SourceEntry], datasets: Sequence[DatasetEntry], documents: Sequence[Mapping[str, Any]]
    ) -> None:
        state = self._state
        state.sources.update({entry.name: entry for entry in sources})
        for entry in datasets:
            measures = tuple(dict(measure) for measure in entry.measures)
            state.datasets[entry.source, entry.name] = replace(entry, measures=measures)
        for document in documents:
            name = (document["calendar"], document["name"])
            if name in state.changed_blocks or state.blocks.get(name) == document:
                continue
            if name in state.blocks:
                state.block_versions[name] = state.block_versions.get(name, 1) + 1
            state.blocks[name] = document


def _dimensions(series: Series) -> dict[str, str | None]:
    spec = series.spec
    return {
        "source": spec.key.source,
        "dataset": spec.key.dataset,
        "location": spec.key.location,
        "measure": spec.key.measure,
        "market": spec.market,
        "unit": spec.unit,
        "frequency": str(spec.frequency),
        "location_type": spec.location_type,
        "kind": spec.kind,
        "market_run": spec.market_run,
        "fuel": spec.fuel,
    }


def _matches(series: Series, criteria: SeriesFilter) -> bool:
    if not has_fields(series, criteria):
        return False
    if criteria.label_name is not None and series.spec.labels.get(criteria.label_name) != criteria.label_value:
        return False
    return criteria.text is None or _contains(criteria.text, str(series.key), series.spec.location_name)


def _contains(text: str, *within: str) -> bool:
    return any(text.lower() in candidate.lower() for candidate in within)


def _counts(values: Iterable[str | None]) -> Mapping[str, int]:
    return dict(sorted(Counter(value for value in values if value).items()))


def _place(series: Series) -> tuple[str, str]:
    return series.key.source, series.key.location


def _location(place: tuple[str, str], members: list[Series]) -> LocationEntry:
    """Return the entry of a location; where its series differ in a description, the greatest text."""
    specs = [series.spec for series in members]
    return LocationEntry(
        source=place[0],
        location=place[1],
        name=max(spec.location_name for spec in specs),
        kind=max(spec.location_type for spec in specs),
        market=max((spec.market for spec in specs if spec.market is not None), default=None),
        zone=max(spec.zone for spec in specs),
        series=len(members),
    )
