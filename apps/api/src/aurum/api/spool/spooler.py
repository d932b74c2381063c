"""Makes spooled answers: each once, however many requests of however many processes wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.types import Message

from aurum.api.http.problems import AnswerTooLarge
from aurum.api.spool.folder import SpooledFile, SpoolFolder, SpoolKey, SpoolWriter
from aurum.core.errors import AurumError, Unavailable

_LOOK_S = 0.02
_PATIENCE_S = 300.0
"""Seconds for which a request waits for an answer that another process writes."""
_SMALL = 32 << 10
"""Bytes that are written without a thread, which would take longer than the write."""
_DROPPED = frozenset({b"etag", b"content-length", b"transfer-encoding", b"connection", b"x-cache", b"age", b"warning"})
"""Headers of an answer that do not hold for its file."""


@dataclass(frozen=True, slots=True)
class Made:
    """An answer that was made. ``route``: the template of its path. ``points``: observations in it."""

    route: str
    points: int


Respond: TypeAlias = Callable[[Callable[[Message], Awaitable[None]]], Awaitable[Made]]
"""Makes an answer and sends its messages to a function."""

Count: TypeAlias = Callable[[int], None]
"""Is called once when the file of an answer is complete, with the number of observations in it."""


class NotSpoolable(Exception):
    """The answer has another status or media type than a data file."""


class Broken(Exception):
    """The answer broke off."""


@dataclass(slots=True)
class Spooler:
    """The spooled answers of one process, in the folder that it shares with others. ``media_types``: those that are spooled."""

    folder: SpoolFolder
    media_types: tuple[bytes, ...]
    flights: dict[SpoolKey, asyncio.Task[bool]] = field(default_factory=dict[SpoolKey, asyncio.Task[bool]])

    async def answer(self, key: SpoolKey, respond: Respond, count: Count) -> SpooledFile:
        """Return the answer of a key, which ``respond`` makes when there is none. The caller closes the file.

        Of several requests that wait for a file, ``count`` of the one whose ``respond`` made it is called. Raises
        ``NotSpoolable``, ``AnswerTooLarge``, ``RateLimited``, ``Unavailable``, and what ``respond`` raises.
        """
        patience = time.monotonic() + _PATIENCE_S
        while (spooled := await asyncio.to_thread(self.folder.open, key)) is None:
            flight = self.flights.get(key) or self._begin(key, respond, count)
            if not await asyncio.shield(flight):
                await self._wait(patience)
        if spooled.head.limit is not None:
            spooled.close()
            raise AnswerTooLarge(spooled.head.limit)
        return spooled

    async def sweep(self) -> int:
        """Remove what is no longer served. Return the number of files. Raises ``Unavailable``."""
        return await asyncio.to_thread(self.folder.sweep)

    async def close(self) -> None:
        """End the answers under way; their files are removed."""
        for task in [*self.flights.values()]:
            task.cancel()
        if self.flights:
            await asyncio.wait([*self.flights.values()])

    def _begin(self, key: SpoolKey, respond: Respond, count: Count) -> asyncio.Task[bool]:
        """Write an answer in a task of its own: the client that came first may leave before the others."""
        task = asyncio.create_task(self._make(key, respond, count), name="spool an answer")
        self.flights[key] = task
        task.add_done_callback(lambda ended: self._ended(key, ended))
        return task

    async def _make(self, key: SpoolKey, respond: Respond, count: Count) -> bool:
        """Write the answer of a key. Return False when another process writes it."""
        writer = await asyncio.to_thread(self.folder.claim, key)
        if writer is None:
            return False
        try:
            # It may have been completed after the request looked for it, before the claim: then it is the one state.
            spooled = await asyncio.to_thread(self.folder.open, key)
            if spooled is not None:
                spooled.close()
            else:
                await _write(writer, respond, count, self.media_types)
        finally:
            writer.give_up()
        return True

    def _ended(self, key: SpoolKey, task: asyncio.Task[bool]) -> None:
        self.flights.pop(key, None)
        if not task.cancelled():
            task.exception()  # the requests that wait for it report it; there may be none left

    async def _wait(self, until: float) -> None:
        if time.monotonic() > until:
            raise Unavailable("another process has been writing this answer for minutes: try again", retry_after=30.0)
        await asyncio.sleep(_LOOK_S)


async def _write(writer: SpoolWriter, respond: Respond, count: Count, media_types: tuple[bytes, ...]) -> None:
    sink = _Sink(writer, media_types)
    try:
        try:
            made = await respond(sink.receive)
        except Exception as error:
            # The layers below may have turned the error of the file into another one.
            raise (sink.error or error) from error
        if sink.is_refused:
            raise NotSpoolable
        if not sink.is_complete:
            raise Broken("the answer broke off before its end")
        await asyncio.to_thread(writer.finish, sink.data_tag, sink.headers, made.route, points=made.points)
        count(made.points)
    except AnswerTooLarge as error:
        # Stored, so that the next request does not make the answer again only to find this out.
        await asyncio.to_thread(writer.finish, "", (), "", limit=error.limit)


class _Sink:
    """Receives the messages of an answer and writes its bytes.

    ``is_refused``: the answer is not a data file. ``error``: why the file could not be written; it ends the answer.
    """

    def __init__(self, writer: SpoolWriter, media_types: tuple[bytes, ...]) -> None:
        self._writer = writer
        self._media_types = media_types
        self.data_tag = ""
        self.headers: tuple[tuple[str, str], ...] = ()
        self.is_refused = False
        self.is_complete = False
        self.error: AurumError | None = None

    async def receive(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message["headers"]]
            by_name = dict(headers)
            media_type = by_name.get(b"content-type", b"")
            if message["status"] != 200 or not media_type.startswith(self._media_types) or b"content-encoding" in by_name:
                self.is_refused = True
            self.data_tag = by_name.get(b"etag", b"").decode("latin-1")
            self.headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name not in _DROPPED
            )
        elif message["type"] == "http.response.body" and not self.is_refused:
            try:
                await self._store(message.get("body", b""))
            except AurumError as error:
                self.error = error
                raise
            self.is_complete = not message.get("more_body", False)

    async def _store(self, data: bytes) -> None:
        if len(data) > _SMALL:
            await asyncio.to_thread(self._writer.write, data)
        elif data:
            self._writer.write(data)
