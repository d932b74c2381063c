"""Callers that come by a signed link.

The parameters of a link leave the address before any other layer sees it, so that no trace, log line, error document or cache
holds a signature.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from cachetools import LRUCache
from pydantic import SecretStr
from starlette.types import Scope

from aurum.api.http.request_state import RequestState
from aurum.common.settings import LinksSettings
from aurum.core.access import LOCAL, Caller, granted
from aurum.core.clock import Clock
from aurum.core.errors import Forbidden, Gone, Unauthenticated
from aurum.core.links import LINK, READ_SCOPES, SIGNATURE, is_signed, read_of
from aurum.services.access import signing_secret
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.links import LinkCredential, LinkStore

_SIGNATURE_BYTES = SIGNATURE.encode() + b"="
_LINK_BYTES = LINK.encode() + b"="
_MOST = 10_000
_NEVER_SIGNED = "-"
"""Stands for a signature that was sent empty or twice: no link has it."""


class UnknownLink(Unauthenticated):
    """A link that was never signed, or whose address was changed. The text does not tell which."""

    def __init__(self) -> None:
        super().__init__(
            "this link is unknown, or its address was changed: a link answers GET and HEAD of exactly the read that it was "
            "made for; make one with POST /v2/links"
        )


class LinkEnded(Gone):
    """A link that has expired or was revoked, or whose maker's key has."""


def take_link(scope: Scope, state: RequestState) -> None:
    """Move the parameters of a signed link from the address to the state of the request."""
    if _SIGNATURE_BYTES not in scope["query_string"]:
        return
    rest: list[bytes] = []
    links: list[bytes] = []
    signatures: list[bytes] = []
    for pair in scope["query_string"].split(b"&"):
        if pair.startswith(_SIGNATURE_BYTES):
            signatures.append(pair.removeprefix(_SIGNATURE_BYTES))
        elif pair.startswith(_LINK_BYTES):
            links.append(pair.removeprefix(_LINK_BYTES))
        else:
            rest.append(pair)
    if not signatures:
        return
    scope["query_string"] = b"&".join(rest)
    is_whole = len(links) == len(signatures) == 1 and signatures[0]
    state.signature = signatures[0].decode("latin-1") if is_whole else _NEVER_SIGNED
    state.link = links[0].decode("latin-1") if is_whole else ""


@dataclass(slots=True)
class _Known:
    """A look-up of a link; ``until``: ``time.monotonic`` seconds."""

    credential: LinkCredential | None
    until: float


class LinkVerifier:
    """Identifies callers by signed links. ``remembered_s``: for how long a look-up is reused; revocations end it at once.

    ``required``: callers need a credential; then links that were made without one are refused.
    """

    def __init__(self, links: LinkStore, settings: LinksSettings, clock: Clock, *, remembered_s: float, required: bool) -> None:
        self._links = links
        self._setting: SecretStr | None = settings.secret
        self._clock = clock
        self._remembered_s = remembered_s
        self._required = required
        self._secret: bytes | None = None
        self._known: LRUCache[str, _Known] = LRUCache(_MOST)

    def changed(self, change: Change) -> None:
        """Forget look-ups after a change of links, keys, tenants or plans: a listener of the change feed."""
        if change.kind in (ChangeKind.LINKS, ChangeKind.ACCESS, ChangeKind.EVERYTHING):
            # A new cache: a look-up under way may have read the store before the change.
            self._known = LRUCache(_MOST)

    async def secret(self) -> bytes:
        """Return the secret that signs links. Raises ``Unavailable``."""
        if self._secret is None:
            setting = self._setting.get_secret_value() if self._setting is not None else None
            self._secret = await signing_secret(self._links, setting)
        return self._secret

    async def caller(self, scope: Scope, state: RequestState) -> Caller:
        """Return the caller of a request by a link: its maker, with the scopes of the link.

        Raises ``UnknownLink``, ``LinkEnded``, ``Forbidden`` when the tenant is disabled, ``Unavailable``.
        """
        signature, name = state.signature, state.link
        # Until the link is checked, its id is a text of a stranger.
        state.signature = state.link = ""
        if scope["method"] not in ("GET", "HEAD"):
            raise UnknownLink
        read = read_of(scope["path"], scope["query_string"].decode("latin-1"))
        # Before any look-up: a stranger learns nothing, and costs the store nothing.
        if not is_signed(await self.secret(), name, read, signature):
            raise UnknownLink
        credential = await self._credential(name)
        if credential is None or credential.link.read != read:
            raise UnknownLink
        caller = self._caller(credential)
        state.link = name
        return caller

    async def _credential(self, name: str) -> LinkCredential | None:
        now = time.monotonic()
        known = self._known.get(name)
        if known is None or now >= known.until:
            cache = self._known
            known = _Known(await self._links.credential(name), now + self._remembered_s)
            cache[name] = known
        return known.credential

    def _caller(self, credential: LinkCredential) -> Caller:
        link, key, now = credential.link, credential.key, self._clock.now()
        if now >= link.expires_at:
            raise LinkEnded("the link has expired: make a new one with POST /v2/links")
        if link.revoked_at is not None:
            raise LinkEnded("the link was revoked: make a new one with POST /v2/links")
        if credential.tenant.disabled_at is not None:
            raise Forbidden("the tenant is disabled", tenant=credential.tenant.tenant_id)
        scopes = READ_SCOPES & granted((), link.scopes)
        if link.subject.startswith("key:"):
            if key is None or not key.is_valid(now):
                raise LinkEnded("the key that made the link has expired or was revoked: make a new one with another key")
            scopes &= granted(key.roles, key.scopes)
        elif link.subject == LOCAL.subject:
            if self._required:
                raise LinkEnded("the link was made when this service needed no credential: make a new one with a key")
            return Caller(link.tenant, link.subject, scopes)
        return Caller(link.tenant, link.subject, scopes, credential.plan)
