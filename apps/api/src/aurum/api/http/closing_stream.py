"""Responses that are sent piece by piece, and close their source at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_log = structlog.get_logger(__name__)


class ClosingStream(StreamingResponse):
    """A stream that closes its source at the end, also when the client disconnects before it."""

    def __init__(self, content: AsyncGenerator[bytes], source: AsyncGenerator[Any], **kwargs: Any) -> None:
        super().__init__(content, **kwargs)
        self._content = content
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._source), aclosing(self._content):
            # Starlette's scope would cancel each step of the end of a transaction, which leaves it open.
            sending = asyncio.create_task(self.stream_response(send))
            leaving = asyncio.create_task(_until_gone(receive))
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                if not sending.done():
                    sending.cancel()
                    _log.debug("client gone", path=scope["path"])
                await asyncio.wait((sending, leaving))
            if not sending.cancelled():
                sending.result()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
