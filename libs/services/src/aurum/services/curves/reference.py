"""The reference data that curves are read with: delivery calendars, season families and blocks; stored ones come first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TypeVar

import structlog

from aurum.core.calendars import Block, default_blocks, parse_block
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.calendars import DeliveryCalendar, default_delivery_calendars
from aurum.core.curves.period_spans import in_delivery_days
from aurum.core.curves.periods import Period
from aurum.core.curves.products import Product
from aurum.core.curves.reading_terms import ReadingTerms, Spelling
from aurum.core.curves.seasons import SeasonFamily, default_season_families
from aurum.core.curves.sessions import SessionCalendar, default_session_calendars, parse_session_calendar
from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import ReferenceDocument, ReferenceKind, StoredProduct

T = TypeVar("T")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms by which the delivery periods of a product are named and counted.

    ``block``: None: all hours. ``words``: words of labels that administrators mapped.
    """

    calendar: DeliveryCalendar
    block: Block | None
    seasons: SeasonFamily | None
    words: tuple[Spelling, ...] = ()

    def period(self, text: str, *, trade_date: date | None = None) -> Period:
        """Return the period that a label names, also by the instants of its ends. Raises ``InvalidPeriod``."""
        label = in_delivery_days(text, self.calendar)
        return ReadingTerms(spellings=self.words).period(label, seasons=self.seasons, trade_date=trade_date)


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference data of one caller: ``calendars`` and ``seasons`` by name, and ``blocks``, documents of stored blocks.

    ``words``: words of labels of periods that administrators mapped.
    """

    calendars: Mapping[str, DeliveryCalendar]
    seasons: Mapping[str, SeasonFamily]
    blocks: Sequence[Mapping[str, object]] = ()
    words: tuple[Spelling, ...] = ()

    def terms_of(self, product: Product) -> Terms:
        """Return the terms of a product. Raises ``UnknownName`` for a calendar, block or family that is unknown."""
        calendar = self.calendar(product.calendar)
        return Terms(calendar, self.block(calendar, product.block), self.family(product.seasons), self.words)

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
    """Return the reference data that the caller reads with: shipped documents, replaced by shared ones of their name.

    ``products``: those whose terms are wanted. Stored blocks are read only for a product that has a block. ``shared_only``:
    without the documents of a tenant, so that what is read of shared products is the same for all tenants.
    """
    tenant = None if shared_only else reading.tenant
    needs_blocks = any(one.block is not None for one in products)
    calendars, seasons, blocks, spellings = await asyncio.gather(
        reading.curves.references(ReferenceKind.DELIVERY_CALENDAR, tenant=tenant),
        reading.curves.references(ReferenceKind.SEASONS, tenant=tenant),
        reading.observations.catalog.blocks() if needs_blocks else _no_blocks(),
        reading.observations.catalog.spellings(),
    )
    return Reference(
        _merged(_shipped_calendars(), calendars, DeliveryCalendar.from_document),
        _merged(_shipped_seasons(), seasons, SeasonFamily.from_document),
        blocks,
        tuple(one for one in spellings if one.kind is MappingKind.PERIOD),
    )


async def terms_by_curve(reading: CurveReading, products: Sequence[StoredProduct]) -> Mapping[int, Terms]:
    """Return the terms of some products by curve id: of shared ones by shared documents alone.

    A product whose terms are unknown is left out, and logged. Raises ``UnknownName`` if all of them are.
    """
    terms: dict[int, Terms] = {}
    unknown: dict[str, UnknownName] = {}
    for shared_only in (True, False):
        some = [one for one in products if (one.tenant is None) is shared_only]
        if not some:
            continue
        reference = await read_reference(reading, [one.product for one in some], shared_only=shared_only)
        for one in some:
            try:
                terms[one.curve_id] = reference.terms_of(one.product)
            except UnknownName as error:
                unknown[str(one.product.key)] = error
    if unknown and not terms:
        raise next(iter(unknown.values()))
    if unknown:
        _log.warning("curves_left_out", curves=list(unknown), reasons=[error.detail for error in unknown.values()])
    return terms


async def terms_of_product(reading: CurveReading, stored: StoredProduct) -> Terms:
    """Return the terms of one product. Raises ``UnknownName``."""
    return (await terms_by_curve(reading, [stored]))[stored.curve_id]


async def read_sessions(reading: CurveReading, stored: StoredProduct, name: str) -> SessionCalendar:
    """Return the calendar of sessions of a name that a product is read with. Raises ``UnknownName``."""
    return _sessions(name, await reading.curves.references(ReferenceKind.SESSIONS, tenant=stored.tenant))


async def sessions_by_curve(reading: CurveReading, products: Sequence[StoredProduct]) -> Mapping[int, SessionCalendar]:
    """Return the calendars of sessions of some products by curve id. A product that names none, or an unknown one, has none."""
    named = {one.curve_id: (one.tenant, one.product.sessions) for one in products}
    documents = {
        tenant: await reading.curves.references(ReferenceKind.SESSIONS, tenant=tenant)
        for tenant in {tenant for tenant, name in named.values() if name is not None}
    }
    calendars: dict[tuple[str | None, str | None], SessionCalendar] = {}
    for tenant, name in set(named.values()):
        if name is not None:
            with contextlib.suppress(UnknownName):
                calendars[tenant, name] = _sessions(name, documents[tenant])
    return {curve_id: calendars[one] for curve_id, one in named.items() if one in calendars}


async def _no_blocks() -> Sequence[Mapping[str, object]]:
    return ()


def _sessions(name: str, documents: Sequence[ReferenceDocument]) -> SessionCalendar:
    """Return the calendar of a name: of a tenant's document only where none is shipped. Raises ``UnknownName``."""
    document = next((one for one in documents if one.name == name), None)
    if document is None or (document.tenant is not None and name in _shipped_sessions()):
        return parse_session_calendar(name)
    return SessionCalendar.from_document(document.document)


@lru_cache(maxsize=1)
def _shipped_calendars() -> Mapping[str, DeliveryCalendar]:
    return {one.name: one for one in default_delivery_calendars()}


@lru_cache(maxsize=1)
def _shipped_seasons() -> Mapping[str, SeasonFamily]:
    return {one.name: one for one in default_season_families()}


@lru_cache(maxsize=1)
def _shipped_sessions() -> frozenset[str]:
    return frozenset(one.name for one in default_session_calendars())


def _merged(
    shipped: Mapping[str, T], stored: Sequence[ReferenceDocument], parse: Callable[[Mapping[str, object]], T]
) -> Mapping[str, T]:
    if not stored:
        return shipped
    own, shared = ([one for one in stored if (one.tenant is None) is is_shared] for is_shared in (False, True))
    parsed = ({one.name: parse(one.document) for one in some} for some in (own, shared))
    return {**next(parsed), **shipped, **next(parsed)}


def _named(kind: str, name: str, known: Mapping[str, T]) -> T:
    value = known.get(name)
    if value is None:
        raise UnknownName(kind, name, nearest(name, known))
    return value
