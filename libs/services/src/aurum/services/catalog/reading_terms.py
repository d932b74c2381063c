"""Reads what readers of files need of the store: mapped spellings, seasons, sessions and units of broker prices."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.reading_terms import ReadingTerms, Spelling
from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.sessions import default_session_calendars
from aurum.core.units import conversion_factor, parse_unit
from aurum.storage.ports.curves import CurveReader, ProductFilter, ReferenceDocument, ReferenceKind, StoredProduct
from aurum.storage.ports.mappings import MappingReader, StoredMapping


async def reading_terms(curves: CurveReader, mappings: MappingReader, *, tenant: str | None = None) -> ReadingTerms:
    """Return the stored terms with which files are read. ``tenant``: the owner of the quotes; None: shared products.

    Shared documents replace those of the package, which replace a tenant's own of the same name. Raises ``Unavailable``.
    """
    mapped, seasons, sessions, products = await asyncio.gather(
        mappings.mappings(),
        curves.references(ReferenceKind.SEASONS, tenant=tenant),
        curves.references(ReferenceKind.SESSIONS, tenant=tenant),
        curves.products(ProductFilter(), tenant=tenant),
    )
    return ReadingTerms(
        spellings=tuple(Spelling(one.kind, one.scope, one.folded, one.target) for one in mapped),
        seasons=_documents(seasons, {one.name for one in default_season_families()}),
        sessions=_documents(sessions, {one.name for one in default_session_calendars()}),
        families={str(one.product.key): one.product.seasons for one in products if one.is_edited},
        factors=_factors(mapped, products),
        versions={str(one.product.key): one.version for one in products if one.first_trade_date is None},
    )


def _documents(stored: Sequence[ReferenceDocument], shipped: set[str]) -> Mapping[str, Mapping[str, object]]:
    return {one.name: one.document for one in stored if one.tenant is None or one.name not in shipped}


def _factors(mapped: Sequence[StoredMapping], products: Sequence[StoredProduct]) -> Mapping[str, float]:
    """Return the factors from the units that brokers state to those of their products, where the two differ."""
    units = {(one.scope, one.spelling): one.target for one in mapped if one.kind is MappingKind.QUOTED_UNIT}
    factors: dict[str, float] = {}
    for one in products:
        key = one.product.key
        unit = units.get((key.venue, f"{key.commodity}:{key.area}"))
        if unit is not None and unit != one.product.unit:
            factors[str(key)] = conversion_factor(parse_unit(unit), parse_unit(one.product.unit))
    return factors
