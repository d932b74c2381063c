"""JSON Web Tokens of an OpenID Connect issuer (RFC 7519, RFC 7517, OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import asyncio
import json
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
from aurum.common.resilience.retry import Retry
from aurum.common.resilience.timeout import Timeout
from aurum.common.settings import AccessSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.access import MalformedTenantId, parse_tenant_id
from aurum.core.errors import Unauthenticated, Unavailable

_log = structlog.get_logger(__name__)
_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)
"""Errors of reading JSON that any client may send: it may be nested very deeply, or hold other values than expected."""
_MOST_BYTES = 1 << 20
"""Longest document of an issuer."""
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]


class InvalidToken(Unauthenticated):
    """A token that is refused; the text says why and holds no part of the token."""


class IssuerAway(Unavailable):
    """The keys of the issuer cannot be fetched, and none are known."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token. ``expires_at``: POSIX seconds."""

    subject: str
    tenant: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: float


Fetch: TypeAlias = Callable[[str], Awaitable[dict[str, Any]]]


class IssuerProtection:
    """Protection from an identity provider that fails or does not answer: a timeout, retries, and a circuit breaker."""

    def __init__(self, settings: ResilienceSettings) -> None:
        name = "identity provider"
        self._timeout = Timeout(name, seconds=settings.retry_within_s)
        self._retry = Retry(name, settings, on=(httpx.TransportError,))
        self._breaker = Breaker(name, settings, counts=(httpx.HTTPError,))
        self.guards = Guards(circuits=(self._breaker,), retries=(self._retry,), timeouts=(self._timeout,))

    def over(self, fetch: Fetch) -> Fetch:
        """Return ``fetch`` with this protection. It is safe to repeat: it reads."""

        async def protected(url: str) -> dict[str, Any]:
            async with self._timeout():
                async for attempt in self._retry.attempts():
                    with attempt:
                        async with self._breaker():
                            return await fetch(url)
            raise AssertionError  # the last attempt answers or raises

        return protected


class TokenVerifier:
    """Checks tokens of one issuer: signature, issuer, audience and times. ``protection``: from failures of the issuer."""

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
        """Return the claims of a valid token. Raises ``InvalidToken``, ``IssuerAway``."""
        try:
            header = jwt.get_unverified_header(token)
        except _MALFORMED as error:
            raise InvalidToken("the credential is neither an API key nor a token") from error
        if header.get("alg") not in self._settings.algorithms:
            raise InvalidToken(f"tokens must be signed with one of {', '.join(self._settings.algorithms)}")
        key = await self._key(str(header.get("kid", "")))
        try:
            claims = jwt.decode(
                token,
                key,
                # From the settings, never from the token: else "none", or the public key as a shared secret, would be accepted.
                algorithms=list(self._settings.algorithms),
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=self._settings.leeway_s,
                options={"require": _REQUIRED},
            )
            return self._claims(claims)
        except jwt.PyJWTError as error:
            raise InvalidToken(f"the token is invalid: {error}") from error
        except _MALFORMED as error:
            raise InvalidToken("the token is invalid: its claims cannot be read") from error

    async def look(self) -> int:
        """Return the number of known keys of the issuer; fetches them when they are old, as often as for tokens at most."""
        now = time.monotonic()
        if now >= self._stale_at and (self._flight is not None or now >= self._ask_again_at):
            await self._fetched()
        return len(self._keys)

    def _claims(self, claims: Mapping[str, Any]) -> Claims:
        tenant, roles = _at(claims, self._settings.tenant_claim), _at(claims, self._settings.roles_claim)
        if not isinstance(tenant, str):
            raise InvalidToken(f"the token names no tenant in {self._settings.tenant_claim}")
        try:
            parse_tenant_id(tenant)
        except MalformedTenantId as error:
            raise InvalidToken(f"the token names no tenant in {self._settings.tenant_claim}") from error
        listed = roles if isinstance(roles, list) else []
        scopes = claims.get("scope", "")
        return Claims(
            subject=str(claims["sub"]),
            tenant=tenant,
            roles=tuple(role for role in listed if isinstance(role, str)),
            scopes=tuple(scopes.split()) if isinstance(scopes, str) else (),
            expires_at=float(claims["exp"]) + self._settings.leeway_s,
        )

    async def _key(self, key_id: str) -> PyJWK:
        now = time.monotonic()
        if (now >= self._stale_at or key_id not in self._keys) and (self._flight is not None or now >= self._ask_again_at):
            await self._fetched()
        if not self._keys:
            raise IssuerAway("the keys of the identity provider cannot be fetched", retry_after=self._settings.jwks_pause_s)
        key = self._keys.get(key_id)
        if key is None:
            raise InvalidToken("the token is signed with a key that its issuer does not publish")
        return key

    async def _fetched(self) -> None:
        """Fetch the keys, once for all requests that wait; a request that is cancelled does not cancel it for the others."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch())
            self._flight.add_done_callback(self._landed)
        await asyncio.shield(self._flight)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None

    async def _fetch(self) -> None:
        try:
            document = await self._get(self._settings.jwks_url or await self._discovered())
            keys = PyJWKSet.from_dict({"keys": _verifying_keys(document)}).keys
        except (Refused, httpx.HTTPError, httpx.InvalidURL, *_MALFORMED) as error:
            # Known keys stay valid. Neither a failing issuer nor tokens with invented key ids may cause many requests to it.
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
        content = bytearray()
        async with self._client.stream("GET", url) as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > _MOST_BYTES:
                    raise ValueError(f"{url} holds more than {_MOST_BYTES} bytes")
        document = json.loads(content)
        if not isinstance(document, dict):
            raise ValueError(f"{url} holds {type(document).__name__} where an object should be")
        return document


def _verifying_keys(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the keys that verify signatures (RFC 7517, 4.2 and 4.3); keys for encryption are published beside them.

    Raises ``ValueError`` for a document that is not a set of keys (RFC 7517, 5)."""
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("keys must be a list of objects")
    return [key for key in keys if key.get("use", "sig") == "sig" and "verify" in key.get("key_ops", ["verify"])]


def _at(claims: Mapping[str, Any], path: str) -> object:
    value: object = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
