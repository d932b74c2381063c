"""A few layers around a small application, behind a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.middleware.context import RequestContext
from aurum.core.access import LOCAL, Caller
from aurum.storage.testing.waiting import wait_until


class As:
    """A layer in place of ``Access``: the header ``x-caller`` names one of ``callers``."""

    def __init__(self, app: ASGIApp, callers: Mapping[str, Caller]) -> None:
        self._app = app
        self.callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state = scope["aurum"]
            state.caller = self.callers.get(state.request_headers.get(b"x-caller", b"").decode(), LOCAL)
        await self._app(scope, receive, send)


class WithState:
    """A layer that puts objects into ``scope["state"]``, as the lifespan of the service does."""

    def __init__(self, app: ASGIApp, **things: Any) -> None:
        self._app = app
        self._things = {"tallies": lambda _scope, _state: None} | things

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "state": self._things}, receive, send)


def in_context(app: ASGIApp, **things: Any) -> ASGIApp:
    """Return the outermost layer around ``app``, with ``things`` in ``state``."""
    return WithState(RequestContext(app, headers=[]), **things)


@asynccontextmanager
async def socketed(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an application on a socket and yield a client of it."""
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, lifespan="off", http="httptools", proxy_headers=False
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Not serve(), which would take the signals of the tests, and looks only ten times a second whether it should stop.
    await server.startup()
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    limits = httpx.Limits(max_connections=None)
    try:
        # Nothing here speaks TLS, and reading the certificates of this machine would take most of the time of a short test.
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=120, limits=limits, verify=False) as client:
            yield client
    finally:
        for listener in server.servers:
            listener.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        await wait_until(lambda: not server.server_state.connections and not server.server_state.tasks, "answers are sent")
