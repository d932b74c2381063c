"""A cache of shared products and of their reference data: entries are valid for as long as the change feed is up to date."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl

from aurum.storage.ports.changes import Change, ChangeFeed, ChangeKind, vouches
from aurum.storage.ports.curves import CurveReader, ProductFilter, QuoteSpan, ReferenceDocument, ReferenceKind, StoredProduct


class CachedCurveReader:
    """``CurveReader`` of shared products that caches products by key and reference documents, with which every read begins.

    Cached entries are at most one second older than the store: a change drops them, and while the feed is behind the cache is
    not used. ``most``: largest number of cached products; when it would be exceeded, all are dropped.
    """

    def __init__(self, shared: CurveReader, feed: ChangeFeed, *, most: int = 20_000) -> None:
        self._shared = shared
        self._feed = feed
        self._most = most
        self._products: dict[str, StoredProduct] = {}
        self._references: dict[ReferenceKind, Sequence[ReferenceDocument]] = {}
        self._events = 0
        feed.listen(self._changed)

    async def product(self, key: str, *, tenant: str | None) -> StoredProduct:
        if key in self._products and self._is_fresh():
            return self._products[key]
        events = self._events
        product = await self._shared.product(key, tenant=tenant)
        if events == self._events:
            if len(self._products) >= self._most:
                self._products.clear()
            self._products[key] = product
        return product

    async def references(self, kind: ReferenceKind, *, tenant: str | None) -> Sequence[ReferenceDocument]:
        if kind in self._references and self._is_fresh():
            return self._references[kind]
        events = self._events
        documents = await self._shared.references(kind, tenant=tenant)
        if events == self._events:
            self._references[kind] = documents
        return documents

    async def products(
        self, criteria: ProductFilter, *, tenant: str | None, after: str | None = None, limit: int | None = None
    ) -> Sequence[StoredProduct]:
        return await self._shared.products(criteria, tenant=tenant, after=after, limit=limit)

    async def facets(self, criteria: ProductFilter, *, tenant: str | None) -> Mapping[str, Mapping[str, int]]:
        return await self._shared.facets(criteria, tenant=tenant)

    async def quotes(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        return await self._shared.quotes(curve_ids, span, as_of=as_of, as_loaded=as_loaded)

    async def versions(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        return await self._shared.versions(curve_ids, span, as_of=as_of, as_loaded=as_loaded)

    async def trade_dates(
        self,
        curve_ids: Sequence[int],
        *,
        before: date | None = None,
        limit: int | None = None,
        as_of: datetime | None = None,
        as_loaded: datetime | None = None,
    ) -> pl.DataFrame:
        return await self._shared.trade_dates(curve_ids, before=before, limit=limit, as_of=as_of, as_loaded=as_loaded)

    def _is_fresh(self) -> bool:
        return vouches(self._feed, time.monotonic())

    def _changed(self, change: Change) -> None:
        if change.kind in (ChangeKind.CURVES, ChangeKind.EVERYTHING):
            self._events += 1
            self._products.clear()
            self._references.clear()
