"""Entity tags from data versions: two equal tags mean equal bytes, without reading an observation."""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request

from aurum.api.http.request_state import state_of

_CODING = re.compile(rb'-(?:zstd|br|gzip)"')
_FORMAT_VERSION = "1"
"""Raise it when the bytes of an answer change while data and query do not."""


def entity_tag(*parts: object) -> str:
    """A strong, quoted tag of everything an answer depends on."""
    text = "\0".join([_FORMAT_VERSION, *map(str, parts)])
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def is_current(request: Request, tag: str) -> bool:
    """Whether the caller already has what the tag stands for (``If-None-Match``, weak comparison)."""
    given = state_of(request.scope).request_headers.get(b"if-none-match")
    return given is not None and names_tag(without_coding(given), tag.encode())


def names_tag(given: bytes, tag: bytes | None) -> bool:
    """Whether an ``If-None-Match`` names a tag (weak comparison, RFC 9110, 13.1.2)."""
    if given == tag:
        return True
    if tag is None:
        return False
    return given.strip() == b"*" or any(candidate.strip().removeprefix(b"W/") == tag for candidate in given.split(b","))


def matches_tag(given: str, tag: str | None) -> bool:
    """Whether an ``If-Match`` names the tag of what there is (strong comparison, RFC 9110, 13.1.1); None: there is nothing."""
    return tag is not None and (given.strip() == "*" or tag in [one.strip() for one in given.split(",")])


def tag_of_coding(tag: bytes, coding: str) -> bytes:
    """The strong tag of an answer in a content coding: ``"abc"`` becomes ``"abc-zstd"``. Weak ones stand for all codings."""
    return tag if tag.startswith(b"W/") else tag.removesuffix(b'"') + b"-" + coding.encode() + b'"'


def without_coding(given: bytes) -> bytes:
    """An ``If-None-Match`` as those write it who know of no codings."""
    return _CODING.sub(b'"', given)
