"""Signed links. A row of a link holds nothing that would let its reader use the link.

Links are made and revoked in a transaction (``ports.transaction``) that also records it in the audit log. All methods raise
``Unavailable`` when the store does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aurum.core.access import RatePlan
from aurum.core.errors import Conflict
from aurum.storage.ports.access import ApiKey, Tenant


@dataclass(frozen=True, slots=True)
class Link:
    """A link without its signature.

    ``subject``: its maker, as in ``Caller``. ``read``: path and query of the read, as ``core.links.read_of`` spells it.
    """

    link_id: str
    tenant: str
    subject: str
    read: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LinkCredential:
    """A link with the facts that authentication checks. ``key``: the key of its maker, if that is a key."""

    link: Link
    tenant: Tenant
    plan: RatePlan
    key: ApiKey | None


class TooManyLinks(Conflict):
    """A tenant has as many valid links as it may have. Facts: ``limit``."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the tenant has {most:,} valid links, the most it may have: revoke some with DELETE /v2/links/{{id}}, or wait "
            "until some have expired",
            limit=most,
        )


class LinkStore(Protocol):
    """Reads of links."""

    async def credential(self, link_id: str) -> LinkCredential | None:
        """Return a link with the facts for authentication, before its tenant is known; None when no link has this id."""
        ...

    async def page(
        self, tenant: str, *, subject: str | None = None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Link]:
        """Return links of a tenant, the newest first. ``subject``: only those of this maker. ``before``: creation and id of
        the last one already seen.
        """
        ...

    async def secret(self, proposed: bytes) -> bytes:
        """Return the secret that signs links, which is the same for all processes: the first one proposed is stored."""
        ...

    async def sweep(self) -> int:
        """Delete links that expired more than a day ago and return their number."""
        ...


class LinkWriter(Protocol):
    """Writes of links, for the tenant of a transaction."""

    async def insert(self, link: Link, *, most: int) -> None:
        """Store a new link. ``most``: valid links of the tenant at most.

        Raises ``TooManyLinks``, ``OtherTenant``, ``NotFound`` for an unknown tenant.
        """
        ...

    async def revoke(self, link_id: str, *, subject: str | None = None) -> Link:
        """Revoke a link now and return it; one that was revoked before stays as it is.

        ``subject``: only a link of this maker. Raises ``NotFound``.
        """
        ...
