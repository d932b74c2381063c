"""Signed links: creation, revocation, and the secret that signs them."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from aurum.core.access import Permission
from aurum.core.links import READ_SCOPES, SECRET_BYTES, address, link_id, sign
from aurum.storage.ports.access import Actor
from aurum.storage.ports.links import Link, LinkStore
from aurum.storage.ports.transaction import Transactions


@dataclass(frozen=True, slots=True)
class NewLink:
    """A request for a link. ``subject``: its maker, as in ``Caller``. ``read``: as ``core.links.read_of`` spells it."""

    tenant: str
    subject: str
    read: str
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A new link and its address, which holds the signature and is stored nowhere. It begins with the path."""

    link: Link
    address: str


async def signing_secret(links: LinkStore, setting: str | None) -> bytes:
    """Return the secret that signs links: that of the setting, else the one in the store, which is made at the first use."""
    if setting is not None:
        return setting.encode()
    return await links.secret(secrets.token_bytes(SECRET_BYTES))


async def create_link(
    transactions: Transactions,
    request: NewLink,
    secret: bytes,
    *,
    by: Actor,
    may: Collection[Permission],
    most: int,
    now: datetime,
) -> IssuedLink:
    """Create a link. ``may``: the permissions of its maker; the link gets those that only read.

    ``most``: valid links of the tenant at most. Raises ``TooManyLinks``, ``NotFound`` for an unknown tenant.
    """
    name = link_id(secrets.token_bytes(16))
    scopes = tuple(sorted(str(scope) for scope in READ_SCOPES.intersection(may)))
    link = Link(name, request.tenant, request.subject, request.read, scopes, now, now + request.lasts)
    async with transactions.transaction(by=by, tenant=link.tenant) as tx:
        await tx.links.insert(link, most=most)
        detail = {"read": link.read, "scopes": list(scopes), "expires_at": link.expires_at}
        await tx.audit.append("link.create", name, detail)
    return IssuedLink(link, address(link.read, name, sign(secret, name, link.read)))


async def revoke_link(transactions: Transactions, tenant: str, name: str, *, subject: str | None = None, by: Actor) -> Link:
    """Revoke a link at once. ``subject``: only a link of this maker. Raises ``NotFound``."""
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        link = await tx.links.revoke(name, subject=subject)
        await tx.audit.append("link.revoke", name, {})
        return link
