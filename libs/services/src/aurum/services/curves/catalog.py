"""The list of curves, with counts by facet, and what is known about one curve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from aurum.core.curves.sessions import SessionsUnknown, sessions_of
from aurum.core.errors import UnknownName
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, read_reference, read_sessions
from aurum.services.curves.selection import curve_of
from aurum.storage.ports.curves import ProductFilter, StoredProduct

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class CurvesPage:
    """A page of products ascending by key, one more than the limit when another page follows. ``facets``: counts by value."""

    products: Sequence[StoredProduct]
    facets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Completeness:
    """Trade dates of a curve beside the sessions of its venue, from the first to the last trade date.

    ``calendar``: of sessions. ``missing``: sessions without quotes, the newest ones. ``missing_count``: of all of them.
    ``outside``: trade dates that are no sessions, likewise.
    """

    calendar: str
    expected: int
    received: int
    missing_count: int
    missing: Sequence[date]
    outside_count: int
    outside: Sequence[date]


@dataclass(frozen=True, slots=True)
class CurveFacts:
    """A product, its terms, and the completeness of its quotes; None where the sessions of its venue are unknown."""

    stored: StoredProduct
    terms: Terms
    completeness: Completeness | None


async def curves_page(reading: CurveReading, criteria: ProductFilter, *, after: str | None, limit: int) -> CurvesPage:
    """Return the products that match, after a key, and counts of all that match by commodity, area, block and venue."""
    products, facets = await asyncio.gather(
        reading.curves.products(criteria, tenant=reading.tenant, after=after, limit=limit + 1),
        reading.curves.facets(criteria, tenant=reading.tenant),
    )
    return CurvesPage(products, facets)


async def curve_facts(reading: CurveReading, key: str) -> CurveFacts:
    """Return what is known about a curve. Raises ``UnknownName``."""
    stored = await curve_of(reading, key)
    reference = await read_reference(reading, [stored.product])
    return CurveFacts(stored, reference.terms_of(stored.product), await _completeness(reading, stored))


async def _completeness(reading: CurveReading, stored: StoredProduct) -> Completeness | None:
    name = stored.product.sessions
    if name is None or stored.first_trade_date is None or stored.last_trade_date is None:
        return None
    try:
        calendar = await read_sessions(reading, name)
        sessions = sessions_of(calendar, stored.first_trade_date, stored.last_trade_date + timedelta(days=1))
    except (UnknownName, SessionsUnknown):
        return None
    dates = (await reading.curves.trade_dates([stored.curve_id]))["trade_date"].to_list()
    missing = sorted(set(sessions).difference(dates), reverse=True)
    outside = sorted(set(dates).difference(sessions), reverse=True)
    return Completeness(
        name,
        expected=len(sessions),
        received=len(dates),
        missing_count=len(missing),
        missing=missing[:_SHOWN],
        outside_count=len(outside),
        outside=outside[:_SHOWN],
    )
