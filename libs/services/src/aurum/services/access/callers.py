"""The caller behind an API key, for commands that act as a person. The service has a cache before its own look-up."""

from __future__ import annotations

import hmac
from datetime import datetime

from aurum.core.access import Caller, granted, known_roles, person_of_key
from aurum.core.api_keys import parse_key
from aurum.core.errors import Forbidden, Unauthenticated
from aurum.storage.ports.access import KeyStore


async def caller_of_key(keys: KeyStore, text: str, *, now: datetime) -> Caller:
    """Return the caller of a key. Raises ``Unauthenticated``, and ``Forbidden`` for a tenant that is disabled."""
    key = parse_key(text)
    stored = await keys.credential(key.key_id)
    # The digests are compared before any other check, as in the service.
    if stored is None or not hmac.compare_digest(stored.digest, key.digest) or not stored.key.is_valid(now):
        raise Unauthenticated("the API key is unknown, expired or revoked")
    if stored.tenant.disabled_at is not None:
        raise Forbidden("the tenant is disabled", tenant=stored.tenant.tenant_id)
    return Caller(
        stored.tenant.tenant_id,
        f"key:{key.key_id}",
        granted(stored.key.roles, stored.key.scopes),
        stored.plan,
        known_roles(stored.key.roles),
        stored.key.name,
        person_of_key(stored.key.owner),
    )
