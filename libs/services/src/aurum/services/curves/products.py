"""Products that administrators and tenants write: added, changed and removed, each in one transaction with its record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aurum.core.calendars import Block
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.calendars import DeliveryCalendar
from aurum.core.curves.documents import InvalidDocument
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.product_documents import ReferenceNames, default_products, default_reference_names, read_product
from aurum.core.curves.products import Product
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.core.units import converts, parse_unit
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.selection import curve_of
from aurum.services.curves.settlement import check_settlement
from aurum.services.observations.units import known_unit
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ProductFilter, ReferenceDocument, ReferenceKind, StoredProduct
from aurum.storage.ports.derived_curves import rebuild_job
from aurum.storage.ports.transaction import Transaction, Transactions

_FIXED = ("key", "unit", "calendar", "block")
"""Terms that the stored quotes depend on: a product with quotes keeps them."""
_SENT_AS = {"block": "calendar_block"}
"""Names of terms in requests, where they differ from those of documents."""
_NAMED = (ReferenceKind.DELIVERY_CALENDAR, ReferenceKind.SEASONS, ReferenceKind.SESSIONS)
"""Kinds of documents that terms name."""
_DESCRIPTIVE = frozenset({"title", "lot", "listing", "expiry", "settles_on"})
"""Terms without an effect on what is computed from the quotes: a derived curve that reads them need not be built anew."""
_SETTLEMENT = frozenset({"settles_on", "unit"})
"""Terms by which the series that a product settles against is checked."""


async def add_product(
    transactions: Transactions,
    reading: CurveReading,
    document: Mapping[str, object],
    *,
    tenant: str | None,
    by: Actor,
    most: int | None = None,
) -> StoredProduct:
    """Add a product. ``document``: of ``core.curves.product_documents``. ``tenant``: its owner; None: it belongs to all.

    ``most``: largest number of own products of a tenant; None: any. Raises ``InvalidParameters``, ``Conflict`` for a key that
    exists, and for one product too many.
    """
    if tenant is not None and most is not None:
        await check_quota(reading, tenant, most)
    product = await _product(reading, document, tenant)
    await check_settlement(reading, product)
    async with transactions.transaction(by=by) as tx:
        await _check_names(tx, product, tenant)
        stored = await tx.curve_reference.put_product(product, tenant=tenant)
        if tenant is None:  # it may hide a product of a tenant
            await rebuild_users(tx, "key", str(product.key), tenant=None)
        await tx.audit.append("product.add", str(product.key), {**_detail(stored), "after": product.to_document()})
    return stored


async def change_product(
    transactions: Transactions,
    reading: CurveReading,
    key: str,
    changes: Mapping[str, object],
    *,
    tenant: str | None,
    version: int | None,
    by: Actor,
) -> StoredProduct:
    """Change some terms of a product. ``tenant``: the owner whose products may be changed; None: shared ones.

    ``version``: the version that the caller has read; None: the current one. Raises ``UnknownName``, ``InvalidParameters``, and
    ``Conflict`` for another version, and for terms that stored quotes depend on.
    """
    stored = await owned_product(reading, key, tenant=tenant)
    product = await _product(reading, {**stored.product.to_document(), **changes}, tenant)
    if _SETTLEMENT & changes.keys():
        await check_settlement(reading, product)
    if stored.first_trade_date is not None:
        _check_fixed(stored.product, product)
    before, after = stored.product.to_document(), product.to_document()
    async with transactions.transaction(by=by) as tx:
        await _check_names(tx, product, tenant)
        changed = await tx.curve_reference.put_product(product, tenant=tenant, version=version or stored.version)
        if _read_otherwise(stored.product, product):
            await rebuild_users(tx, "key", key, tenant=tenant)
        detail = {"changed": sorted(changes), "before": before, "after": after}
        await tx.audit.append("product.change", key, {**_detail(changed), **detail})
    return changed


async def remove_product(transactions: Transactions, reading: CurveReading, key: str, *, tenant: str | None, by: Actor) -> None:
    """Remove a product without quotes. Raises ``UnknownName``, and ``Conflict`` for one that has quotes or is shipped."""
    stored = await owned_product(reading, key, tenant=tenant)
    if tenant is None and any(str(one.key) == key for one in default_products()):
        raise Conflict(f"product {key} is part of this release and cannot be removed; it can be changed", key=key)
    async with transactions.transaction(by=by) as tx:
        await tx.curve_reference.delete_product(key, tenant=tenant)
        if tenant is None:  # a product of a tenant that it has hidden is seen again
            await rebuild_users(tx, "key", key, tenant=None)
        await tx.audit.append("product.remove", key, {**_detail(stored), "before": stored.product.to_document()})


async def rebuild_users(tx: Transaction, member: str, value: str, *, tenant: str | None) -> None:
    """Make the derived curves stale that are read with changed terms, and submit their builds.

    Arguments as of ``DerivedCurveWriter.terms_changed``.
    """
    stale = await tx.derived_curves.terms_changed(member, value, tenant=tenant)
    await tx.jobs.submit([rebuild_job(curve) for curve in stale])


async def check_quota(reading: CurveReading, tenant: str, most: int) -> None:
    """Raise ``Conflict`` for a tenant that has as many products of its own as it may have."""
    products = await reading.curves.products(ProductFilter(), tenant=tenant)
    count = sum(one.tenant == tenant for one in products)
    if count >= most:
        why = f"this tenant has {count:,} products of its own, and may have {most:,}: remove one that has no quotes"
        raise Conflict(why, limit=most)


async def owned_product(reading: CurveReading, key: str, *, tenant: str | None) -> StoredProduct:
    """Return a product of an owner. Raises ``UnknownName``, also for a product of another owner."""
    stored = await curve_of(reading, key)
    if stored.tenant != tenant:
        raise UnknownName("product", key)
    return stored


async def block_of_key(reading: CurveReading, product: Product, *, tenant: str | None) -> str | None:
    """Return the block that the key of a product names, else the block that the product has; None: all hours.

    ``tenant``: the owner of the product. Raises ``InvalidParameters`` for reference data that the product names and that is
    gone.
    """
    document = dict(product.to_document())
    del document["block"]
    try:
        return (await _product(reading, document, tenant)).block
    except InvalidParameters:  # the key names no block; whatever else is wrong is raised again
        return (await _product(reading, product.to_document(), tenant)).block


async def _product(reading: CurveReading, document: Mapping[str, object], tenant: str | None) -> Product:
    """Return the product of a document, whose calendar, block, seasons and sessions exist. Raises ``InvalidParameters``.

    ``tenant``: its owner; a shared product is read with shared documents alone.
    """
    stored, blocks = await asyncio.gather(
        asyncio.gather(*(reading.curves.references(kind, tenant=tenant) for kind in _NAMED)),
        reading.observations.catalog.blocks(),
    )
    if isinstance(unit := document.get("unit"), str):
        document = {**document, "unit": await known_unit(unit, reading.observations.catalog)}
    product = _read(document, [one for some in stored for one in some], blocks)
    await _check_broker_unit(reading, product)
    return product


async def _check_broker_unit(reading: CurveReading, product: Product) -> None:
    """Raise ``InvalidParameters`` for a unit to which that of the broker, as an administrator mapped it, does not convert."""
    key = product.key
    about = MappingKind.QUOTED_UNIT, key.venue, f"{key.commodity}:{key.area}"
    for one in await reading.observations.catalog.spellings():
        if (one.kind, one.scope, one.folded) == about and not converts(parse_unit(one.target), parse_unit(product.unit)):
            why = f"must convert without an exchange rate from {one.target}, in which {key.venue} states its prices"
            raise InvalidParameters(("unit", why, product.unit))


async def _check_names(tx: Transaction, product: Product, tenant: str | None) -> None:
    """Raise ``InvalidParameters`` for a product that names reference data which was removed since it was read.

    Until the transaction ends, no other one can remove the reference data that the product names.
    """
    pinned = await tx.curve_reference.pin_reference(tenant=tenant)
    _read(product.to_document(), pinned.documents, pinned.blocks)


def _read(
    document: Mapping[str, object], stored: Sequence[ReferenceDocument], blocks: Sequence[Mapping[str, object]]
) -> Product:
    """Return the product of a document, which may name stored and shipped reference data. Raises ``InvalidParameters``."""
    shipped = default_reference_names()
    of_kind = {kind: [one for one in stored if one.kind is kind] for kind in _NAMED}
    shared, own = (
        [
            DeliveryCalendar.from_document(one.document)
            for one in of_kind[ReferenceKind.DELIVERY_CALENDAR]
            if (one.tenant is None) is is_shared
        ]
        for is_shared in (True, False)
    )
    names = ReferenceNames(
        calendars=(*shared, *shipped.calendars, *own),
        blocks=(*map(Block.from_document, blocks), *shipped.blocks),
        seasons=(*(one.name for one in of_kind[ReferenceKind.SEASONS]), *shipped.seasons),
        sessions=(*(one.name for one in of_kind[ReferenceKind.SESSIONS]), *shipped.sessions),
    )
    try:
        return read_product(document, names)
    except InvalidDocument as error:
        field = str(error.facts["field"])
        raise InvalidParameters((_SENT_AS.get(field, field), error.why, error.facts["value"])) from error


def _read_otherwise(stored: Product, changed: Product) -> bool:
    old, new = stored.to_document(), changed.to_document()
    return any(old[name] != new[name] for name in old.keys() - _DESCRIPTIVE)


def _check_fixed(stored: Product, changed: Product) -> None:
    for name in _FIXED:
        old, new = getattr(stored, name), getattr(changed, name)
        if old != new:
            sent_as = _SENT_AS.get(name, name)
            raise Conflict(
                f"product {stored.key} has quotes, and they depend on its {sent_as} {_shown(old)}: add another product instead "
                f"of changing it to {_shown(new)}",
                field=sent_as,
            )


def _shown(term: CurveKey | str | None) -> str:
    """Return a term that quotes depend on as errors show it. Only a block can be None."""
    return "all hours" if term is None else repr(str(term))


def _detail(stored: StoredProduct) -> Mapping[str, object]:
    return {"owner": stored.tenant or "shared", "version": stored.version}
