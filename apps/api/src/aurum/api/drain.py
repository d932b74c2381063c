"""Serving until told to stop, and stopping so that no request that was taken is lost.

uvicorn, told by SIGTERM, closes its sockets within a tenth of a second, finishes what is under way and ends. That loses some:
who has connected and was not accepted yet, who was accepted and has not asked yet, and who asks on an open connection in the
moment in which it is closed; and with several workers whoever connects after they have closed and before their parent ends.
So, in this order:

1. ``/ready`` says 503, so that balancers look elsewhere; requests are still taken, each the last of its connection.
2. When none has come for a while, or after a longer while, whoever waits to be accepted is, and the sockets are closed.
3. Connections that have yet to ask are given a moment; what is under way is finished; the process ends.

SIGINT, as Ctrl-C sends it, skips the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, cast

import structlog
import uvicorn
import uvloop
from starlette.types import Scope
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from aurum.common.settings.limits import LimitsSettings

_LOOK_S = 0.02
_FIRST_REQUEST_S = 1.0
"""For the first request on a connection that was accepted last."""
_HEAD_S = 15.0
"""From connecting until the headers of the first request."""
_HEAD_BYTES = 65_536
"""Of headers, beyond what comes with the first of them."""
_GRACE_S = 25
"""For what is under way; orchestrators kill after 30 s."""

Handler = Callable[[int, FrameType | None], Any]


class Drain:
    """How far one process is on its way out. In ``request.state`` as ``drain``, where a server runs it."""

    def __init__(self, settings: LimitsSettings) -> None:
        self.draining = False
        self._settings = settings
        self._log = structlog.get_logger(__name__)
        self.requests = 0
        """That have come."""
        self._task: asyncio.Task[None] | None = None

    def takes_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stand before uvicorn's handler of SIGTERM, if it is the one that is set."""
        before = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread() or not callable(before) or not _is_uvicorns(before):
            return

        def begin(_number: int, _frame: FrameType | None) -> None:
            if not self.draining:
                self.draining = True
                loop.call_soon_threadsafe(start)

        def start() -> None:
            self._task = loop.create_task(self._until_quiet(before))

        signal.signal(signal.SIGTERM, begin)

    async def _until_quiet(self, stop: Handler) -> None:
        given = self._settings
        began = quiet_since = time.monotonic()
        seen = self.requests
        while (now := time.monotonic()) < began + given.drain_s and now < quiet_since + given.drain_quiet_s:
            await asyncio.sleep(_LOOK_S)
            if self.requests != seen:
                seen, quiet_since = self.requests, time.monotonic()
        self._log.info("draining", seconds=round(time.monotonic() - began, 2))
        stop(signal.SIGTERM, None)


def is_draining(scope: Scope) -> bool:
    """Whether the process is on its way out: ``/ready`` then says 503."""
    drain: Drain | None = scope["state"].get("drain")
    return drain is not None and drain.draining


def _is_uvicorns(handler: object) -> bool:
    return isinstance(getattr(handler, "__self__", None), uvicorn.Server)


class DrainingProtocol(HttpToolsProtocol):
    """uvicorn's protocol that ends connections in good order while the process is draining.

    It also ends those whose request never gets to its end of headers, by bytes or by seconds: uvicorn waits and buffers without
    a bound, and no layer is asked before.
    """

    def __init__(self, config: uvicorn.Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        loop = self.loop
        assert isinstance(loop, DrainingLoop)
        self._drain = loop.drain
        self._head_left = -1
        """Bytes that headers may still have; below 0 when none are being read."""
        app_state["drain"] = loop.drain

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn has it
        super().connection_made(transport)
        if self._drain.draining:
            self.loop.call_later(_FIRST_REQUEST_S, super().shutdown)
        else:
            self.loop.call_later(_HEAD_S, self._end_if_headless)

    def data_received(self, data: bytes) -> None:
        if self._head_left >= 0:
            self._head_left -= len(data)
            if self._head_left < 0:
                self.send_400_response("The headers of the request are too long.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_left = _HEAD_BYTES

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_left = -1
        drain = self._drain
        drain.requests += 1
        if drain.draining:
            # uvicorn then answers with ``Connection: close``.
            self.cycle.keep_alive = False

    def _end_if_headless(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()

    def shutdown(self) -> None:
        if self.cycle is None:
            # Accepted, and nothing read of it yet: its first request may be on the way.
            self.loop.call_later(_FIRST_REQUEST_S, super().shutdown)
        else:
            super().shutdown()


class DrainingLoop(uvloop.Loop):
    """uvloop whose servers accept who is waiting before they close."""

    def __init__(self, settings: LimitsSettings) -> None:
        super().__init__()
        self.drain = Drain(settings)

    async def create_server(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        server = cast("asyncio.Server", await super().create_server(protocol_factory, *args, **kwargs))
        self.drain.takes_over(self)
        return _AcceptingLast(server, protocol_factory, self)


class _AcceptingLast:
    """A server that, when it closes, takes those the system has connected already."""

    def __init__(self, server: asyncio.Server, protocol_factory: Any, loop: DrainingLoop) -> None:
        self._server = server
        self._protocol_factory = protocol_factory
        self._loop = loop
        self._accepting: list[asyncio.Task[Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def close(self) -> None:
        self._loop.drain.draining = True
        listening = [socket.socket(fileno=os.dup(each.fileno())) for each in self._server.sockets]
        self._server.close()
        # uvicorn and uvloop let go of descriptors of their own just after; ours shall be the last.
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
    """All who have connected and wait. Between the last of them and closing must be nothing: the system resets who comes."""
    found: list[socket.socket] = []
    while True:
        try:
            found.append(listening.accept()[0])
        except BlockingIOError:
            return found


class _Workers(Multiprocess):
    """uvicorn's parent of workers, which lets go of its sockets before they do: nobody could accept from them after."""

    def terminate_all(self) -> None:
        for each in self.sockets:
            each.close()
        super().terminate_all()


def serve(app: str, settings: LimitsSettings, *, host: str, port: int, workers: int, **options: Any) -> None:
    """Serve an application, given as ``module:factory``, until SIGTERM or SIGINT. ``options``: of ``uvicorn.Config``."""
    # uvicorn takes the name of a loop, or what makes one; each worker makes its own.
    loop: Any = partial(DrainingLoop, settings)
    config = uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop=loop,
        http=DrainingProtocol,
        timeout_graceful_shutdown=_GRACE_S,
        **options,
    )
    if workers > 1:
        _Workers(config, sockets=[config.bind_socket()]).run()
        return
    config.load_app()
    server = uvicorn.Server(config)
    # The signal it was stopped by is sent again when all is done.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(STARTUP_FAILURE)
