"""Products that depend on reference data, those of every tenant: looked up by the transaction that changes it."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.curves.calendars import default_delivery_calendars
from aurum.core.errors import Conflict
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ReferenceUse, StoredProduct
from aurum.storage.ports.transaction import Transaction


def users_of_block(calendar: str, name: str) -> ReferenceUse:
    """Return the use of a block by products: they name it, and their delivery calendar names its calendar."""
    shipped = {one.name: one.blocks for one in default_delivery_calendars()}
    return ReferenceUse(terms={"block": name}, blocks=calendar, shipped=shipped)


async def refuse_users(
    tx: Transaction, use: ReferenceUse, why: str, *, by: Actor, quoted: bool, **facts: object
) -> Sequence[StoredProduct]:
    """Return the products of a use. Raise ``Conflict`` for one of them.

    ``why``: the clause about the product. ``quoted``: only for one with quotes.

    The products and all reference data are locked until the transaction ends. A product of another tenant counts, and is not
    named.
    """
    users = await tx.curve_reference.lock_users(use)
    refusing = [one for one in users if one.first_trade_date is not None or not quoted]
    if refusing:
        raise refusal(refusing, why, by, **facts)
    return users


def refusal(users: Sequence[StoredProduct], why: str, by: Actor, **facts: object) -> Conflict:
    """Return the conflict with some products, which names one that the actor may know. ``why``: the clause about it."""
    readable = next((one for one in users if one.tenant in (None, by.tenant)), None)
    if readable is None:
        return Conflict(f"a product of another tenant {why}", **facts)
    key = str(readable.product.key)
    return Conflict(f"product {key} {why}", product=key, **facts)
