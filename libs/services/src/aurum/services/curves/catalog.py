"""The list of curves, with counts by facet, and what is known about one curve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aurum.services.curves.completeness import Completeness, KindCompleteness, completeness_by_kind, completeness_of
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_of_product
from aurum.services.curves.selection import curve_of
from aurum.storage.ports.curves import ProductFilter, StoredProduct


@dataclass(frozen=True, slots=True)
class CurvesPage:
    """A page of products ascending by key, one more than the limit when another page follows. ``facets``: counts by value."""

    products: Sequence[StoredProduct]
    facets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class CurveFacts:
    """A product, its terms, and the completeness of its quotes; None where the sessions of its venue are unknown.

    ``kinds``: completeness by kind of period; empty where it was not wanted.
    """

    stored: StoredProduct
    terms: Terms
    completeness: Completeness | None
    kinds: Sequence[KindCompleteness] = ()


async def curves_page(reading: CurveReading, criteria: ProductFilter, *, after: str | None, limit: int) -> CurvesPage:
    """Return the products that match, after a key, and counts of all that match by commodity, area, block and venue."""
    products, facets = await asyncio.gather(
        reading.curves.products(criteria, tenant=reading.tenant, after=after, limit=limit + 1),
        reading.curves.facets(criteria, tenant=reading.tenant),
    )
    return CurvesPage(products, facets)


async def curve_facts(reading: CurveReading, key: str, *, by_kind: bool = False) -> CurveFacts:
    """Return what is known about a curve. ``by_kind``: completeness by kind of period, too. Raises ``UnknownName``."""
    stored = await curve_of(reading, key)
    terms = await terms_of_product(reading, stored)
    kinds = await completeness_by_kind(reading, stored, terms) if by_kind else ()
    return CurveFacts(stored, terms, await completeness_of(reading, stored), kinds)
