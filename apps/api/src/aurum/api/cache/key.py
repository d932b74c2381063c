"""The key of a cached response: equal for all spellings of one request."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from aurum.api.encoding.content import chosen_coding
from aurum.api.encoding.negotiate import PICTURES, chosen_format
from aurum.api.http.problems import NotAcceptable

Key = tuple[object, ...]


def canonical(key: Key) -> Key:
    """Return the canonical form of a key (path, query, ``Accept``, ``Accept-Encoding``).

    It is equal for any order of different parameters, and for all headers that lead to the same format and coding.
    """
    path, query, accept, encodings = key
    assert isinstance(query, bytes)
    pairs = sorted(parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1"), key=lambda pair: pair[0])
    coding = chosen_coding(encodings) if isinstance(encodings, bytes) else None
    return (path, tuple(pairs), _format(accept), coding)


def _format(accept: object) -> object:
    """Return the format that an ``Accept`` leads to; the header itself when no format is acceptable, or one is a picture.

    Routes that draw pictures and those that do not choose different formats for such a header.
    """
    text = accept.decode("latin-1") if isinstance(accept, bytes) else None
    try:
        name = chosen_format(None, text, pictures=True)
    except NotAcceptable:
        return accept
    return accept if name in PICTURES else name


def size_of(key: Key) -> int:
    """Return the size of a key in bytes."""
    return sum(len(part) for part in key if isinstance(part, bytes))


def wants_new(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether the request headers forbid a cached response (RFC 9111, 5.2.1.4)."""
    directives = headers.get(b"cache-control", b"").lower()
    return b"no-cache" in directives or b"no-store" in directives or b"max-age=0" in directives
