"""JSON Web Tokens of an OpenID Connect issuer (RFC 7519, RFC 7517, OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx
import jwt
import structlog
from jwt import PyJWK, PyJWKSet

from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.errors import Refused
from aurum.common.resilience.guards import Guards
from aurum.common.resilience.retry import Retry, repeatable
from aurum.common.resilience.timeout import Timeout
from aurum.common.settings import AccessSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.access import MalformedTenantId, parse_tenant_id
from aurum.core.errors import Unauthenticated, Unavailable

_log = structlog.get_logger(__name__)
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]


class InvalidToken(Unauthenticated):
    """A token that is not taken; the text says why and holds nothing of it."""


class IssuerAway(Unavailable):
    """The issuer's keys cannot be had, and none are known."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. ``expires_at``: POSIX seconds."""

    subject: str
    tenant: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: float


Fetch: TypeAlias = Callable[[str], Awaitable[dict[str, Any]]]


class IssuerProtection:
    """From an identity provider that fails or is silent: a timeout over retries over a circuit breaker."""

    def __init__(self, settings: ResilienceSettings) -> None:
        name = "identity provider"
        self._timeout = Timeout(name, seconds=settings.retry_within_s)
        self._retry = Retry(name, settings, on=(httpx.TransportError,))
        self._breaker = Breaker(name, settings, counts=(httpx.HTTPError,))
        self.guards = Guards(circuits=(self._breaker,), retries=(self._retry,), timeouts=(self._timeout,))

    def over(self, fetch: Fetch) -> Fetch:
        """The same, protected. ``fetch`` is safe to repeat: it reads."""
        return self._timeout()(self._retry(repeatable(self._breaker()(fetch))))


class TokenVerifier:
    """Checks tokens of one issuer: signature, issuer, audience and times. ``protection``: from the issuer."""

    def __init__(self, settings: AccessSettings, client: httpx.AsyncClient, protection: IssuerProtection) -> None:
        if settings.issuer is None:
            raise ValueError("AccessSettings.issuer is needed to verify tokens")
        self._settings = settings
        self._client = client
        self._get = protection.over(self._document)
        self._keys: Mapping[str, PyJWK] = {}
        self._stale_at = float("-inf")
        self._ask_again_at = float("-inf")
        self._flight: asyncio.Task[None] | None = None

    async def verify(self, token: str) -> Claims:
        """What a token says. Raises ``InvalidToken``, ``IssuerAway``."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise InvalidToken("this is neither an API key nor a token") from error
        if header.get("alg") not in self._settings.algorithms:
            raise InvalidToken(f"tokens must be signed with one of {', '.join(self._settings.algorithms)}")
        key = await self._key(str(header.get("kid", "")))
        try:
            said = jwt.decode(
                token,
                key,
                # Of the settings, never of the token: else "none", or our public key as a shared secret, would do.
                algorithms=list(self._settings.algorithms),
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=self._settings.leeway_s,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise InvalidToken(f"the token is not taken: {error}") from error
        return self._claims(said)

    async def look(self) -> int:
        """How many keys of the issuer are known; asks it when they are old, no more often than tokens make us ask."""
        now = time.monotonic()
        if now >= self._stale_at and (self._flight is not None or now >= self._ask_again_at):
            await self._fetched()
        return len(self._keys)

    def _claims(self, said: Mapping[str, Any]) -> Claims:
        tenant, roles = _at(said, self._settings.tenant_claim), _at(said, self._settings.roles_claim)
        if not isinstance(tenant, str):
            raise InvalidToken(f"the token names no tenant in {self._settings.tenant_claim}")
        try:
            parse_tenant_id(tenant)
        except MalformedTenantId as error:
            raise InvalidToken(f"the token names no tenant in {self._settings.tenant_claim}") from error
        listed = roles if isinstance(roles, list) else []
        scopes = said.get("scope", "")
        return Claims(
            subject=str(said["sub"]),
            tenant=tenant,
            roles=tuple(role for role in listed if isinstance(role, str)),
            scopes=tuple(scopes.split()) if isinstance(scopes, str) else (),
            expires_at=float(said["exp"]) + self._settings.leeway_s,
        )

    async def _key(self, key_id: str) -> PyJWK:
        now = time.monotonic()
        if (now >= self._stale_at or key_id not in self._keys) and (self._flight is not None or now >= self._ask_again_at):
            await self._fetched()
        if not self._keys:
            raise IssuerAway("the identity provider's keys cannot be had", retry_after=self._settings.jwks_pause_s)
        found = self._keys.get(key_id)
        if found is None:
            raise InvalidToken("the token is signed with a key that its issuer does not publish")
        return found

    async def _fetched(self) -> None:
        """Once for all who need it at the same time; who gives up does not take it from the others."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch())
            self._flight.add_done_callback(self._landed)
        await asyncio.shield(self._flight)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None

    async def _fetch(self) -> None:
        try:
            document = await self._get(self._settings.jwks_url or await self._discovered())
            _refuse_other_than_keys(document)
            keys = PyJWKSet.from_dict(document).keys
        except (Refused, httpx.HTTPError, httpx.InvalidURL, jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            # Those we know stay good. Neither an issuer that is away nor tokens with made-up keys may make us hammer it.
            _log.warning("keys of the identity provider not fetched", reason=f"{type(error).__name__} {error}")
        else:
            self._keys = {key.key_id or "": key for key in keys}
            self._stale_at = time.monotonic() + self._settings.jwks_ttl_s
        finally:
            self._ask_again_at = time.monotonic() + self._settings.jwks_pause_s

    async def _discovered(self) -> str:
        issuer = (self._settings.issuer or "").rstrip("/")
        return str((await self._get(f"{issuer}/.well-known/openid-configuration"))["jwks_uri"])

    async def _document(self, url: str) -> dict[str, Any]:
        answer = await self._client.get(url)
        answer.raise_for_status()
        document = answer.json()
        if not isinstance(document, dict):
            raise ValueError(f"{url} holds {type(document).__name__} where an object should be")
        return document


def _refuse_other_than_keys(document: Mapping[str, Any]) -> None:
    """Raises ``ValueError`` for what is no set of keys (RFC 7517, 5)."""
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("keys must be a list of objects")


def _at(said: Mapping[str, Any], path: str) -> object:
    found: object = said
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
