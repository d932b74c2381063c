"""What an API key looks like: ``aurum_<id>_<secret><check>``.

The id finds the key, the secret proves it: 256 random bits, of which only the SHA-256 is kept, which needs no salt because no
dictionary holds them. The check is a CRC-32 of the rest, so that a typo is told from an unknown key without a look-up, and a
scanner of leaked secrets can tell a key from other text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from aurum.core.errors import Unauthenticated

_FORM = re.compile(r"aurum_([0-9a-f]{16})_([A-Za-z0-9_-]{43})([0-9a-f]{8})")


class MalformedKey(Unauthenticated):
    """Not a key of ours, or one that was not copied whole."""


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key's two parts. ``digest``: SHA-256 of the secret."""

    key_id: str
    digest: bytes


def key_text(random: bytes) -> tuple[str, KeyText]:
    """A key made of 40 random bytes, and what is kept of it. Raises ``ValueError`` for another number of bytes."""
    if len(random) != 40:
        raise ValueError(f"a key is made of 40 random bytes, not of {len(random)}")
    key_id = random[:8].hex()
    secret = base64.urlsafe_b64encode(random[8:]).decode().rstrip("=")
    body = f"aurum_{key_id}_{secret}"
    return body + _check(body), KeyText(key_id, _digest(secret))


def parse_key(text: str) -> KeyText:
    """The parts of a key. Raises ``MalformedKey``; the text never appears in it."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise MalformedKey("this is not an API key")
    key_id, secret, check = found.groups()
    if check != _check(f"aurum_{key_id}_{secret}"):
        raise MalformedKey("this API key was not copied whole")
    return KeyText(key_id, _digest(secret))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _check(body: str) -> str:
    return f"{binascii.crc32(body.encode()):08x}"
