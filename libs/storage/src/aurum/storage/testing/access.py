"""API keys with known secrets for tests."""

from __future__ import annotations

from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.transaction import Transactions


async def insert_key(transactions: Transactions, key: ApiKey, digest: bytes) -> None:
    """Store a key that the test has made, with its audit entry."""
    async with transactions.transaction(by=Actor("test"), tenant=key.tenant) as tx:
        await tx.keys.insert(key, digest)
        await tx.audit.append("key.create", key.key_id, {"name": key.name})
