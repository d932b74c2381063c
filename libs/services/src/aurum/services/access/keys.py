"""API keys: creation, rotation, revocation, and the owner of a key that has none."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aurum.core.access import EVERY_PERMISSION, Permission, Role, granted
from aurum.core.api_keys import KeyText, key_text
from aurum.core.errors import Forbidden, InvalidParameters
from aurum.storage.ports.access import Actor, ApiKey, KeyEnded, KeyOwned, KeyReplaced
from aurum.storage.ports.transaction import Transactions

MOST_OWNER = 200
"""Characters of the name of an owner."""


class GrantsTooMuch(Forbidden):
    """A key that has, or would get, scopes that the caller does not have. Facts: ``scopes``, those that are missing."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A request for a new API key.

    ``expires_at`` None: the key is valid until it is revoked. ``owner``: name of the person who will use it; None: unknown.
    """

    tenant: str
    name: str
    roles: tuple[Role, ...] = ()
    scopes: tuple[Permission, ...] = ()
    expires_at: datetime | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its text. The text holds the secret, which is stored nowhere else."""

    key: ApiKey
    text: str


async def create_key(
    transactions: Transactions, request: NewKey, *, by: Actor, may: Collection[Permission] = EVERY_PERMISSION, now: datetime
) -> IssuedKey:
    """Create an API key. ``may``: the permissions of its creator; the key cannot have more.

    Raises ``GrantsTooMuch``, ``NotFound`` for an unknown tenant, ``Conflict`` when the key id exists already.
    """
    _refuse_missing_scopes(request.roles, request.scopes, may)
    text, parts = key_text(secrets.token_bytes(40))
    key = ApiKey(
        key_id=parts.key_id,
        tenant=request.tenant,
        name=request.name,
        roles=tuple(map(str, request.roles)),
        scopes=tuple(map(str, request.scopes)),
        created_at=now,
        created_by=by.subject,
        expires_at=request.expires_at,
        owner=None if request.owner is None else _owner(request.owner),
    )
    async with transactions.transaction(by=by, tenant=key.tenant) as tx:
        await tx.keys.insert(key, parts.digest)
        await tx.audit.append("key.create", key.key_id, _audit_detail(key))
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
    """Create a key with the same roles, scopes and expiry as an old one, which expires after ``grace`` at the latest.

    Raises ``NotFound``, ``GrantsTooMuch``, ``KeyReplaced`` when the key was rotated before, and ``KeyEnded`` when it was
    revoked or has expired: otherwise rotation would undo a revocation.
    """
    text, parts = key_text(secrets.token_bytes(40))
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        old = await tx.keys.locked(key_id)
        _refuse_missing_scopes(old.roles, old.scopes, may)
        if not old.is_valid(now):
            raise KeyEnded(old.key_id)
        if (successor := await tx.keys.successor(old.key_id)) is not None:
            raise KeyReplaced(old.key_id, successor)
        key = _successor(old, parts, by, now)
        await tx.keys.insert(key, parts.digest)
        old_expires_at = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
        await tx.keys.expire(old.key_id, old_expires_at)
        detail = {**_audit_detail(key), "replaces": old.key_id, "old_expires_at": old_expires_at.isoformat()}
        await tx.audit.append("key.rotate", key.key_id, detail)
    return IssuedKey(key, text)


async def revoke_key(transactions: Transactions, tenant: str, key_id: str, *, by: Actor) -> ApiKey:
    """Revoke a key at once. Return it unchanged if it was revoked before. Raises ``NotFound``."""
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        key = await tx.keys.locked(key_id)
        if key.revoked_at is not None:
            return key
        await tx.audit.append("key.revoke", key_id, {})
        return await tx.keys.revoke(key_id)


async def give_owner(
    transactions: Transactions,
    tenant: str,
    key_id: str,
    owner: str,
    *,
    by: Actor,
    may: Collection[Permission] = EVERY_PERMISSION,
    now: datetime,
) -> ApiKey:
    """Name the person who uses a key that names none, once and for ever. Return the key unchanged if it names that person.

    ``may``: the permissions of the caller; the key cannot have more, because an owner lets it approve. Raises ``NotFound``,
    ``InvalidParameters`` about ``owner``, ``GrantsTooMuch``, ``KeyOwned``, ``KeyEnded``, and ``KeyReplaced`` for a key that was
    rotated: otherwise one person could get two names, one of each key.
    """
    name = _owner(owner)
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        key = await tx.keys.locked(key_id)
        if key.owner == name:
            return key
        _refuse_missing_scopes(key.roles, key.scopes, may)
        if key.owner is not None:
            raise KeyOwned(key_id, key.owner)
        if not key.is_valid(now):
            raise KeyEnded(key_id)
        if (successor := await tx.keys.successor(key_id)) is not None:
            raise KeyReplaced(key_id, successor)
        await tx.audit.append("key.owner", key_id, {"owner": name})
        return await tx.keys.give_owner(key_id, name)


def _owner(text: str) -> str:
    """Return the name of a person without blanks around it. Raises ``InvalidParameters`` for one without a letter or digit."""
    name = " ".join(text.split())
    if not any(character.isalnum() for character in name) or len(name) > MOST_OWNER:
        why = f"must be the name of the person who uses the key, with a letter or digit, {MOST_OWNER} characters at most"
        raise InvalidParameters(("owner", why, text[:MOST_OWNER]))
    return name


def _refuse_missing_scopes(roles: Iterable[str], scopes: Iterable[str], may: Collection[Permission]) -> None:
    if missing := granted(roles, scopes) - frozenset(may):
        raise GrantsTooMuch(
            f"the key would act with scopes that you do not have: {', '.join(sorted(missing))}; leave them out, or ask someone "
            "who has them",
            scopes=sorted(missing),
        )


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


def _audit_detail(key: ApiKey) -> dict[str, object]:
    expires_at = key.expires_at.isoformat() if key.expires_at is not None else None
    owner = {} if key.owner is None else {"owner": key.owner}
    return {"name": key.name, "roles": list(key.roles), "scopes": list(key.scopes), "expires_at": expires_at, **owner}
