"""A cache of the catalog: entries are valid for as long as the change feed is up to date."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from aurum.core.catalog.entries import DatasetEntry, DatasetExtent, IssueEntry, LocationEntry, SeriesIssue, SourceEntry
from aurum.core.curves.reading_terms import Spelling
from aurum.core.search.ranking import KnownNames, Match
from aurum.core.search.vocabulary import Vocabulary
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog, IssueChoice, LocationFilter, SeriesFilter
from aurum.storage.ports.changes import Change, ChangeFeed, ChangeKind, vouches
from aurum.storage.ports.removal import InvalidSeries
from aurum.storage.ports.search import Position, SeriesSearch


class CachedCatalog:
    """``Catalog`` that caches series, blocks and datasets of another one, because every read of observations begins with them.

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
        self._spellings: Sequence[Spelling] | None = None
        self._datasets: dict[str | None, Sequence[DatasetEntry]] = {}
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

    async def spellings(self) -> Sequence[Spelling]:
        if self._spellings is not None and self._is_fresh():
            return self._spellings
        events = self._events
        spellings = await self._catalog.spellings()
        if events == self._events:
            self._spellings = spellings
        return spellings

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
        if source in self._datasets and self._is_fresh():
            return self._datasets[source]
        events = self._events
        datasets = await self._catalog.datasets(source=source)
        if events == self._events and datasets:
            self._datasets[source] = datasets
        return datasets

    async def dataset_extents(self) -> Mapping[tuple[str, str], DatasetExtent]:
        return await self._catalog.dataset_extents()

    async def issues_page(
        self, series_id: int, *, as_of: datetime | None = None, before: tuple[datetime, int] | None, limit: int
    ) -> Sequence[IssueEntry]:
        return await self._catalog.issues_page(series_id, as_of=as_of, before=before, limit=limit)

    async def series_issues(
        self, series_ids: Sequence[int], issue: IssueChoice, *, as_of: datetime | None = None
    ) -> Mapping[int, SeriesIssue]:
        return await self._catalog.series_issues(series_ids, issue, as_of=as_of)

    async def nearest_issues(
        self, series_id: int, known_at: datetime, *, as_of: datetime | None = None, limit: int
    ) -> Sequence[datetime]:
        return await self._catalog.nearest_issues(series_id, known_at, as_of=as_of, limit=limit)

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
        self._spellings = None
        self._datasets.clear()


class CachedSearch:
    """``SeriesSearch`` that caches the vocabulary of another one: it changes with the catalog only."""

    def __init__(self, search: SeriesSearch, feed: ChangeFeed) -> None:
        self._search = search
        self._feed = feed
        self._vocabulary: Vocabulary | None = None
        self._events = 0
        feed.listen(self._changed)

    async def vocabulary(self) -> Vocabulary:
        if self._vocabulary is not None and vouches(self._feed, time.monotonic()):
            return self._vocabulary
        events = self._events
        vocabulary = await self._search.vocabulary()
        if events == self._events:
            self._vocabulary = vocabulary
        return vocabulary

    async def known_names(self, words: Sequence[str], beginnings: Sequence[str]) -> KnownNames:
        return await self._search.known_names(words, beginnings)

    async def resembling_names(self, words: Sequence[str]) -> Mapping[str, Sequence[str]] | None:
        return await self._search.resembling_names(words)

    async def page(self, matches: Sequence[Match], *, after: Position | None, limit: int) -> Sequence[Position]:
        return await self._search.page(matches, after=after, limit=limit)

    async def counts(self, matches: Sequence[Match]) -> Mapping[int, int]:
        return await self._search.counts(matches)

    def _changed(self, change: Change) -> None:
        if change.kind in (ChangeKind.CATALOG, ChangeKind.EVERYTHING):
            self._events += 1
            self._vocabulary = None
