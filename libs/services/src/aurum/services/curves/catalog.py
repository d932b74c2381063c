"""The list of curves, with counts by facet, and what is known about one curve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aurum.core.curves.sessions import SessionCalendar
from aurum.services.curves.completeness import (
    Completeness,
    KindCompleteness,
    completeness_by_kind,
    completeness_of,
    sessions_of_curve,
)
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_of_product
from aurum.services.curves.selection import curve_of
from aurum.services.curves.settlement import Settlement, settlement_of
from aurum.storage.ports.curves import ProductFilter, StoredProduct


@dataclass(frozen=True, slots=True)
class CurvesPage:
    """A page of products ascending by key, one more than the limit when another page follows. ``facets``: counts by value."""

    products: Sequence[StoredProduct]
    facets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class CurvePlan:
    """A curve to be described: its terms, the sessions of its venue, and the series that it settles against.

    ``sessions``, ``settlement``: None: unknown.
    """

    stored: StoredProduct
    terms: Terms
    sessions: SessionCalendar | None
    settlement: Settlement | None

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the facts depend on, for entity tags."""
        return (self.stored.curve_id, self.stored.version, self.terms, self.sessions, self.settlement)


@dataclass(frozen=True, slots=True)
class CurveFacts:
    """A curve, and the completeness of its quotes; None where the sessions of its venue are unknown.

    ``kinds``: completeness by kind of period; empty where it was not requested.
    """

    plan: CurvePlan
    completeness: Completeness | None
    kinds: Sequence[KindCompleteness] = ()


async def curves_page(reading: CurveReading, criteria: ProductFilter, *, after: str | None, limit: int) -> CurvesPage:
    """Return the products that match, after a key, and counts of all that match by commodity, area, block and venue."""
    products, facets = await asyncio.gather(
        reading.curves.products(criteria, tenant=reading.tenant, after=after, limit=limit + 1),
        reading.curves.facets(criteria, tenant=reading.tenant),
    )
    return CurvesPage(products, facets)


async def plan_curve(reading: CurveReading, key: str) -> CurvePlan:
    """Return all that the facts about a curve depend on, before any quote is read. Raises ``UnknownName``."""
    stored = await curve_of(reading, key)
    return CurvePlan(
        stored,
        await terms_of_product(reading, stored),
        await sessions_of_curve(reading, stored),
        await settlement_of(reading, stored.product),
    )


async def read_curve(reading: CurveReading, plan: CurvePlan, *, by_kind: bool = False) -> CurveFacts:
    """Return what is known about a curve. ``by_kind``: completeness by kind of period, too. Raises ``InvalidParameters``."""
    stored, sessions = plan.stored, plan.sessions
    kinds = await completeness_by_kind(reading, stored, plan.terms, sessions) if by_kind else ()
    return CurveFacts(plan, await completeness_of(reading, stored, sessions), kinds)
