"""Signed links: an address that answers one read without a key, for readers that cannot send a header.

    /v2/observations?series=...&format=parquet&link=<id>&signature=<signature>

The signature is an HMAC-SHA-256 over the id and the read. It names the read by its decoded path and parameters, because
readers write percent-encodings in ways of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote, unquote, urlencode

from aurum.core.access import Permission

LINK, SIGNATURE = "link", "signature"
"""The parameters of a link."""

LONGEST_S = 86_400
"""Longest time, in seconds, for which a link may be valid."""

READ_SCOPES = frozenset(
    {
        Permission.SERIES_READ,
        Permission.CATALOG_READ,
        Permission.CURVES_READ,
        Permission.PRIVATE_READ,
        Permission.SCENARIOS_READ,
        Permission.PPA_READ,
    }
)
"""The only scopes that a link can have."""

SECRET_BYTES = 32
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
# Blanks, brackets and asterisks mean something else to some readers, so they are encoded.
_PLAIN_IN_PATH, _PLAIN_IN_QUERY = "/:,", "/:,"


def link_id(random: bytes) -> str:
    """Return the id of a new link. Raises ``ValueError`` for another number of bytes than 16."""
    if len(random) != 16:
        raise ValueError(f"the id of a link needs 16 random bytes, got {len(random)}")
    return random.hex()


def read_of(path: str, query: str) -> str:
    """Return the one spelling of a read. ``path``: decoded; ``query``: as it was sent, without the parameters of the link."""
    pairs = parse_qsl(query, keep_blank_values=True)
    text = quote(path, safe=_PLAIN_IN_PATH)
    return f"{text}?{urlencode(pairs, quote_via=quote, safe=_PLAIN_IN_QUERY)}" if pairs else text


def read_of_text(text: str) -> tuple[str, str]:
    """Return the decoded path of a read as a user writes it, and its one spelling."""
    path, _, query = text.partition("?")
    path = unquote(path)
    return path, read_of(path, query)


def sign(secret: bytes, link: str, read: str) -> str:
    """Return the signature of a link. ``read``: as ``read_of`` returns it."""
    digest = hmac.new(secret, f"aurum link 1\0{link}\0{read}".encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_signed(secret: bytes, link: str, read: str, signature: str) -> bool:
    """Return whether a signature is that of a link, in a time that does not tell how much of it is right."""
    if _ID.fullmatch(link) is None:
        return False
    return hmac.compare_digest(sign(secret, link, read).encode(), signature.encode("utf-8", "surrogateescape"))


def address(read: str, link: str, signature: str) -> str:
    """Return the address of a link, without scheme and host."""
    return f"{read}{'&' if '?' in read else '?'}{LINK}={link}&{SIGNATURE}={signature}"
