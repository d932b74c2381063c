"""A catalog that remembers: what a change feed vouches for is not asked of the store again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from aurum.core.catalog.entries import DatasetEntry, LocationEntry, SourceEntry
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog, LocationFilter, SeriesFilter
from aurum.storage.ports.changes import Change, ChangeFeed, ChangeKind, vouches


class RememberedCatalog:
    """``Catalog`` over another one. Series and blocks, which every read of observations begins with, come from memory.

    They are at most a second older than the store: a change forgets them, and when the feed falls behind nothing is
    remembered. ``most``: series remembered at most; when there are more, all are forgotten.
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
        if not self._vouched():
            return await self._catalog.series_by_key(keys)
        found = {key: self._series[key] for key in keys if key in self._series}
        if len(found) == len(keys):
            return found
        events = self._events
        asked = await self._catalog.series_by_key([key for key in keys if key not in found])
        if events == self._events:
            self._remember(asked)
        return found | dict(asked)

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        if self._blocks is not None and self._vouched():
            return self._blocks
        events = self._events
        blocks = await self._catalog.blocks()
        if events == self._events:
            self._blocks = blocks
        return blocks

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        return await self._catalog.series_page(criteria, after=after, limit=limit)

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

    def _vouched(self) -> bool:
        return vouches(self._feed, time.monotonic())

    def _remember(self, found: Mapping[str, Series]) -> None:
        if len(self._series) + len(found) > self._most:
            self._forget_all()
        for key, series in found.items():
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
                # A series that is new was in nobody's memory; one that was deleted may be.
                self._forget_all()
            case ChangeKind.EVERYTHING:
                self._forget_all()
            case _:
                return

    def _forget_all(self) -> None:
        self._series.clear()
        self._keys.clear()
        self._blocks = None
