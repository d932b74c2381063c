"""Opaque, signed positions in a list: a client can hand one back, not make one up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

_SIGNATURE_BYTES = 16


class ForgedCursor(ValueError):
    """A cursor this service did not issue, or issued for another list or other filters. The text says which."""


def seal(secret: bytes, *, scope: str, position: list[str]) -> str:
    """A URL-safe text that holds a position in the list that ``scope`` names (route and filters)."""
    payload = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(secret, scope, payload) + payload).decode().rstrip("=")


def unseal(secret: bytes, text: str, *, scope: str) -> list[str]:
    """The position a cursor holds. Raises ``ForgedCursor``."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise ForgedCursor("the cursor is not one this service issued") from error
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(secret, scope, payload)):
        raise ForgedCursor("the cursor is not one this service issued for this list and these filters")
    return json.loads(payload)


def _sign(secret: bytes, scope: str, payload: bytes) -> bytes:
    return hmac.new(secret, scope.encode() + b"\0" + payload, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
