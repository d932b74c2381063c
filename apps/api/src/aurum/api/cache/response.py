"""Cached responses, and how they are sent: whole, as a 304, or as stale."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

from starlette.types import Send

from aurum.api.cache.etag import names_tag
from aurum.api.cache.key import Key, size_of
from aurum.api.http.framing import framed
from aurum.api.http.request_state import HeaderList, RequestState
from aurum.common.cache import CacheEntry

HIT = (b"x-cache", b"hit")
_STALE = (b"x-cache", b"stale")
_WARNING = (b"warning", b'110 aurum "Response is Stale"')
AGES = tuple((b"age", str(age).encode()) for age in range(4_000))


class Answer(Enum):
    """How a cached response answers a request."""

    WHOLE = "whole"
    NOT_MODIFIED = "not modified"


@dataclass(slots=True)
class CachedResponse:
    """A response as it is sent to clients.

    ``body``: None when only the tag is known, which suffices for a client that has the response. With a body, ``headers``
    include its length, also when it was streamed the first time. ``when_not_modified``: headers of a 304. ``around_id``: the
    text before and after the request id in a body that holds one, as problem documents do. ``heads``: status line and headers
    on the wire, of the whole response and of a 304, written at the first use. ``points``: observations in the body.
    ``is_data_file``: a body in a bulk format; a client may get the spooled file of it instead.
    """

    status: int
    headers: HeaderList
    body: bytes | None
    tag: bytes | None
    when_not_modified: HeaderList
    around_id: tuple[bytes, bytes] | None = None
    heads: tuple[bytes, bytes] | None = None
    points: int = 0
    is_data_file: bool = False

    def size(self) -> int:
        """Return the bytes of the body, of both lists of headers, and of the heads that may be written from them."""
        headers = (*self.headers, *self.when_not_modified)
        return len(self.body or b"") + sum(3 * (len(name) + len(value)) for name, value in headers)

    def answers(self, if_none_match: bytes | None) -> Answer | None:
        """Return how this response answers a request with that ``If-None-Match``; None when its body is needed and unknown.

        The one place that compares the tag of a cached response with a request.
        """
        if if_none_match is not None and names_tag(if_none_match, self.tag):
            return Answer.NOT_MODIFIED
        return Answer.WHOLE if self.body is not None else None

    def for_request(self, state: RequestState) -> tuple[HeaderList, bytes]:
        """Return headers and body with the id of this request in place of the id of the first."""
        if self.around_id is None:
            return self.headers, self.body or b""
        before, after = self.around_id
        body = b"".join((before, state.request_id.encode(), after))
        return framed(self.status, self.headers, len(body)), body


def under(entry: CacheEntry[CachedResponse], key: Key) -> CacheEntry[CachedResponse]:
    """Return an entry with the same response under another key. It weighs little, because the bytes are shared."""
    other = CacheEntry(
        entry.content,
        keyspace=entry.keyspace,
        tally=entry.tally,
        tags=entry.tags,
        made_at=entry.made_at,
        fresh_s=0,
        stale_s=0,
        weight=size_of(key) + 100 * len(entry.tags) + 500,
    )
    other.fresh_until, other.stale_until = entry.fresh_until, entry.stale_until
    return other


def age_of(entry: CacheEntry[CachedResponse], now: float) -> tuple[bytes, bytes]:
    """Return the ``Age`` header of a cached response. ``now``: ``time.monotonic`` seconds."""
    return AGES[min(int(now - entry.made_at), len(AGES) - 1)]


async def send_cached(cached: CachedResponse, answer: Answer, state: RequestState, extra: HeaderList, send: Send) -> None:
    """Send a cached response, whole or as a 304, with ``extra`` headers."""
    if answer is Answer.NOT_MODIFIED:
        await send({"type": "http.response.start", "status": 304, "headers": [*cached.when_not_modified, *extra]})
        await send({"type": "http.response.body", "body": b""})
        return
    state.points = cached.points
    headers, body = cached.for_request(state)
    await send({"type": "http.response.start", "status": cached.status, "headers": [*headers, *extra]})
    await send({"type": "http.response.body", "body": body})


async def send_hit(entry: CacheEntry[CachedResponse], answer: Answer, state: RequestState, now: float, send: Send) -> None:
    """Send a fresh cached response and count the hit."""
    entry.tally.hits += 1
    state.cache, state.route = "hit", entry.keyspace
    await send_cached(entry.content, answer, state, [HIT, age_of(entry, now)], send)


async def send_stale(
    entry: CacheEntry[CachedResponse],
    answer: Answer,
    state: RequestState,
    send: Send,
    *,
    warning: bool = False,
) -> None:
    """Send a stale cached response. ``warning``: say so in a ``Warning`` header, because the store does not answer."""
    entry.tally.stale += 1
    state.cache, state.route = "stale", entry.keyspace
    age = (b"age", str(int(time.monotonic() - entry.made_at)).encode())
    await send_cached(entry.content, answer, state, [_STALE, age, *([_WARNING] if warning else [])], send)
