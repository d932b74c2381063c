"""A cache of the catalog: entries are valid for as long as the change feed is up to date."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from aurum.core.catalog.entries import DatasetEntry, LocationEntry, SourceEntry
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog, LocationFilter, SeriesFilter
from aurum.storage.ports.changes import Change, ChangeFeed, ChangeKind, vouches
from aurum.storage.ports.removal import InvalidSeries


class CachedCatalog:
    """``Catalog`` that caches the series and blocks of another one, because every read of observations begins with them.

    Cached entries are at most one second older than the store: a change drops them, and while the feed is behind the cache is
    not used. ``most``: largest number of cached series; when it would be exceeded, all are dropped.
    """

    def __init__(self, catalog: Catalog, feed: ChangeFeed, *, most: int = 200_000) -> None:
        self._catalog = catalog
        self._feed = feed
        self._most = most
        self._series: dict[str, Series] = {}
        self._keys: dict[int, str] = {}
        self._blocks: Sequence[Mapping[str, object]] | None = None
        self._events = 0
        feed.listen(self._changed)

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        if not self._is_fresh():
            return await self._catalog.series_by_key(keys)
        cached = {key: self._series[key] for key in keys if key in self._series}
        if len(cached) == len(keys):
            return cached
        events = self._events
        fetched = await self._catalog.series_by_key([key for key in keys if key not in cached])
        if events == self._events:
            self._cache(fetched)
        return cached | dict(fetched)

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        if self._blocks is not None and self._is_fresh():
            return self._blocks
        events = self._events
        blocks = await self._catalog.blocks()
        if events == self._events:
            self._blocks = blocks
        return blocks

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        return await self._catalog.series_page(criteria, after=after, limit=limit)

    async def invalid_series(self) -> Sequence[InvalidSeries]:
        return await self._catalog.invalid_series()

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        return await self._catalog.nearest_keys(key)

    async def locations_page(
        self, criteria: LocationFilter, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        return await self._catalog.locations_page(criteria, after=after, limit=limit)

    async def sources(self) -> Sequence[SourceEntry]:
        return await self._catalog.sources()

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        return await self._catalog.datasets(source=source)

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        return await self._catalog.dimensions()

    def _is_fresh(self) -> bool:
        return vouches(self._feed, time.monotonic())

    def _cache(self, fetched: Mapping[str, Series]) -> None:
        if len(self._series) + len(fetched) > self._most:
            self._clear()
        for key, series in fetched.items():
            self._series[key] = series
            self._keys[series.series_id] = key

    def _changed(self, change: Change) -> None:
        self._events += 1
        match change.kind:
            case ChangeKind.SERIES:
                for name in change.names:
                    key = self._keys.pop(int(name), None)
                    if key is not None:
                        del self._series[key]
            case ChangeKind.CATALOG:
                # A new series cannot be cached yet; a deleted one may be.
                self._clear()
            case ChangeKind.EVERYTHING:
                self._clear()
            case _:
                return

    def _clear(self) -> None:
        self._series.clear()
        self._keys.clear()
        self._blocks = None
