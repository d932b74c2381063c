"""Entity tags made from data versions: equal tags mean equal bytes, and no observation is read to make them."""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request

from aurum.api.http.request_state import state_of

_CODING = re.compile(rb'-(?:zstd|br|gzip)"')
_FORMAT_VERSION = "3"
"""Raise it when a release changes the bytes of a response for the same data and query."""


def entity_tag(*parts: object) -> str:
    """Return a strong, quoted tag of everything that a response depends on."""
    text = "\0".join([_FORMAT_VERSION, *map(str, parts)])
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def is_current(request: Request, tag: str) -> bool:
    """Return whether the client has the response with this tag (``If-None-Match``, weak comparison)."""
    header = state_of(request.scope).request_headers.get(b"if-none-match")
    return header is not None and names_tag(without_coding(header), tag.encode())


def names_tag(if_none_match: bytes, tag: bytes | None) -> bool:
    """Return whether an ``If-None-Match`` names a tag (weak comparison, RFC 9110, 13.1.2)."""
    if if_none_match == tag:
        return True
    if tag is None:
        return False
    if if_none_match.strip() == b"*":
        return True
    return any(candidate.strip().removeprefix(b"W/") == tag for candidate in if_none_match.split(b","))


def matches_tag(if_match: str, tag: str | None) -> bool:
    """Return whether an ``If-Match`` names the current tag (strong comparison, RFC 9110, 13.1.1).

    ``tag``: None when the resource does not exist.
    """
    return tag is not None and (if_match.strip() == "*" or tag in [each.strip() for each in if_match.split(",")])


def tag_of_coding(tag: bytes, coding: str) -> bytes:
    """Return the strong tag of a response in a content coding: ``"abc"`` becomes ``"abc-zstd"``. Weak tags stay the same."""
    return tag if tag.startswith(b"W/") else tag.removesuffix(b'"') + b"-" + coding.encode() + b'"'


def without_coding(if_none_match: bytes) -> bytes:
    """Return an ``If-None-Match`` with the tags of the response before compression."""
    return _CODING.sub(b'"', if_none_match)
