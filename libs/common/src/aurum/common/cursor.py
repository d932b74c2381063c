"""Signed cursors: positions in a list that a client can send back, but not read or make up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

_SIGNATURE_BYTES = 16


class ForgedCursor(ValueError):
    """A cursor that this service did not issue, or issued for another list or other filters. The text says which."""


def seal(secret: bytes, *, scope: str, position: list[str]) -> str:
    """Return a URL-safe cursor for a position in a list. ``scope``: names the list (route and filters)."""
    payload = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(secret, scope, payload) + payload).decode().rstrip("=")


def unseal(secret: bytes, text: str, *, scope: str) -> list[str]:
    """Return the position in a cursor of the list ``scope``. Raises ``ForgedCursor``."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise ForgedCursor("the cursor was not issued by this service: use next_cursor of an answer, unchanged") from error
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(secret, scope, payload)):
        raise ForgedCursor("the cursor was not issued by this service for this list and these filters: begin without a cursor")
    return json.loads(payload)


def _sign(secret: bytes, scope: str, payload: bytes) -> bytes:
    return hmac.new(secret, scope.encode() + b"\0" + payload, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
