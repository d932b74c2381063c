"""Products and quotes in dictionaries: every answer comes from a model of the bitemporal law, quote by quote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import TypeAlias

import polars as pl

from aurum.core.clock import Clock
from aurum.core.curves.keys import unknown_curve
from aurum.core.curves.products import Product
from aurum.core.curves.quote_law import first_quotes
from aurum.core.curves.quotes import FILE_CURVES, QUOTE_VERSIONS, QUOTES, TOUCHED_CURVES, TRADE_DATES
from aurum.core.errors import Conflict, UnknownName
from aurum.core.frames import conform
from aurum.core.search.near_keys import nearest_keys
from aurum.storage.memory.derived_curves import waiting
from aurum.storage.memory.state import MemoryState, QuotePublication, Quotes, StoredRecording, versions
from aurum.storage.ports.curves import (
    CurveQuotes,
    PinnedReference,
    ProductFilter,
    QuoteSpan,
    ReferenceDocument,
    ReferenceKind,
    ReferenceUse,
    StoredProduct,
    StoredQuotes,
)
from aurum.storage.ports.derived_curves import SOURCE as DERIVED
from aurum.storage.ports.observations import Moment
from aurum.storage.ports.recordings import check_recorded
from aurum.storage.quote_rows import changed_dates, check_read_with, file_quotes, quote_correction_undated, touched_curves
from aurum.storage.series_patterns import SeriesPatterns
from aurum.storage.unknown_products import unknown_product

Identity: TypeAlias = tuple[date, date, date]
"""Delivery start, delivery end, trade date."""
Recordings: TypeAlias = Callable[[str | None], Sequence[StoredRecording]]
"""Returns the recordings of shared rows, or of those of a tenant."""

_FACETS = ("commodity", "area", "block", "venue")


@dataclass(frozen=True, slots=True)
class MemoryCurveReader:
    """``CurveReader`` in memory."""

    state: MemoryState
    clock: Clock
    recordings: Recordings

    async def products(
        self, criteria: ProductFilter, *, tenant: str | None, after: str | None = None, limit: int | None = None
    ) -> Sequence[StoredProduct]:
        return [
            product
            for key, product in self._visible(tenant).items()
            if _matches(criteria, product) and (after is None or key > after)
        ][:limit]

    async def facets(self, criteria: ProductFilter, *, tenant: str | None) -> Mapping[str, Mapping[str, int]]:
        matching = [one.product.key for one in self._visible(tenant).values() if _matches(criteria, one)]
        return {name: dict(sorted(Counter(getattr(key, name) for key in matching).items())) for name in _FACETS}

    async def product(self, key: str, *, tenant: str | None) -> StoredProduct:
        visible = self._visible(tenant)
        if key not in visible:
            raise unknown_curve(key, nearest_keys(key, visible))
        return visible[key]

    async def quotes(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        rows = [(*identity, *changes[-1].row) for identity, changes in self._changes(curve_ids, span, as_of, as_loaded)]
        frame = _ordered(rows, QUOTES)
        return frame if span.most is None else frame.head(span.most + 1)

    async def versions(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        rows: list[tuple[object, ...]] = []
        for identity, changes in self._changes(curve_ids, span, as_of, as_loaded):
            ends = [*(change.known_at for change in changes[1:]), None]
            rows += [(*identity, *change.row, end) for change, end in zip(changes, ends, strict=True)]
        return _ordered(rows, QUOTE_VERSIONS)

    async def trade_dates(
        self,
        curve_ids: Sequence[int],
        *,
        before: date | None = None,
        limit: int | None = None,
        as_of: datetime | None = None,
        as_loaded: datetime | None = None,
    ) -> pl.DataFrame:
        counts = Counter(
            (curve_id, trade_date)
            for (curve_id, _, _, trade_date), _ in self._changes(curve_ids, QuoteSpan(), as_of, as_loaded)
            if before is None or trade_date < before
        )
        rows = sorted(
            ((curve_id, day, count) for (curve_id, day), count in counts.items()), key=lambda row: row[1], reverse=True
        )
        first = [
            row
            for _, of_curve in groupby(sorted(rows, key=lambda row: row[0]), lambda row: row[0])
            for row in [*of_curve][:limit]
        ]
        return pl.DataFrame(first, schema=TRADE_DATES, orient="row")

    async def references(self, kind: ReferenceKind, *, tenant: str | None) -> Sequence[ReferenceDocument]:
        owners = {None, tenant}
        documents = [one for one in self.state.curve_references.values() if one.kind == kind and one.tenant in owners]
        by_name = {one.name: one for one in sorted(documents, key=lambda one: one.tenant is None)}
        return [by_name[name] for name in sorted(by_name)]

    def _visible(self, tenant: str | None) -> dict[str, StoredProduct]:
        """Return shared products and those of a tenant, ascending by key; a shared one hides an own one of its key."""
        return _visible(self.state, tenant)

    def _changes(
        self, curve_ids: Sequence[int], span: QuoteSpan, as_of: datetime | None, as_loaded: datetime | None
    ) -> Iterator[tuple[tuple[int, *Identity], list[QuotePublication]]]:
        """Yield each quote in a span with its versions, the oldest first; quotes without any are left out."""
        owners = {product.curve_id: owner for (owner, _), product in self.state.products.items()}
        for curve_id in sorted(set(curve_ids) & owners.keys()):
            recorded = self._recorded(owners[curve_id], as_loaded)
            for identity, publications in self.state.quotes.get(curve_id, {}).items():
                known = [
                    one
                    for one, recording_id in publications.items()
                    if (as_of is None or one.known_at <= as_of) and (recorded is None or recording_id in recorded)
                ]
                if known and _is_within(span, identity):
                    yield (curve_id, *identity), versions(known)

    def _recorded(self, owner: str | None, as_loaded: datetime | None) -> set[int] | None:
        if as_loaded is None:
            return None
        recordings = self.recordings(owner)
        first, last = recordings[0].recorded_at, recordings[-1].recorded_at
        check_recorded(as_loaded, first=first, last=last, now=self.clock.now())
        return {one.recording_id for one in recordings if one.recorded_at <= as_loaded}


class MemoryCurveWriter:
    """``CurveWriter`` in memory."""

    def __init__(self, state: MemoryState, tenant: str | None = None) -> None:
        self._state = state
        self._tenant = tenant

    async def lock(
        self, curves: pl.DataFrame, *, tenant: str | None, read_with: Mapping[str, int] | None = None
    ) -> Sequence[int]:
        if tenant != self._tenant:
            raise ValueError(f"quotes of tenant {tenant!r} in a transaction of {self._tenant!r}")
        ids: list[int] = []
        for key in conform(curves, FILE_CURVES)["key"]:
            product = self._state.products.get((tenant, key))
            if product is None:
                stored = [one for owner, one in self._state.products if owner == tenant]
                others = (one for owner, one in self._state.products if (owner is None) is not (tenant is None))
                raise unknown_product(key, stored, tenant=tenant, is_of_others=key in others)
            if product.first_trade_date is None:
                check_read_with(key, product.version, read_with or {})
            ids.append(product.curve_id)
        return ids

    async def store(self, part: CurveQuotes, curve_ids: Sequence[int], *, moment: Moment, recording_id: int) -> StoredQuotes:
        offered = file_quotes(part, curve_ids, moment.time)
        batch = self._dated(offered, part, curve_ids, moment)
        if part.source == DERIVED:
            for curve_id in curve_ids:
                self._state.builds[curve_id] = self._state.builds.get(curve_id, frozenset()) | {recording_id}
        new: list[tuple[object, ...]] = []
        revised: list[tuple[object, ...]] = []
        for curve_id, identity, publications in _by_quote(batch.select(list(QUOTES))):
            stored = self._state.quotes.get(curve_id, {})
            before = stored.get(identity, {})
            after = {**dict.fromkeys(publications, recording_id), **before}
            if after.keys() == before.keys():
                continue
            self._state.quotes[curve_id] = Quotes({**stored, identity: after})
            if not before:
                new.append((curve_id, *identity))
            elif versions(before) != versions(after):
                revised.append((curve_id, *identity))
        added, changed = _identities(new), _identities(revised)
        for (curve_id,), quotes in pl.concat([added, changed]).group_by("curve_id"):
            self._raise_version(int(str(curve_id)), quotes["trade_date"].to_list())
        touched = touched_curves(offered, batch, added, changed)
        return StoredQuotes(part.rows.height, len(new), len(revised), touched, changed_dates(added, changed))

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        earlier = self._state.file_curves.get((self._tenant, file_id), pl.DataFrame(schema=TOUCHED_CURVES))
        self._state.file_curves[self._tenant, file_id] = pl.concat([earlier, conform(touched, TOUCHED_CURVES)])

    def _dated(self, offered: pl.DataFrame, part: CurveQuotes, curve_ids: Sequence[int], moment: Moment) -> pl.DataFrame:
        if not offered["by_rule"].any():
            return offered
        rows: list[tuple[object, ...]] = []
        republished: list[tuple[object, ...]] = []
        for curve_id, identity, _ in _by_quote(offered.select(list(QUOTES))):
            stored = versions(self._state.quotes.get(curve_id, {}).get(identity, {}))
            rows += [(curve_id, *identity, *change.row) for change in stored[-1:]]
            republished += [(curve_id, *identity, *change.row) for change in stored]
        current = pl.DataFrame(rows, schema=QUOTES, orient="row")
        corrected_at = moment.time if part.rule is not None and part.rule.may_correct else None
        repeated = pl.DataFrame(republished, schema=QUOTES, orient="row").drop("known_at") if moment.repeated else None
        dated = first_quotes(offered, current, corrected_at=corrected_at, republished=repeated)
        if not dated.conflicts.is_empty():
            raise quote_correction_undated(dated.conflicts, part.curves["key"].to_list(), curve_ids)
        return dated.batch

    def _raise_version(self, curve_id: int, days: Sequence[date]) -> None:
        key, product = next((key, one) for key, one in self._state.products.items() if one.curve_id == curve_id)
        self._state.products[key] = replace(
            product,
            version=product.version + 1,
            first_trade_date=min(days if product.first_trade_date is None else [*days, product.first_trade_date]),
            last_trade_date=max(days if product.last_trade_date is None else [*days, product.last_trade_date]),
        )


@dataclass(frozen=True, slots=True)
class MemoryCurveReferenceWriter:
    """``CurveReferenceWriter`` in memory."""

    state: MemoryState
    clock: Clock

    async def declare(self, products: Sequence[Product]) -> Sequence[str]:
        changed: list[str] = []
        for product in products:
            stored = self.state.products.get((None, str(product.key)))
            if stored is None:
                self._put(StoredProduct(self._next_id(), product, None, 1, None, None))
            elif not stored.is_edited and stored.product != product:
                self._put(replace(stored, product=product, version=stored.version + 1))
            else:
                continue
            changed.append(str(product.key))
        return sorted(changed)

    async def put_product(self, product: Product, *, tenant: str | None, version: int | None = None) -> StoredProduct:
        key = str(product.key)
        if tenant is not None and tenant not in self.state.tenants:
            raise UnknownName("tenant", tenant)
        if tenant is not None and (None, key) in self.state.products:
            raise Conflict(f"{key} is a shared product: choose another venue for your own", key=key)
        stored = self.state.products.get((tenant, key))
        if version is None:
            if stored is not None:
                raise Conflict(f"product {key} exists already: read it and send its version to replace it", key=key)
            return self._put(StoredProduct(self._next_id(), product, tenant, 1, None, None, is_edited=True))
        if stored is None:
            raise self._unknown(key, tenant)
        _check_version(f"product {key}", version, stored.version)
        return self._put(replace(stored, product=product, version=version + 1, is_edited=True))

    async def delete_product(self, key: str, *, tenant: str | None) -> None:
        stored = self.state.products.get((tenant, key))
        if stored is None:
            raise self._unknown(key, tenant)
        if stored.first_trade_date is not None:
            raise Conflict(f"product {key} has quotes: only a product without quotes can be deleted", key=key)
        for one in self.state.derived_curves.values():
            if stored.curve_id in (one.curve_id, *(read.curve_id for read in one.inputs)):
                raise Conflict(f"product {key} is derived or an input of {one.key}: delete that derived curve first", key=key)
        del self.state.products[tenant, key]

    async def put_reference(
        self,
        kind: ReferenceKind,
        name: str,
        document: Mapping[str, object],
        *,
        tenant: str | None,
        version: int | None,
        by: str,
    ) -> ReferenceDocument:
        stored = self.state.curve_references.get((tenant, kind, name))
        if version is None and stored is not None:
            raise Conflict(f"{kind} {name!r} is stored already: read it and send its version to replace it", name=name)
        if version is not None:
            if stored is None:
                raise self._unknown_reference(kind, name, tenant)
            _check_version(f"{kind} {name!r}", version, stored.version)
        put = ReferenceDocument(kind, name, tenant, dict(document), (version or 0) + 1, self.clock.now(), by)
        self.state.curve_references[tenant, kind, name] = put
        return put

    async def delete_reference(self, kind: ReferenceKind, name: str, *, tenant: str | None, version: int) -> None:
        stored = self.state.curve_references.get((tenant, kind, name))
        if stored is None:
            raise self._unknown_reference(kind, name, tenant)
        _check_version(f"{kind} {name!r}", version, stored.version)
        del self.state.curve_references[tenant, kind, name]

    async def lock_users(self, use: ReferenceUse) -> Sequence[StoredProduct]:
        users = [one for one in self.state.products.values() if self._uses(one, use)]
        return sorted(users, key=lambda one: (one.tenant is not None, one.curve_id))

    async def renew(self, curve_ids: Sequence[int]) -> None:
        for place, one in list(self.state.products.items()):
            if one.curve_id in curve_ids:
                self.state.products[place] = replace(one, version=one.version + 1)

    async def pin_reference(self, *, tenant: str | None) -> PinnedReference:
        documents = [one for one in self.state.curve_references.values() if one.tenant in (None, tenant)]
        return PinnedReference(documents, list(self.state.blocks.values()))

    def _uses(self, stored: StoredProduct, use: ReferenceUse) -> bool:
        terms = stored.product.to_document()
        return (
            (use.key is None or SeriesPatterns((use.key,)).matches(str(stored.product.key)))
            and use.terms.items() <= terms.items()
            and use.tenant in (None, stored.tenant)
            and use.blocks in (None, self._blocks_of(stored, use.shipped))
        )

    def _blocks_of(self, stored: StoredProduct, shipped: Mapping[str, str | None]) -> object:
        """Return the calendar of blocks that the delivery calendar of a product names."""
        name = stored.product.calendar
        shared, own = (
            self.state.curve_references.get((tenant, ReferenceKind.DELIVERY_CALENDAR, name)) for tenant in (None, stored.tenant)
        )
        if shared is None and name in shipped:
            return shipped[name]
        read = shared or own
        return None if read is None else read.document.get("blocks")

    def _put(self, product: StoredProduct) -> StoredProduct:
        self.state.products[product.tenant, str(product.product.key)] = product
        return product

    def _next_id(self) -> int:
        self.state.last_curve_id += 1
        return self.state.last_curve_id

    def _unknown(self, key: str, tenant: str | None) -> UnknownName:
        return UnknownName(
            "product", key, nearest_keys(key, [stored for owner, stored in self.state.products if owner == tenant])
        )

    def _unknown_reference(self, kind: ReferenceKind, name: str, tenant: str | None) -> UnknownName:
        names = sorted(one for owner, of_kind, one in self.state.curve_references if (owner, of_kind) == (tenant, kind))
        return UnknownName(str(kind), name, tuple(names[:5]))


def _visible(state: MemoryState, tenant: str | None) -> dict[str, StoredProduct]:
    shared = {key: product for (owner, key), product in state.products.items() if owner is None}
    own = {key: product for (owner, key), product in state.products.items() if owner == tenant}
    states = {one.curve_id: waiting(state, one).state for one in state.derived_curves.values()}
    return {key: replace(one, derived=states.get(one.curve_id)) for key, one in sorted((own | shared).items())}


def _matches(criteria: ProductFilter, stored: StoredProduct) -> bool:
    key = stored.product.key
    named = f"{key} {stored.product.title}".casefold()
    return (
        all(getattr(criteria, name) in (None, getattr(key, name)) for name in _FACETS)
        and all(word.casefold() in named for word in re.split(r"\s+", criteria.text or "") if word)
        and (not criteria.keys or SeriesPatterns(criteria.keys).matches(str(key)))
        and (not criteria.quoted or stored.first_trade_date is not None)
        and criteria.settles_on in (None, stored.product.settles_on)
    )


def _is_within(span: QuoteSpan, identity: Identity) -> bool:
    first, end, trade_date = identity
    return (
        (span.first is None or trade_date >= span.first)
        and (span.last is None or trade_date <= span.last)
        and (not span.trade_dates or trade_date in span.trade_dates)
        and (not span.deliveries or (first, end) in span.deliveries)
    )


def _by_quote(batch: pl.DataFrame) -> Iterator[tuple[int, Identity, list[QuotePublication]]]:
    """Yield the publications of each quote in a frame of schema ``QUOTES``."""
    rows: dict[tuple[int, Identity], list[QuotePublication]] = {}
    for curve_id, first, end, trade_date, *content, known_at in batch.iter_rows():
        rows.setdefault((curve_id, (first, end, trade_date)), []).append(QuotePublication(known_at, tuple(content)))
    for (curve_id, identity), publications in rows.items():
        yield curve_id, identity, publications


def _ordered(rows: Sequence[tuple[object, ...]], schema: pl.Schema) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.sort("curve_id", "trade_date", "delivery_start", "delivery_end", "known_at")


def _identities(quotes: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    names = ("curve_id", "delivery_start", "delivery_end", "trade_date")
    return pl.DataFrame(quotes, schema={name: QUOTES[name] for name in names}, orient="row")


def _check_version(what: str, version: int, stored: int) -> None:
    if version != stored:
        raise Conflict(f"{what} has version {stored}, not {version}: read it again", version=stored)
