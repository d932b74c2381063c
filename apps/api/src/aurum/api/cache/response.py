"""A cached response, and how it is sent: whole, as a 304, or as a stale one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Send

from aurum.api.cache.etag import names_tag
from aurum.api.cache.key import Key, size_of
from aurum.api.http.framing import framed
from aurum.api.http.request_state import HeaderList, RequestState
from aurum.common.cache import CacheEntry

HIT = (b"x-cache", b"hit")
_STALE = (b"x-cache", b"stale")
WARNING = (b"warning", b'110 aurum "Response is Stale"')
AGES = tuple((b"age", str(age).encode()) for age in range(4_000))


@dataclass(slots=True)
class CachedResponse:
    """An answer as it goes out. ``body`` None: only its tag is known, which is all a caller who has the answer needs.
    Where there is a body, ``headers`` tell its length, however it was sent the first time.

    ``around_id``: what stands before and after the id of the request in a body that names the request it answers, as problem
    documents do. ``heads``: what comes before the body on the wire, written when it is first given so: of the answer, and of
    a 304.
    """

    status: int
    headers: HeaderList
    body: bytes | None
    tag: bytes | None
    when_not_modified: HeaderList
    around_id: tuple[bytes, bytes] | None = None
    heads: tuple[bytes, bytes] | None = None

    def size(self) -> int:
        """Bytes: of the body, of headers that are there twice, and of the heads that may be written of both."""
        headers = (*self.headers, *self.when_not_modified)
        return len(self.body or b"") + sum(3 * (len(name) + len(value)) for name, value in headers)

    def for_request(self, state: RequestState) -> tuple[HeaderList, bytes]:
        """Headers and body for another request than the one it was made for."""
        if self.around_id is None:
            return self.headers, self.body or b""
        before, after = self.around_id
        body = b"".join((before, state.request_id.encode(), after))
        return framed(self.status, self.headers, len(body)), body


def fits(kept: CachedResponse, given: Mapping[bytes, bytes]) -> bool:
    tag = given.get(b"if-none-match")
    return kept.body is not None or (tag is not None and names_tag(tag, kept.tag))


def under(entry: CacheEntry[CachedResponse], key: Key) -> CacheEntry[CachedResponse]:
    """The same answer under another way to ask for it; it weighs little, because the bytes are shared."""
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


async def send_cached(kept: CachedResponse, state: RequestState, extra: HeaderList, send: Send) -> None:
    tag = state.given.get(b"if-none-match")
    if tag is not None and names_tag(tag, kept.tag):
        await send({"type": "http.response.start", "status": 304, "headers": [*kept.when_not_modified, *extra]})
        await send({"type": "http.response.body", "body": b""})
        return
    headers, body = kept.for_request(state)
    await send({"type": "http.response.start", "status": kept.status, "headers": [*headers, *extra]})
    await send({"type": "http.response.body", "body": body})


async def send_stale(
    entry: CacheEntry[CachedResponse], state: RequestState, send: Send, why: tuple[bytes, bytes] | None = None
) -> None:
    entry.tally.stale += 1
    state.cache, state.route = "stale", entry.keyspace
    age = (b"age", str(int(time.monotonic() - entry.made_at)).encode())
    await send_cached(entry.content, state, [_STALE, age, *([why] if why else [])], send)
