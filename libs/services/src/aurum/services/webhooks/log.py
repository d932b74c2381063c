"""The log of deliveries, which is limited in time."""

from __future__ import annotations

from datetime import datetime

from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions

_AT_ONCE = 1_000


async def delete_old_deliveries(transactions: Transactions, *, before: datetime, by: Actor) -> int:
    """Delete deliveries that ended before a time, in short transactions, and return their number. Raises ``Unavailable``."""
    deleted = 0
    while True:
        async with transactions.transaction(by=by) as tx:
            count = await tx.deliveries.delete_old(before=before, limit=_AT_ONCE)
        deleted += count
        if count < _AT_ONCE:
            return deleted
