"""The key under which a response is cached: the same for all ways to write one request."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from aurum.api.encoding.content import chosen_coding
from aurum.api.encoding.negotiate import chosen_format
from aurum.api.http.problems import NotAcceptable

Key = tuple[object, ...]


def canonical(key: Key) -> Key:
    """The same for all ways to write one query: the order of parameters says nothing, but for one that is repeated;
    all ways to ask for one format and one coding are one.
    """
    path, query, accept, encodings = key
    assert isinstance(query, bytes)
    pairs = sorted(parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1"), key=lambda pair: pair[0])
    coding = chosen_coding(encodings) if isinstance(encodings, bytes) else None
    return (path, tuple(pairs), _format(accept), coding)


def _format(accept: object) -> object:
    """The format that comes of an ``Accept``: the same for most ways to write it."""
    try:
        return chosen_format(None, accept.decode("latin-1") if isinstance(accept, bytes) else None)
    except NotAcceptable:
        return accept


def size_of(key: Key) -> int:
    """Bytes of a way to ask."""
    return sum(len(part) for part in key if isinstance(part, bytes))


def wants_new(given: Mapping[bytes, bytes]) -> bool:
    """Whether the caller will have nothing that was kept (RFC 9111, 5.2.1.4)."""
    wish = given.get(b"cache-control", b"").lower()
    return b"no-cache" in wish or b"no-store" in wish or b"max-age=0" in wish
