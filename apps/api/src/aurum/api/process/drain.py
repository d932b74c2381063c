"""Draining: a process that is told to stop ends without losing a request that reached it.

On SIGTERM, uvicorn closes its sockets within a tenth of a second, finishes the requests under way and ends. That loses the
requests of connections that were not accepted yet, of connections that were accepted and have sent nothing yet, and those sent
on an open connection while it is being closed; with several workers, also those of clients that connect after the workers
have closed and before their parent ends. This process therefore drains in three steps:

1. ``/ready`` answers 503, so that load balancers send no new clients; requests are still answered, each the last of its
   connection.
2. When no request has come for a while, or after a longer while, waiting connections are accepted and the sockets closed.
3. Connections without a request get a moment to send one; requests under way are finished; the process ends.

SIGINT, which Ctrl-C sends, skips the first step.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

import structlog
import uvicorn
import uvloop
from starlette.types import Scope

from aurum.common.settings.limits import LimitsSettings

_LOOK_S = 0.02

Handler = Callable[[int, FrameType | None], Any]


class Drain:
    """The state of draining of one process, in ``request.state`` as ``drain`` where a server runs it."""

    def __init__(self, settings: LimitsSettings) -> None:
        self.draining = False
        self._settings = settings
        self._log = structlog.get_logger(__name__)
        self.requests = 0
        """Requests received since the start."""
        self._callbacks: set[Callable[[], None]] = set()
        self._has_told = False
        self._task: asyncio.Task[None] | None = None

    def call_at_begin(self, callback: Callable[[], None]) -> None:
        """Call a function in the loop as soon as the process drains, and at once if it does already.

        A function that is passed again is called once.
        """
        if callback not in self._callbacks:
            self._callbacks.add(callback)
            if self._has_told:
                callback()

    def tell(self) -> None:
        """Mark the process as draining, and call the functions that wait for it."""
        self.draining = True
        if not self._has_told:
            self._has_told = True
            for callback in [*self._callbacks]:
                callback()

    def takes_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Replace uvicorn's handler of SIGTERM, if it is the current one."""
        before = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread() or not callable(before) or not _is_uvicorns(before):
            return

        def begin(_number: int, _frame: FrameType | None) -> None:
            if not self.draining:
                self.draining = True
                loop.call_soon_threadsafe(start)

        def start() -> None:
            self.tell()
            self._task = loop.create_task(self._until_quiet(before))

        signal.signal(signal.SIGTERM, begin)
        server: uvicorn.Server = cast("Any", before).__self__
        if server.should_exit:
            # SIGTERM came during the start: uvicorn would end without a response to connections it accepts from now on.
            server.should_exit = False
            begin(signal.SIGTERM, None)

    async def _until_quiet(self, stop: Handler) -> None:
        settings = self._settings
        began = time.monotonic()
        # Looks are counted, not seconds: a process that a busy machine has paused has read no requests meanwhile.
        quiet_looks, looks, seen = settings.drain_quiet_s / _LOOK_S, 0, self.requests
        while time.monotonic() < began + settings.drain_s and looks < quiet_looks:
            await asyncio.sleep(_LOOK_S)
            looks = looks + 1 if self.requests == seen else 0
            seen = self.requests
        self._log.info("draining", seconds=round(time.monotonic() - began, 2))
        stop(signal.SIGTERM, None)


def is_draining(scope: Scope) -> bool:
    """Return whether the process drains: ``/ready`` then answers 503."""
    drain: Drain | None = scope["state"].get("drain")
    return drain is not None and drain.draining


def _is_uvicorns(handler: object) -> bool:
    return isinstance(getattr(handler, "__self__", None), uvicorn.Server)


class DrainingLoop(uvloop.Loop):
    """uvloop whose servers accept waiting connections before they close."""

    def __init__(self, settings: LimitsSettings) -> None:
        super().__init__()
        self.limits = settings
        self.drain = Drain(settings)

    async def create_server(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        self.drain.takes_over(self)
        server = cast("asyncio.Server", await super().create_server(protocol_factory, *args, **kwargs))
        return _AcceptingLast(server, protocol_factory, self)


class _AcceptingLast:
    """A server that first accepts the connections which the system has established, when it closes."""

    def __init__(self, server: asyncio.Server, protocol_factory: Any, loop: DrainingLoop) -> None:
        self._server = server
        self._protocol_factory = protocol_factory
        self._loop = loop
        self._accepting: list[asyncio.Task[Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def close(self) -> None:
        self._loop.drain.tell()
        listening = [socket.socket(fileno=os.dup(each.fileno())) for each in self._server.sockets]
        self._server.close()
        # uvicorn and uvloop close descriptors of their own just after; these duplicates must be the last to close.
        self._loop.call_later(_LOOK_S, self._shut, listening)

    def _shut(self, listening: list[socket.socket]) -> None:
        for each in listening:
            each.setblocking(False)
            waiting = _accepted(each)
            each.close()
            for connection in waiting:
                connection.setblocking(False)
            self._serve(waiting)

    def _serve(self, connections: list[socket.socket]) -> None:
        for each in connections:
            accepting = self._loop.connect_accepted_socket(self._protocol_factory, each)
            self._accepting.append(self._loop.create_task(accepting))

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._accepting)
        await self._server.wait_closed()


def _accepted(listening: socket.socket) -> list[socket.socket]:
    """Accept all waiting connections. Closing must follow at once: the system resets connections that come in between."""
    accepted: list[socket.socket] = []
    while True:
        try:
            accepted.append(listening.accept()[0])
        except BlockingIOError:
            return accepted
