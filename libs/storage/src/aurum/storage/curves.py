"""Shared products beside those of tenants: one reader of both, over a reader of each.

It knows a tenant's product by the id under which it returned it. Ids of shared products and of those of tenants come from one
sequence and are never used again, so what it knows stays true. A shared product hides a tenant's own one of its key, and a
shared document one of its name, so that answers about shared products are the same for all tenants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from heapq import merge

import polars as pl

from aurum.core.curves.quotes import QUOTE_VERSIONS, QUOTES, TRADE_DATES
from aurum.core.errors import UnknownName
from aurum.storage.ports.curves import CurveReader, ProductFilter, QuoteSpan, ReferenceDocument, ReferenceKind, StoredProduct


class TenantedCurveReader:
    """``CurveReader`` of shared products and of those of tenants.

    ``own``: returns the reader of a tenant's products, whose lists and counts leave out those with the key of a shared one.
    """

    def __init__(self, shared: CurveReader, own: Callable[[str], CurveReader]) -> None:
        self._shared = shared
        self._own = own
        self._tenants: dict[int, str] = {}
        """Owners of the products that were returned."""
        self._own_keys: set[tuple[str, str]] = set()
        """Tenants and keys of these products."""

    async def products(
        self, criteria: ProductFilter, *, tenant: str | None, after: str | None = None, limit: int | None = None
    ) -> Sequence[StoredProduct]:
        shared = await self._shared.products(criteria, tenant=None, after=after, limit=limit)
        if tenant is None:
            return shared
        own = self._noted(await self._own(tenant).products(criteria, tenant=tenant, after=after, limit=limit))
        return list(merge(own, shared, key=_key))[:limit]

    async def facets(self, criteria: ProductFilter, *, tenant: str | None) -> Mapping[str, Mapping[str, int]]:
        shared = await self._shared.facets(criteria, tenant=None)
        if tenant is None:
            return shared
        own = await self._own(tenant).facets(criteria, tenant=tenant)
        return {
            name: {value: counts.get(value, 0) + own[name].get(value, 0) for value in sorted({*counts, *own[name]})}
            for name, counts in shared.items()
        }

    async def product(self, key: str, *, tenant: str | None) -> StoredProduct:
        # The shared reader looks for the nearest keys to one that it does not have, which takes longer than this.
        if tenant is not None and (tenant, key) in self._own_keys and not await self._is_shared(key):
            with suppress(UnknownName):
                return self._noted([await self._own(tenant).product(key, tenant=tenant)])[0]
        try:
            return await self._shared.product(key, tenant=None)
        except UnknownName:
            if tenant is not None:
                with suppress(UnknownName):
                    return self._noted([await self._own(tenant).product(key, tenant=tenant)])[0]
            raise

    async def references(self, kind: ReferenceKind, *, tenant: str | None) -> Sequence[ReferenceDocument]:
        shared = await self._shared.references(kind, tenant=None)
        if tenant is None:
            return shared
        own = await self._own(tenant).references(kind, tenant=tenant)
        by_name = {document.name: document for document in (*own, *shared)}
        return [by_name[name] for name in sorted(by_name)]

    async def quotes(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        readers = self._readers(curve_ids)
        frames = [await reader.quotes(ids, span, as_of=as_of, as_loaded=as_loaded) for reader, ids in readers]
        return _together(frames, QUOTES, "curve_id", "trade_date", "delivery_start", "delivery_end")

    async def versions(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        readers = self._readers(curve_ids)
        frames = [await reader.versions(ids, span, as_of=as_of, as_loaded=as_loaded) for reader, ids in readers]
        return _together(frames, QUOTE_VERSIONS, "curve_id", "trade_date", "delivery_start", "delivery_end", "known_at")

    async def trade_dates(
        self,
        curve_ids: Sequence[int],
        *,
        before: date | None = None,
        limit: int | None = None,
        as_of: datetime | None = None,
        as_loaded: datetime | None = None,
    ) -> pl.DataFrame:
        frames = [
            await reader.trade_dates(ids, before=before, limit=limit, as_of=as_of, as_loaded=as_loaded)
            for reader, ids in self._readers(curve_ids)
        ]
        if len(frames) == 1:
            return frames[0]
        return pl.concat([pl.DataFrame(schema=TRADE_DATES), *frames]).sort("curve_id", "trade_date", descending=[False, True])

    async def _is_shared(self, key: str) -> bool:
        return bool(await self._shared.products(ProductFilter(keys=(key,)), tenant=None, limit=1))

    def _noted(self, products: Sequence[StoredProduct]) -> Sequence[StoredProduct]:
        for product in products:
            if product.tenant is not None:
                self._tenants[product.curve_id] = product.tenant
                self._own_keys.add((product.tenant, _key(product)))
        return products

    def _readers(self, curve_ids: Sequence[int]) -> list[tuple[CurveReader, list[int]]]:
        """Return the reader of each owner with the ids of its products."""
        by_owner: dict[str | None, list[int]] = {}
        for curve_id in curve_ids:
            by_owner.setdefault(self._tenants.get(curve_id), []).append(curve_id)
        return [(self._shared if owner is None else self._own(owner), ids) for owner, ids in by_owner.items()]


def _key(product: StoredProduct) -> str:
    return str(product.product.key)


def _together(frames: Sequence[pl.DataFrame], schema: pl.Schema, *order: str) -> pl.DataFrame:
    return frames[0] if len(frames) == 1 else pl.concat([pl.DataFrame(schema=schema), *frames]).sort(order)
