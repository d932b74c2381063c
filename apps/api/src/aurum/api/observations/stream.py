"""Bulk responses as a stream: a batch of the store is read, encoded and sent before the next one is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping

import polars as pl
import structlog
from starlette.responses import Response

from aurum.api.encoding.bulk import BulkWriter
from aurum.api.encoding.negotiate import MEDIA_TYPES
from aurum.api.encoding.table import Table
from aurum.api.http.closing_stream import ClosingStream
from aurum.api.http.request_state import RequestState

_log = structlog.get_logger(__name__)

ToTable = Callable[[pl.DataFrame], Table]


async def streamed(
    frames: AsyncGenerator[pl.DataFrame],
    writer: BulkWriter,
    to_table: ToTable,
    name: str,
    headers: Mapping[str, str],
    state: RequestState,
) -> Response:
    """Return a stream in the format ``name`` whose first batch has been read. ``writer``: of that format.

    ``state``: of the request, whose points rise by those of each batch.

    A store that does not answer then causes a 503, instead of a 200 that breaks off.
    """
    first = await anext(frames, None)
    content = _encoded(first, frames, writer, to_table, state)
    return ClosingStream(content, frames, headers=headers, media_type=MEDIA_TYPES[name])


async def _encoded(
    first: pl.DataFrame | None,
    rest: AsyncGenerator[pl.DataFrame],
    writer: BulkWriter,
    to_table: ToTable,
    state: RequestState,
) -> AsyncGenerator[bytes]:
    state.points += first.height if first is not None else 0
    yield writer.start() + (writer.write(to_table(first)) if first is not None else b"")
    async for frame in rest:
        state.points += frame.height
        if piece := writer.write(to_table(frame)):
            yield piece
    yield writer.finish()
