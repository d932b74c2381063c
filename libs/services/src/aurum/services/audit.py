"""Audit records of actions outside the store."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions


async def record(transactions: Transactions, action: str, target: str, detail: Mapping[str, object], *, by: Actor) -> None:
    """Record an action outside the store. Call it before the action, so that no action is without a record.

    A change of the store itself is recorded in the transaction that makes it.
    """
    async with transactions.transaction(by=by) as tx:
        await tx.audit.append(action, target, detail)
