"""Reads and writes of products, their reference data and their quotes.

Quotes obey the bitemporal law of ``aurum.core.asof`` over (product, delivery period, trade date). A product belongs to all, or
to one tenant: every read names the caller's tenant and sees the shared products and those of that tenant, never those of
another. Where a key, or the name of a document, is both shared and the tenant's own, the shared one is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from aurum.core.curves.products import Product
from aurum.core.errors import Invalid
from aurum.storage.ports.derived_curves import DerivedState

if TYPE_CHECKING:
    import polars as pl

    from aurum.storage.ports.observations import Moment, RuleDated


class UnknownProduct(Invalid):
    """A file quotes a product that is not in the reference data. Facts: ``key``, ``nearest``."""


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """A product in the store.

    ``curve_id``: its number in frames of quotes. ``tenant``: owner; None: it belongs to all. ``version``: rises whenever its
    quotes or its terms change. ``first_trade_date``, ``last_trade_date``: of its quotes; None for a product without any.
    ``is_edited``: an administrator has changed its terms, so a release does not replace them. ``derived``: state of a derived
    curve, by readers; None for another one.
    """

    curve_id: int
    product: Product
    tenant: str | None
    version: int
    first_trade_date: date | None
    last_trade_date: date | None
    is_edited: bool = False
    derived: DerivedState | None = None

    @property
    def tag(self) -> tuple[object, ...]:
        """The product with its version and state, on which answers about its quotes depend: for entity tags."""
        return self.curve_id, self.version, self.derived


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Every field that is not None must match exactly; ``text``: each of its words is in the key or the title, case ignored.

    ``keys``: keys, or patterns in which ``*`` stands for any text; empty: all. ``quoted``: only products with quotes.
    ``settles_on``: key of the series that the product settles against.
    """

    commodity: str | None = None
    area: str | None = None
    block: str | None = None
    venue: str | None = None
    text: str | None = None
    keys: tuple[str, ...] = ()
    quoted: bool = False
    settles_on: str | None = None


class ReferenceKind(StrEnum):
    """Kind of a reference document. Shipped documents are in code; a stored one replaces the shipped one of its name."""

    DELIVERY_CALENDAR = "delivery_calendar"
    SEASONS = "seasons"
    SESSIONS = "sessions"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class ReferenceDocument:
    """A stored reference document. ``version``: rises with each change, from 1. ``tenant``: owner; None: it belongs to all."""

    kind: ReferenceKind
    name: str
    tenant: str | None
    document: Mapping[str, object]
    version: int
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class ReferenceUse:
    """A use of reference data by products. Every field that is not None must match.

    ``key``: a pattern of keys, in which ``*`` stands for any text. ``terms``: terms of a product, as its document has them.
    ``blocks``: the calendar of blocks that the delivery calendar of a product names; ``shipped``: this calendar of blocks by
    delivery calendar of the release, which a stored shared one replaces. ``tenant``: the owner of the products; None: of all.
    """

    key: str | None = None
    terms: Mapping[str, str] = field(default_factory=dict[str, str])
    blocks: str | None = None
    shipped: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class PinnedReference:
    """Stored reference data that stays as it is until a transaction ends. ``blocks``: documents of blocks."""

    documents: Sequence[ReferenceDocument]
    blocks: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class QuoteSpan:
    """The quotes that a read wants. Trade dates ``first`` to ``last``, both included; None: unbounded.

    ``trade_dates``: if not empty, only these. ``deliveries``: if not empty, only these (delivery start, delivery end).
    ``most``: of more quotes than these, ``quotes`` returns some rows that are more than ``most``, for the caller to refuse.
    """

    first: date | None = None
    last: date | None = None
    trade_dates: tuple[date, ...] = ()
    deliveries: tuple[tuple[date, date], ...] = ()
    most: int | None = None


class CurveReader(Protocol):
    """Reads. ``as_of`` is inclusive; None: what is known now. ``as_loaded``: the store as it stood at an instant; None: now.

    ``curve_ids`` are those of products that this reader has returned. A read as of a past instant waits for loads that began
    before it, as reads of observations do. All methods raise ``Unavailable`` when the store does not answer, and
    ``NotRecorded`` for an ``as_loaded`` that it does not reach.
    """

    async def products(
        self, criteria: ProductFilter, *, tenant: str | None, after: str | None = None, limit: int | None = None
    ) -> Sequence[StoredProduct]:
        """Return products ascending by key; ``after``: the last key already seen."""
        ...

    async def facets(self, criteria: ProductFilter, *, tenant: str | None) -> Mapping[str, Mapping[str, int]]:
        """Return for commodity, area, block and venue the numbers of matching products by value."""
        ...

    async def product(self, key: str, *, tenant: str | None) -> StoredProduct:
        """Return a product. Raises ``UnknownName`` with the nearest keys."""
        ...

    async def quotes(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        """Return quotes, schema ``core.curves.quotes.QUOTES``, in its order. Unknown ids have none."""
        ...

    async def versions(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        """Return all versions known at ``as_of``, schema ``QUOTE_VERSIONS``, in the order of quotes, then known time."""
        ...

    async def trade_dates(
        self,
        curve_ids: Sequence[int],
        *,
        before: date | None = None,
        limit: int | None = None,
        as_of: datetime | None = None,
        as_loaded: datetime | None = None,
    ) -> pl.DataFrame:
        """Return the trade dates with quotes, schema ``TRADE_DATES``.

        ``before``: only earlier trade dates. ``limit``: of each product.
        """
        ...

    async def references(self, kind: ReferenceKind, *, tenant: str | None) -> Sequence[ReferenceDocument]:
        """Return the stored documents of a kind, ascending by name."""
        ...


@dataclass(frozen=True, slots=True)
class CurveQuotes:
    """The quotes of one dataset in a file.

    ``source``, ``dataset``: of the file. ``curves``: schema ``core.curves.quotes.FILE_CURVES``. ``rows``: schema
    ``FILE_QUOTES``. ``rule``: None when no row is dated by a publication rule. ``tenant``: owner of the products; None: shared
    products.
    """

    source: str
    dataset: str
    curves: pl.DataFrame
    rows: pl.DataFrame
    rule: RuleDated | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class StoredQuotes:
    """Result of storing the quotes of a part.

    ``rows``: number of publications. ``touched``: schema ``TOUCHED_CURVES``. ``changed``: trade dates with new or revised
    quotes, schema ``CHANGED_DATES``.
    """

    rows: int
    new: int
    revised: int
    touched: pl.DataFrame
    changed: pl.DataFrame


class CurveWriter(Protocol):
    """Writes of quotes within a transaction, by the bitemporal law. Safe for many writers at once."""

    async def lock(
        self, curves: pl.DataFrame, *, tenant: str | None, read_with: Mapping[str, int] | None = None
    ) -> Sequence[int]:
        """Lock the products of a ``FILE_CURVES`` frame and return their ids in its order.

        ``read_with``: as in ``FileLoad``. Raises ``UnknownProduct``, and ``Conflict`` for a product that still has no quotes,
        and has another version than the file was read with: its unit may be another one.
        """
        ...

    async def store(self, part: CurveQuotes, curve_ids: Sequence[int], *, moment: Moment, recording_id: int) -> StoredQuotes:
        """Store the quotes of a file and raise the version of each product that changes.

        ``moment``: the known time of rows without their own. Raises ``CorrectionUndated`` as ``ObservationWriter.store`` does.
        """
        ...

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        """Record the products that a file touched, schema ``TOUCHED_CURVES``."""
        ...


class CurveReferenceWriter(Protocol):
    """Writes of products and reference documents within a transaction."""

    async def declare(self, products: Sequence[Product]) -> Sequence[str]:
        """Add the shipped products and replace the terms of those that are not edited. Return the changed keys, ascending."""
        ...

    async def put_product(self, product: Product, *, tenant: str | None, version: int | None = None) -> StoredProduct:
        """Add a product, or replace its terms. ``version``: None adds only; else the version that the caller has read.

        Raises ``Conflict`` for a key that exists, for another version, and for the key of a shared product in a tenant.
        """
        ...

    async def delete_product(self, key: str, *, tenant: str | None) -> None:
        """Delete a product without quotes. Raises ``UnknownName``, and ``Conflict`` for one that has quotes, or is derived, or
        an input of a derived curve.
        """
        ...

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
        """Add (``version`` None) or replace a reference document. Raises ``Conflict`` as ``put_product`` does."""
        ...

    async def delete_reference(self, kind: ReferenceKind, name: str, *, tenant: str | None, version: int) -> None:
        """Delete a stored reference document; the shipped one of its name holds again.

        Raises ``UnknownName``, and ``Conflict`` for another version.
        """
        ...

    async def lock_users(self, use: ReferenceUse) -> Sequence[StoredProduct]:
        """Return the products of a use, shared ones first, and lock them and all reference data.

        Waits for loads that store quotes of these products. Until this transaction ends, none of them gets quotes, and no
        other transaction changes reference data or has it pinned.
        """
        ...

    async def renew(self, curve_ids: Sequence[int]) -> None:
        """Raise the versions of products, of any tenant, because their quotes are read otherwise from now on."""
        ...

    async def pin_reference(self, *, tenant: str | None) -> PinnedReference:
        """Return the reference data that products of an owner are read with: shared documents, and those of the tenant.

        Until this transaction ends, no other one changes reference data.
        """
        ...
