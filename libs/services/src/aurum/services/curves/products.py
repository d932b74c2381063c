"""Products that administrators and tenants write: added, changed and removed, each in one transaction with its record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aurum.core.calendars import Block
from aurum.core.curves.documents import InvalidDocument
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.product_documents import ReferenceNames, default_products, default_reference_names, read_product
from aurum.core.curves.products import Product
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import read_reference
from aurum.services.curves.selection import curve_of
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ReferenceKind, StoredProduct
from aurum.storage.ports.transaction import Transactions

_FIXED = ("key", "unit", "calendar", "block")
"""Terms that the stored quotes depend on: a product with quotes keeps them."""


async def add_product(
    transactions: Transactions, reading: CurveReading, document: Mapping[str, object], *, tenant: str | None, by: Actor
) -> StoredProduct:
    """Add a product. ``document``: of ``core.curves.product_documents``. ``tenant``: its owner; None: it belongs to all.

    Raises ``InvalidParameters``, ``Conflict`` for a key that exists.
    """
    product = await _product(reading, document, tenant)
    async with transactions.transaction(by=by) as tx:
        stored = await tx.curve_reference.put_product(product, tenant=tenant)
        await tx.audit.append("product.add", str(product.key), _detail(stored))
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
    if stored.first_trade_date is not None:
        _check_fixed(stored.product, product)
    async with transactions.transaction(by=by) as tx:
        changed = await tx.curve_reference.put_product(product, tenant=tenant, version=version or stored.version)
        await tx.audit.append("product.change", key, {**_detail(changed), "changed": sorted(changes)})
    return changed


async def remove_product(transactions: Transactions, reading: CurveReading, key: str, *, tenant: str | None, by: Actor) -> None:
    """Remove a product without quotes. Raises ``UnknownName``, and ``Conflict`` for one that has quotes or is shipped."""
    stored = await owned_product(reading, key, tenant=tenant)
    if tenant is None and any(str(one.key) == key for one in default_products()):
        raise Conflict(f"product {key} is part of this release and cannot be removed; it can be changed", key=key)
    async with transactions.transaction(by=by) as tx:
        await tx.curve_reference.delete_product(key, tenant=tenant)
        await tx.audit.append("product.remove", key, _detail(stored))


async def owned_product(reading: CurveReading, key: str, *, tenant: str | None) -> StoredProduct:
    """Return a product of an owner. Raises ``UnknownName``, also for a product of another owner."""
    stored = await curve_of(reading, key)
    if stored.tenant != tenant:
        raise UnknownName("product", key)
    return stored


async def _product(reading: CurveReading, document: Mapping[str, object], tenant: str | None) -> Product:
    """Return the product of a document, whose calendar, block, seasons and sessions exist. Raises ``InvalidParameters``.

    ``tenant``: its owner; a shared product is read with shared documents alone.
    """
    reference, stored_sessions, blocks = await asyncio.gather(
        read_reference(reading, shared_only=tenant is None),
        reading.curves.references(ReferenceKind.SESSIONS, tenant=tenant),
        reading.observations.catalog.blocks(),
    )
    shipped = default_reference_names()
    names = ReferenceNames(
        calendars=tuple(reference.calendars.values()),
        blocks=(*map(Block.from_document, blocks), *shipped.blocks),
        seasons=tuple(reference.seasons),
        sessions=(*(one.name for one in stored_sessions), *shipped.sessions),
    )
    try:
        return read_product(document, names)
    except InvalidDocument as error:
        raise InvalidParameters((str(error.facts["field"]), error.detail, error.facts["value"])) from error


def _check_fixed(stored: Product, changed: Product) -> None:
    for name in _FIXED:
        old, new = getattr(stored, name), getattr(changed, name)
        if old != new:
            shown_old, shown_new = (str(value) if isinstance(value, CurveKey) else value for value in (old, new))
            raise Conflict(
                f"product {stored.key} has quotes, and they depend on its {name} {shown_old!r}: add another product instead of "
                f"changing it to {shown_new!r}",
                field=name,
            )


def _detail(stored: StoredProduct) -> Mapping[str, object]:
    return {"owner": stored.tenant or "shared", "version": stored.version}
