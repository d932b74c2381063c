"""The catalog in dictionaries: series, locations, sources, datasets, blocks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from typing import Any

from aurum.core.catalog.entries import DatasetEntry, LocationEntry, SourceEntry
from aurum.core.names import nearest
from aurum.core.series.model import Series
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.catalog import LocationFilter, SeriesFilter
from aurum.storage.ports.removal import InvalidSeries

_DIMENSIONS = ("source", "dataset", "market", "measure", "unit", "frequency", "location_type")


class MemoryCatalog:
    """``Catalog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        matching = (
            series
            for key, series in sorted(self._state.series.items())
            if (after is None or key > after) and _matches(series, criteria)
        )
        return list(islice(matching, limit))

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        return {key: self._state.series[key] for key in keys if key in self._state.series}

    async def invalid_series(self) -> Sequence[InvalidSeries]:
        return ()  # a state in memory begins empty, and only valid series enter it

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        source, _, rest = key.partition(":")
        dataset = rest.partition(":")[0]
        keys = sorted(self._state.series)
        for prefix in (f"{source}:{dataset}:", f"{source}:", ""):
            candidates = [candidate for candidate in keys if candidate.startswith(prefix)]
            if candidates:
                return nearest(key, candidates)
        return ()

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
        return [entry for name, entry in sorted(self._state.datasets.items()) if source is None or name[0] == source]

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        dimensions = [_dimensions(series) for series in self._state.series.values()]
        return {name: _counts(values[name] for values in dimensions) for name in _DIMENSIONS}

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        return [document for _, document in sorted(self._state.blocks.items())]


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
    ) -> None:
        # Copies through JSON, as a database would return them: tuples become lists, and changes of the argument have no effect.
        documents = [json.loads(json.dumps(dict(block))) for block in blocks]
        async with self._state.lock:
            self._declare(sources, datasets, documents)

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
            if name not in state.changed_blocks:
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
    }


def _matches(series: Series, criteria: SeriesFilter) -> bool:
    values = _dimensions(series)
    for name in ("source", "dataset", "market", "measure", "location"):
        expected = getattr(criteria, name)
        if expected is not None and values[name] != expected:
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
