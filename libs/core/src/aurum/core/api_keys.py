"""The format of API keys: ``aurum_<id>_<secret><check>``.

The id identifies the key and the secret proves it. The secret has 256 random bits; only its SHA-256 is stored, without a salt,
because no dictionary contains random bits. The check is a CRC-32 of the rest: it distinguishes a mistyped key from an unknown
one without a look-up, and lets a scanner for leaked secrets recognize keys.
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
    """A text that is not an API key of Aurum, or a key that was copied incompletely."""


@dataclass(frozen=True, slots=True)
class KeyText:
    """The parts of an API key that are stored. ``digest``: SHA-256 of the secret."""

    key_id: str
    digest: bytes


def key_text(random: bytes) -> tuple[str, KeyText]:
    """Return the key for 40 random bytes, and its parts to store. Raises ``ValueError`` for another number of bytes."""
    if len(random) != 40:
        raise ValueError(f"a key needs 40 random bytes, got {len(random)}")
    key_id = random[:8].hex()
    secret = base64.urlsafe_b64encode(random[8:]).decode().rstrip("=")
    body = f"aurum_{key_id}_{secret}"
    return body + _check(body), KeyText(key_id, _digest(secret))


def parse_key(text: str) -> KeyText:
    """Return the parts of a key. Raises ``MalformedKey``, which never contains the text."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise MalformedKey("this is not an API key")
    key_id, secret, check = match.groups()
    if check != _check(f"aurum_{key_id}_{secret}"):
        raise MalformedKey("this API key was not copied whole")
    return KeyText(key_id, _digest(secret))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _check(body: str) -> str:
    return f"{binascii.crc32(body.encode()):08x}"
