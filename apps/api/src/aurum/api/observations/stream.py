"""Bulk responses as a stream: a batch of the store is read, encoded and sent before the next one is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import polars as pl
import structlog
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.negotiate import MEDIA_TYPES
from aurum.api.encoding.table import Table

_log = structlog.get_logger(__name__)

ToTable = Callable[[pl.DataFrame], Table]


async def streamed(
    frames: AsyncGenerator[pl.DataFrame], schema: pl.Schema, to_table: ToTable, name: str, headers: Mapping[str, str]
) -> Response:
    """Return a stream in the format ``name`` whose first batch has been read. ``schema``: of the frames.

    A store that does not answer then causes a 503, instead of a 200 that breaks off.
    """
    first = await anext(frames, None)
    content = _encoded(first, frames, to_table(pl.DataFrame(schema=schema)), to_table, name)
    return ClosingStream(content, frames, headers=headers, media_type=MEDIA_TYPES[name])


class ClosingStream(StreamingResponse):
    """A stream that closes its source at the end, also when the client disconnects before it."""

    def __init__(self, content: AsyncGenerator[bytes], source: AsyncGenerator[pl.DataFrame], **kwargs: Any) -> None:
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


async def _encoded(
    first: pl.DataFrame | None, rest: AsyncGenerator[pl.DataFrame], empty: Table, to_table: ToTable, name: str
) -> AsyncGenerator[bytes]:
    writer = bulk_writer(name, empty)
    yield writer.start() + (writer.write(to_table(first)) if first is not None else b"")
    async for frame in rest:
        if piece := writer.write(to_table(frame)):
            yield piece
    yield writer.finish()
