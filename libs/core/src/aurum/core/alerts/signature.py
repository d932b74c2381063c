"""Signatures of webhooks, by the scheme of Standard Webhooks (https://www.standardwebhooks.com).

The signed text is ``<delivery id>.<seconds since 1970>.<body>``, the signature ``v1,`` and the base64 of its HMAC-SHA-256. A
secret is ``whsec_`` and the base64 of its bytes. Receivers refuse old times, so that a recorded request cannot be sent again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from aurum.core.errors import Invalid

SECRET_BYTES = 32
TOLERANCE_S = 300
"""Seconds by which the time of a request may differ from a receiver's clock."""
_PREFIX = "whsec_"


class InvalidSecret(Invalid):
    """A text that is not a secret of webhooks."""


def secret_text(random: bytes) -> str:
    """Return a secret as users see it, made of ``SECRET_BYTES`` random bytes."""
    return _PREFIX + base64.b64encode(random).decode()


def secret_bytes(text: str) -> bytes:
    """Return the bytes of a secret. Raises ``InvalidSecret``."""
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise InvalidSecret("the secret of a webhook is whsec_ and base64") from error


def sign(secret: str, delivery: str, at: int, body: bytes) -> str:
    """Return the signature of a delivery. ``at``: seconds since 1970. Raises ``InvalidSecret``."""
    digest = hmac.new(secret_bytes(secret), f"{delivery}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(secrets: Sequence[str], delivery: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery, signed with each secret: while one replaces another, receivers know either."""
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(sign(secret, delivery, at, body) for secret in secrets),
    }
