"""Records of what is done outside the store."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions


async def record(transactions: Transactions, action: str, target: str, detail: Mapping[str, object], *, by: Actor) -> None:
    """Record what is about to be done outside the store: call it first, so that nothing is done that is not on record.

    What is changed in the store is recorded in the transaction that changes it.
    """
    async with transactions.transaction(by=by) as tx:
        await tx.audit.append(action, target, detail)
