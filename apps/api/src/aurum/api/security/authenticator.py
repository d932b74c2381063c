"""Identification of callers by their credentials. Results are cached: a second request with a credential costs one look-up."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from cachetools import LRUCache

from aurum.common.settings import AccessSettings
from aurum.core.access import Caller, granted, known_roles, person_of_key, person_of_token
from aurum.core.api_keys import parse_key
from aurum.core.clock import Clock
from aurum.core.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.storage.ports.access import KeyStore, TenantStore
from aurum.storage.ports.changes import Change, ChangeKind

if TYPE_CHECKING:
    from aurum.api.security.tokens import TokenVerifier

_MOST = 20_000
"""Number of valid credentials remembered, and of invalid ones."""
_BAD_S = 10.0
_AWAY_S = 1.0
"""Seconds between two look-ups of a known credential while the store does not answer."""

_log = structlog.get_logger(__name__)


class UnknownCredential(Unauthenticated):
    """A key or token that is unknown, expired or revoked."""


class TenantDisabled(Forbidden):
    """The credential is valid and its tenant is disabled. Facts: ``tenant``."""


@dataclass(slots=True)
class Remembered:
    """The result of a look-up: a caller, or why the credential is refused.

    ``until``: it holds until then, ``time.monotonic`` seconds. ``at_most_until``: it holds until then while the store does not
    answer. ``key_id``: the key whose use is recorded.
    """

    caller: Caller | None
    until: float
    error: Unauthenticated | Forbidden | None = None
    key_id: str = ""
    at_most_until: float = 0.0


class Authenticator:
    """Identifies callers by ``Authorization: Bearer <key or token>`` and ``X-API-Key: <key>``.

    ``grace_s``: seconds for which known callers stay known while the store does not answer, though no longer than their key
    or token is valid: without it cached responses could be sent to no caller.
    """

    def __init__(
        self,
        settings: AccessSettings,
        keys: KeyStore,
        tenants: TenantStore,
        clock: Clock,
        tokens: TokenVerifier | None,
        *,
        grace_s: float = 0.0,
    ) -> None:
        self._settings = settings
        self._grace_s = grace_s
        self._keys = keys
        self._tenants = tenants
        self._clock = clock
        self._tokens = tokens
        self._known: LRUCache[bytes, Remembered] = LRUCache(_MOST)
        self._bad: LRUCache[bytes, Remembered] = LRUCache(_MOST)
        """By digest, because any client may send credentials of any length, which must not displace valid ones."""
        self._was_good: LRUCache[bytes, None] = LRUCache(_MOST)
        """Digests of credentials that were valid once. After a change of access they are looked up again, and
        are not limited like unknown ones."""
        self._flights: dict[bytes, asyncio.Task[Remembered]] = {}
        self._used: set[str] = set()
        self.required = settings.mode == "required"
        self._remembered_of = self._known.get

    def changed(self, change: Change) -> None:
        """Forget all credentials after a change of keys, tenants or plans."""
        if change.kind not in (ChangeKind.ACCESS, ChangeKind.EVERYTHING):
            return
        self._known.clear()
        self._bad.clear()
        # A look-up under way may have read the store before the change.
        self._flights.clear()

    def admit(self, value: bytes, now: float) -> Caller | None:
        """Return the caller of a credential that is known to be good, and count its use; None when it has to be looked up.

        ``value``: of ``Authorization`` or ``X-API-Key``. ``now``: ``time.monotonic`` seconds.
        """
        remembered = self._remembered_of(value)
        if remembered is None or remembered.caller is None or remembered.until < now:
            return None
        self._used.add(remembered.key_id)
        return remembered.caller

    async def look_up(self, value: bytes) -> Remembered:
        """Return who sends this value of ``Authorization`` or ``X-API-Key``, or why it is refused; counts its use.

        Requests with one credential at the same time share one look-up, and a refusal is remembered as well. Raises
        ``Unavailable``.
        """
        remembered = await self._look_up_once(value)
        if remembered.caller is not None:
            self._used.add(remembered.key_id)
        return remembered

    def refusal(self, value: bytes, now: float) -> Unauthenticated | Forbidden | None:
        """Return why a credential was refused lately; None when it is good, or has to be looked up."""
        remembered = self._bad.get(_digest(value))
        return remembered.error if remembered is not None and remembered.until >= now else None

    def was_good(self, value: bytes) -> bool:
        """Return whether a credential has been good since the start of this process, whatever has changed since."""
        return _digest(value) in self._was_good

    async def _look_up_once(self, value: bytes) -> Remembered:
        flight = self._flights.get(value)
        if flight is None:
            flight = self._flights[value] = asyncio.create_task(self._look_up(value))
            flight.add_done_callback(lambda _: self._flights.pop(value, None))
        return await asyncio.shield(flight)

    async def _look_up(self, value: bytes) -> Remembered:
        task = asyncio.current_task()
        try:
            result = await self._authenticate(value)
        except (Unauthenticated, Forbidden) as error:
            # Tracebacks would keep the credential in memory.
            error.__cause__ = error.__context__ = None
            result = Remembered(None, time.monotonic() + _BAD_S, error.with_traceback(None))
        except Unavailable:
            known = self._known.get(value)
            now = time.monotonic()
            if known is None or now >= known.at_most_until:
                raise
            known.until = min(now + _AWAY_S, known.at_most_until)
            result = known
        if self._flights.get(value) is task:
            self._remember(value, result)
        return result

    def _remember(self, value: bytes, result: Remembered) -> None:
        digest = _digest(value)
        if result.caller is not None:
            self._known[value] = result
            self._was_good[digest] = None
        else:
            self._known.pop(value, None)
            self._was_good.pop(digest, None)
            self._bad[digest] = result

    async def _authenticate(self, value: bytes) -> Remembered:
        scheme, _, credential = value.decode("latin-1").strip().rpartition(" ")
        if scheme.lower() not in ("", "bearer"):
            raise UnknownCredential(f"the authorization scheme {scheme!r} is not supported: use Bearer")
        if credential.startswith("aurum_"):
            return await self._with_key(credential)
        if self._tokens is None:
            raise UnknownCredential(
                "the credential is not an API key, and this service accepts no tokens (AURUM_ACCESS__ISSUER is not set)"
            )
        return await self._with_token(self._tokens, credential)

    async def _with_key(self, text: str) -> Remembered:
        key = parse_key(text)
        stored = await self._keys.credential(key.key_id)
        now = self._clock.now()
        # The digests are compared before any other check: a client without the secret learns nothing about the key.
        if stored is None or not hmac.compare_digest(stored.digest, key.digest) or not stored.key.is_valid(now):
            raise UnknownCredential("the API key is unknown, expired or revoked")
        if stored.tenant.disabled_at is not None:
            raise TenantDisabled("the tenant is disabled", tenant=stored.tenant.tenant_id)
        scopes = granted(stored.key.roles, stored.key.scopes)
        roles = known_roles(stored.key.roles)
        subject, person = f"key:{key.key_id}", person_of_key(stored.key.owner)
        caller = Caller(stored.tenant.tenant_id, subject, scopes, stored.plan, roles, stored.key.name, person)
        ends_at = stored.key.expires_at
        left = (ends_at - now).total_seconds() if ends_at is not None else float("inf")
        return self._remembered(caller, left, key.key_id)

    async def _with_token(self, tokens: TokenVerifier, text: str) -> Remembered:
        claims = await tokens.verify(text)
        try:
            tenant, plan = await self._tenants.tenant(claims.tenant)
        except NotFound as error:
            raise UnknownCredential("the token names a tenant that this service does not know") from error
        if tenant.disabled_at is not None:
            raise TenantDisabled("the tenant is disabled", tenant=tenant.tenant_id)
        scopes, roles = granted(claims.roles, claims.scopes), known_roles(claims.roles)
        person = person_of_token(claims.subject)
        caller = Caller(tenant.tenant_id, f"user:{claims.subject}", scopes, plan, roles, person=person)
        return self._remembered(caller, claims.expires_at - self._clock.now().timestamp())

    def _remembered(self, caller: Caller, left: float, key_id: str = "") -> Remembered:
        """Return the cached result for a caller whose credential is valid for ``left`` seconds."""
        now, known_s = time.monotonic(), self._settings.remembered_s
        until, at_most = now + min(left, known_s), now + min(left, known_s + self._grace_s)
        return Remembered(caller, until, key_id=key_id, at_most_until=at_most)

    async def flush_often(self) -> None:
        """Call ``flush`` every minute until cancelled."""
        while True:
            await asyncio.sleep(60)
            await self.flush()

    async def flush(self) -> None:
        """Write when keys were last used. While the store does not answer, these times are lost and nothing else."""
        self._used.discard("")
        used, self._used = self._used, set()
        if not used:
            return
        try:
            await self._keys.note_used(dict.fromkeys(used, self._clock.now()))
        except Unavailable as error:
            _log.warning("last use of keys not recorded", keys=len(used), reason=error.detail)


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()
