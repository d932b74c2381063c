"""A service in this process, with its lifespan and an HTTP client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.main import create_app
from aurum.api.wiring import OpenStore
from aurum.assembly.postgres import open_live_store
from aurum.common.settings import Settings


@dataclass(frozen=True, slots=True)
class Served:
    """A running application.

    ``asgi``: the application that a server would call. ``client``: sends requests to it without a socket. ``state``: the
    ``request.state`` of its layers and handlers.
    """

    asgi: ASGIApp
    client: httpx.AsyncClient
    state: Mapping[str, Any]


@asynccontextmanager
async def serving(settings: Settings, opened: OpenStore = open_live_store) -> AsyncGenerator[Served]:
    """Run the service with these settings for the length of the block.

    ``opened``: opens the store; ``InMemory`` and ``changed`` open another one than the settings name.
    """
    app = create_app(settings, opened)
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://aurum.test") as client:
            yield Served(with_state, client, state or {})
