"""API keys: making, rotating and ending them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aurum.core.access import EVERY_PERMISSION, Permission, Role, granted
from aurum.core.api_keys import KeyText, key_text
from aurum.core.errors import Forbidden
from aurum.storage.ports.access import Actor, ApiKey, KeyEnded, KeyReplaced
from aurum.storage.ports.transaction import Transactions


class GrantsTooMuch(Forbidden):
    """A key was to be given scopes that its maker lacks. Facts: ``scopes``, those that are missing."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made. ``expires_at`` None: it ends when it is revoked."""

    tenant: str
    name: str
    roles: tuple[Role, ...] = ()
    scopes: tuple[Permission, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key that was made, and its text: the only place where its secret stands."""

    key: ApiKey
    text: str


async def create_key(
    transactions: Transactions, wish: NewKey, *, by: Actor, may: Collection[Permission] = EVERY_PERMISSION, now: datetime
) -> IssuedKey:
    """Make a key. ``may``: what its maker may do, which is the most that the key may do.

    Raises ``GrantsTooMuch``, ``NotFound`` when there is no such tenant, ``Conflict`` when the id is taken.
    """
    _refuse_too_much(wish.roles, wish.scopes, may)
    text, parts = key_text(secrets.token_bytes(40))
    key = ApiKey(
        key_id=parts.key_id,
        tenant=wish.tenant,
        name=wish.name,
        roles=tuple(map(str, wish.roles)),
        scopes=tuple(map(str, wish.scopes)),
        created_at=now,
        created_by=by.subject,
        expires_at=wish.expires_at,
    )
    async with transactions.transaction(by=by, tenant=key.tenant) as tx:
        await tx.keys.insert(key, parts.digest)
        await tx.audit.append("key.create", key.key_id, _recorded(key))
    return IssuedKey(key, text)


async def rotate_key(
    transactions: Transactions,
    tenant: str,
    key_id: str,
    *,
    grace: timedelta,
    by: Actor,
    may: Collection[Permission] = EVERY_PERMISSION,
    now: datetime,
) -> IssuedKey:
    """Make a key like another one in its place; the old one ends after ``grace``, if not before.

    Raises ``NotFound``, ``GrantsTooMuch``; ``KeyEnded`` for a key that is no longer accepted, else a caller who may rotate
    could undo that it was revoked; ``KeyReplaced`` when it was rotated before.
    """
    text, parts = key_text(secrets.token_bytes(40))
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        old = await tx.keys.locked(key_id)
        _refuse_too_much(old.roles, old.scopes, may)
        if not old.is_valid(now):
            raise KeyEnded(old.key_id)
        if (successor := await tx.keys.successor(old.key_id)) is not None:
            raise KeyReplaced(old.key_id, successor)
        key = _successor(old, parts, by, now)
        await tx.keys.insert(key, parts.digest)
        ends = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
        await tx.keys.expire(old.key_id, ends)
        detail = {**_recorded(key), "replaces": old.key_id, "old_expires_at": ends.isoformat()}
        await tx.audit.append("key.rotate", key.key_id, detail)
    return IssuedKey(key, text)


async def revoke_key(transactions: Transactions, tenant: str, key_id: str, *, by: Actor) -> ApiKey:
    """End a key at once; a second time changes nothing. Raises ``NotFound``."""
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        key = await tx.keys.locked(key_id)
        if key.revoked_at is not None:
            return key
        await tx.audit.append("key.revoke", key_id, {})
        return await tx.keys.revoke(key_id)


def _refuse_too_much(roles: Iterable[str], scopes: Iterable[str], may: Collection[Permission]) -> None:
    if too_much := granted(roles, scopes) - frozenset(may):
        raise GrantsTooMuch("a key cannot do what its maker may not", scopes=sorted(too_much))


def _successor(old: ApiKey, parts: KeyText, by: Actor, now: datetime) -> ApiKey:
    return replace(
        old,
        key_id=parts.key_id,
        created_at=now,
        created_by=by.subject,
        revoked_at=None,
        last_used_at=None,
        replaces=old.key_id,
    )


def _recorded(key: ApiKey) -> dict[str, object]:
    ends = key.expires_at.isoformat() if key.expires_at is not None else None
    return {"name": key.name, "roles": list(key.roles), "scopes": list(key.scopes), "expires_at": ends}
