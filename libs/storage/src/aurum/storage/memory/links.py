"""Signed links in a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aurum.core.clock import Clock
from aurum.core.errors import NotFound, UnknownName
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.access import OtherTenant
from aurum.storage.ports.links import Link, LinkCredential, TooManyLinks


class MemoryLinkStore:
    """``LinkStore`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def credential(self, link_id: str) -> LinkCredential | None:
        link = self._state.links.get(link_id)
        if link is None:
            return None
        tenant = self._state.tenants[link.tenant]
        key, _ = self._state.keys.get(link.subject.removeprefix("key:"), (None, None))
        return LinkCredential(link, tenant, self._state.plans[tenant.plan], key)

    async def page(
        self, tenant: str, *, subject: str | None = None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Link]:
        links = [
            link
            for link in self._state.links.values()
            if link.tenant == tenant
            and subject in (None, link.subject)
            and (before is None or (link.created_at, link.link_id) < before)
        ]
        return sorted(links, key=lambda link: (link.created_at, link.link_id), reverse=True)[:limit]

    async def secret(self, proposed: bytes) -> bytes:
        async with self._state.lock:
            return self._state.secrets.setdefault("links", proposed)

    async def sweep(self) -> int:
        async with self._state.lock:
            now = self._clock.now()
            gone = [name for name, link in self._state.links.items() if link.expires_at < now - timedelta(days=1)]
            for name in gone:
                del self._state.links[name]
            return len(gone)


class MemoryLinkWriter:
    """``LinkWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock, tenant: str) -> None:
        self._state = state
        self._clock = clock
        self._tenant = tenant

    async def insert(self, link: Link, *, most: int) -> None:
        if link.tenant != self._tenant:
            raise OtherTenant(self._tenant, link.tenant)
        if link.tenant not in self._state.tenants:
            raise UnknownName("tenant", link.tenant)
        valid = [
            one
            for one in self._state.links.values()
            if one.tenant == link.tenant and one.revoked_at is None and one.expires_at > link.created_at
        ]
        if len(valid) >= most:
            raise TooManyLinks(most)
        self._state.links[link.link_id] = link

    async def revoke(self, link_id: str, *, subject: str | None = None) -> Link:
        link = self._state.links.get(link_id)
        if link is None or link.tenant != self._tenant or subject not in (None, link.subject):
            raise NotFound(f"link {link_id!r} does not exist", link_id=link_id)
        if link.revoked_at is None:
            link = self._state.links[link_id] = replace(link, revoked_at=self._clock.now())
        return link
