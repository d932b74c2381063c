"""Copies a response while it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from starlette.types import Message, Send

from aurum.api.cache.etag import names_tag
from aurum.api.cache.response import CachedResponse
from aurum.api.http.framing import framed
from aurum.api.http.request_state import HeaderList, RequestState
from aurum.common.cache import CacheEntry

_WITH_304 = (b"etag", b"cache-control", b"vary", b"expires", b"content-location")
"""RFC 9110, 15.4.5: what a 304 says of the answer it stands for."""
_MISS = (b"x-cache", b"miss")


class Capture:
    """Passes an answer on and keeps a copy of it, as long as it is short.

    ``old``: given instead when this one fails. ``ended``: called once, as soon as the copy is whole, or it is certain that
    there will be none.
    """

    def __init__(
        self,
        send: Send,
        state: RequestState,
        most_bytes: int,
        old: CacheEntry[CachedResponse] | None,
        ended: Callable[[Capture], None],
    ) -> None:
        self._send = send
        self._state = state
        self._most_bytes = most_bytes
        self._old = old
        self._ended: Callable[[Capture], None] | None = ended
        self._parts: list[bytes] | None = []
        self._size = 0
        self._complete = False
        self._headers: HeaderList = []
        self._begun: Message | None = None
        self.status = 0
        self.failed = False
        self.sent = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
            return
        if message["type"] == "http.response.body":
            self._copy(message)
        if self.failed:
            return
        begun, self._begun = self._begun, None
        if begun is not None and self._complete and self.status == 200:
            message = self._tagged(begun, message)
        if self._complete:
            self.end()
        self.sent = True
        if begun is not None:
            await self._send(begun)
        await self._send(message)

    def end(self) -> None:
        """No more comes."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)

    def _begin(self, message: Message) -> None:
        self.status = message["status"]
        self._headers = list(message["headers"])
        self.failed = self.status >= 500 and self._old is not None
        if self.status == 200 and self._state.caching is None:
            self._give_up()
        # Held until its first bytes come, which is at once: an answer that is whole then is given a tag.
        self._begun = {**message, "headers": [*self._headers, _MISS]}

    def _tagged(self, begun: Message, message: Message) -> Message:
        """Give an answer that has no tag one of its bytes, and say no more than that to a caller who has it."""
        if self._parts is None or any(name == b"etag" for name, _ in self._headers):
            return message
        body = message.get("body", b"")
        tag = b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'
        self._headers.append((b"etag", tag))
        begun["headers"] = [*self._headers, _MISS]
        given = self._state.given.get(b"if-none-match")
        if given is None or not names_tag(given, tag):
            return message
        begun["status"] = 304
        begun["headers"] = [*(pair for pair in self._headers if pair[0] in _WITH_304), _MISS]
        return {**message, "body": b""}

    def _copy(self, message: Message) -> None:
        body = message.get("body", b"")
        self._complete = not message.get("more_body", False)
        self._size += len(body)
        if self._size > self._most_bytes:
            self._give_up()
        elif self._parts is not None:
            self._parts.append(body)

    def _give_up(self) -> None:
        # A long response is sent for minutes: requests that wait for it are better answered by one of their own.
        self._parts = None
        self.end()

    def kept(self) -> CachedResponse | None:
        """The copy; None when there is none."""
        if self._parts is None or not self._complete or self.failed:
            return None
        tag = next((value for name, value in self._headers if name == b"etag"), None)
        same = [pair for pair in self._headers if pair[0] in _WITH_304]
        if self.status == 304:
            return CachedResponse(self.status, self._headers, None, tag, same)
        body = b"".join(self._parts)
        return CachedResponse(self.status, framed(self.status, self._headers, len(body)), body, tag, same)


def around_id_of(kept: CachedResponse, request_id: bytes) -> tuple[bytes, bytes] | None:
    """What a problem document has before and after the id of its request; None where that cannot be told, as in a coded body.

    The id is the caller's own, and may be one that stands elsewhere in the text: only its place in the document counts.
    """
    before, named, after = (kept.body or b"").partition(b'"request_id":"%s"' % request_id)
    if not named or any(name == b"content-encoding" for name, _ in kept.headers):
        return None
    return before + b'"request_id":"', b'"' + after
