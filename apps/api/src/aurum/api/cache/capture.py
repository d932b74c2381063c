"""A copy of a response, made while it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from starlette.types import Message, Send

from aurum.api.cache.etag import names_tag
from aurum.api.cache.response import CachedResponse
from aurum.api.encoding.negotiate import DATA_FILES
from aurum.api.http.framing import framed
from aurum.api.http.request_state import HeaderList, RequestState

_WITH_304 = (b"etag", b"cache-control", b"vary", b"expires", b"content-location")
"""Headers of the whole response that a 304 repeats (RFC 9110, 15.4.5)."""
_MISS = (b"x-cache", b"miss")


class Capture:
    """Passes a response on and copies it, up to a length.

    ``most_bytes``: longest body that is copied. ``ended``: called once, when the copy is complete or impossible.
    ``has_fallback``: a response of status 500 or more is not passed on, because another one is sent in its place.
    """

    def __init__(
        self,
        send: Send,
        state: RequestState,
        most_bytes: int,
        ended: Callable[[Capture], None],
        *,
        has_fallback: bool,
    ) -> None:
        self._send = send
        self._state = state
        self._most_bytes = most_bytes
        self._has_fallback = has_fallback
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
        """Tell the listener that nothing more comes."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)

    def _begin(self, message: Message) -> None:
        self.status = message["status"]
        self._headers = list(message["headers"])
        self.failed = self.status >= 500 and self._has_fallback
        if self.status == 200 and self._state.caching is None:
            self._give_up()
        # Held back until the first bytes, which follow at once: a response that is complete by then gets a tag.
        self._begun = {**message, "headers": [*self._headers, _MISS]}

    def _tagged(self, begun: Message, message: Message) -> Message:
        """Add the tag of its bytes to a response without one. A client that has the same bytes gets a 304."""
        if self._parts is None or any(name == b"etag" for name, _ in self._headers):
            return message
        body = message.get("body", b"")
        tag = b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'
        self._headers.append((b"etag", tag))
        begun["headers"] = [*self._headers, _MISS]
        condition = self._state.request_headers.get(b"if-none-match")
        if condition is None or not names_tag(condition, tag):
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
        # Sending a long response may take minutes: the requests that wait for it make responses of their own instead.
        self._parts = None
        self.end()

    def response(self) -> CachedResponse | None:
        """Return the copy; None when the response was too long, failed or is incomplete."""
        if self._parts is None or not self._complete or self.failed:
            return None
        tag = next((value for name, value in self._headers if name == b"etag"), None)
        same = [pair for pair in self._headers if pair[0] in _WITH_304]
        if self.status == 304:
            return CachedResponse(self.status, self._headers, None, tag, same)
        body = b"".join(self._parts)
        media_type = next((value for name, value in self._headers if name == b"content-type"), b"")
        return CachedResponse(
            self.status,
            framed(self.status, self._headers, len(body)),
            body,
            tag,
            same,
            points=self._state.points,
            is_data_file=media_type.startswith(DATA_FILES),
        )


def around_id_of(cached: CachedResponse, request_id: bytes) -> tuple[bytes, bytes] | None:
    """Return the text of a problem document before and after the id of its request; None for a body in a content coding.

    A client chooses the id, so the same text may stand elsewhere: only its place in the document counts.
    """
    before, named, after = (cached.body or b"").partition(b'"request_id":"%s"' % request_id)
    if not named or any(name == b"content-encoding" for name, _ in cached.headers):
        return None
    return before + b'"request_id":"', b'"' + after
