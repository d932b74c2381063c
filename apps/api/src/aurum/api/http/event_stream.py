"""Responses that send server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from starlette.types import Message, Receive, Scope, Send

from aurum.api.http.closing_stream import ClosingStream

EVENT_STREAM: Final[dict[str, Any]] = {
    "schema": {
        "title": "Server-sent events",
        "type": ["object", "string"],
        "description": "Events with the fields `id`, `event` and `data` (JSON), separated by empty lines; comments in between",
    }
}
"""The content of such a response in openapi.json. Some clients read the stream as text, others as an object for each event."""

_log = structlog.get_logger(__name__)


class _NotReadError(Exception):
    """The client did not read in time."""


class EventStream(ClosingStream):
    """A response that sends events until its source ends, or until its client has not read for ``send_s`` seconds.

    ``closed`` is called when it has ended, for whatever reason.
    """

    media_type = "text/event-stream"

    def __init__(self, content: Any, *, send_s: float, closed: Callable[[], None]) -> None:
        # Proxies of the nginx family would otherwise collect events.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(content, content, headers=headers, media_type=self.media_type)
        self._send_s = send_s
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            within = asyncio.timeout(self._send_s)
            try:
                async with within:
                    await send(message)
            except TimeoutError as error:
                if within.expired():
                    raise _NotReadError from error
                raise

        try:
            await super().__call__(scope, receive, send_in_time)
        except _NotReadError:
            # The server closes a connection whose response has not ended.
            _log.info("listener does not read: stream closed", path=scope["path"], seconds=self._send_s)
        finally:
            self._closed()
