"""The reference data that curves are read with: delivery calendars, season families and blocks; stored ones come first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from aurum.core.calendars import Block, default_blocks, parse_block
from aurum.core.curves.calendars import DeliveryCalendar, default_delivery_calendars
from aurum.core.curves.products import Product
from aurum.core.curves.seasons import SeasonFamily, default_season_families
from aurum.core.curves.sessions import SessionCalendar, parse_session_calendar
from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import ReferenceDocument, ReferenceKind, StoredProduct

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms by which the delivery periods of a product are named and counted. ``block``: None: all hours."""

    calendar: DeliveryCalendar
    block: Block | None
    seasons: SeasonFamily | None


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference data of one caller: ``calendars`` and ``seasons`` by name, and ``blocks``, documents of stored blocks."""

    calendars: Mapping[str, DeliveryCalendar]
    seasons: Mapping[str, SeasonFamily]
    blocks: Sequence[Mapping[str, object]] = ()

    def terms_of(self, product: Product) -> Terms:
        """Return the terms of a product. Raises ``UnknownName`` for a calendar, block or family that is unknown."""
        calendar = self.calendar(product.calendar)
        return Terms(calendar, self.block(calendar, product.block), self.family(product.seasons))

    def calendar(self, name: str) -> DeliveryCalendar:
        """Return a delivery calendar. Raises ``UnknownName``."""
        return _named("delivery calendar", name, self.calendars)

    def family(self, name: str | None) -> SeasonFamily | None:
        """Return a season family; None for None. Raises ``UnknownName``."""
        return None if name is None else _named("season family", name, self.seasons)

    def block(self, calendar: DeliveryCalendar, name: str | None) -> Block | None:
        """Return a block of a delivery calendar, stored or shipped; None for all hours. Raises ``UnknownName``."""
        if name is None:
            return None
        if calendar.blocks is None:
            raise UnknownName(f"block of {calendar.name}", name)
        stored = [Block.from_document(one) for one in self.blocks if one["calendar"] == calendar.blocks]
        return parse_block(calendar.blocks, name, (*stored, *default_blocks()))


async def read_reference(reading: CurveReading, products: Sequence[Product] = (), *, shared_only: bool = False) -> Reference:
    """Return the reference data that the caller reads with: shipped documents, replaced by stored ones of their name.

    ``products``: those whose terms are wanted. Stored blocks are read only for a product that has a block. ``shared_only``:
    they are shared products, which name no document of a tenant, and none of those has the name of a shared one.
    """
    tenant = None if shared_only else reading.tenant
    needs_blocks = any(one.block is not None for one in products)
    calendars, seasons, blocks = await asyncio.gather(
        reading.curves.references(ReferenceKind.DELIVERY_CALENDAR, tenant=tenant),
        reading.curves.references(ReferenceKind.SEASONS, tenant=tenant),
        reading.observations.catalog.blocks() if needs_blocks else _no_blocks(),
    )
    return Reference(
        _merged(_shipped_calendars(), calendars, DeliveryCalendar.from_document),
        _merged(_shipped_seasons(), seasons, SeasonFamily.from_document),
        blocks,
    )


async def terms_by_curve(reading: CurveReading, products: Sequence[StoredProduct]) -> Mapping[int, Terms]:
    """Return the terms of some products by curve id. Raises ``UnknownName``."""
    shared_only = all(one.tenant is None for one in products)
    reference = await read_reference(reading, [one.product for one in products], shared_only=shared_only)
    return {one.curve_id: reference.terms_of(one.product) for one in products}


async def read_sessions(reading: CurveReading, name: str) -> SessionCalendar:
    """Return the calendar of sessions of a name, stored or shipped. Raises ``UnknownName``."""
    stored = await reading.curves.references(ReferenceKind.SESSIONS, tenant=reading.tenant)
    document = next((one.document for one in stored if one.name == name), None)
    return parse_session_calendar(name) if document is None else SessionCalendar.from_document(document)


async def _no_blocks() -> Sequence[Mapping[str, object]]:
    return ()


@lru_cache(maxsize=1)
def _shipped_calendars() -> Mapping[str, DeliveryCalendar]:
    return {one.name: one for one in default_delivery_calendars()}


@lru_cache(maxsize=1)
def _shipped_seasons() -> Mapping[str, SeasonFamily]:
    return {one.name: one for one in default_season_families()}


def _merged(
    shipped: Mapping[str, T], stored: Sequence[ReferenceDocument], parse: Callable[[Mapping[str, object]], T]
) -> Mapping[str, T]:
    if not stored:
        return shipped
    return {**shipped, **{one.name: parse(one.document) for one in stored}}


def _named(kind: str, name: str, known: Mapping[str, T]) -> T:
    value = known.get(name)
    if value is None:
        raise UnknownName(kind, name, nearest(name, known))
    return value
