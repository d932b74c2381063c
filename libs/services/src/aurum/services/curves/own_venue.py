"""A tenant's own copies of shared products, under a venue of its own: the products that hold its broker's marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aurum.core.curves.keys import CurveKey
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveReader, ProductFilter
from aurum.storage.ports.transaction import Transactions


def key_at(key: str, venue: str) -> str:
    """Return the key of the same product at another venue. Raises ``InvalidCurveKey``.

    >>> key_at("power:DE:base:EUGP", "OURS")
    'power:DE:base:OURS'
    """
    return str(replace(CurveKey.parse(key), venue=venue))


async def add_own_products(
    transactions: Transactions, curves: CurveReader, keys: Sequence[str], *, venue: str, tenant: str, by: Actor
) -> int:
    """Add the tenant's own products at a venue for the shared products of some keys, with their terms, and return the number.

    Those that the tenant has already stay as they are. A key without a shared product adds nothing. Raises ``Conflict`` for a
    venue with a shared product of such a key.
    """
    wanted = {key_at(key, venue): key for key in keys}
    stored = await curves.products(ProductFilter(keys=(*wanted, *keys)), tenant=tenant)
    own = {str(one.product.key) for one in stored if one.tenant == tenant}
    shared = {str(one.product.key): one.product for one in stored if one.tenant is None}
    missing = [(CurveKey.parse(key), shared[source]) for key, source in wanted.items() if key not in own and source in shared]
    if not missing:
        return 0
    async with transactions.transaction(by=by) as tx:
        for key, product in missing:
            copy = replace(product, key=key, title=f"{product.title}, as {venue}")
            await tx.curve_reference.put_product(copy, tenant=tenant)
            await tx.audit.append("product.add", str(key), {"owner": tenant, "copy_of": str(product.key)})
    return len(missing)
