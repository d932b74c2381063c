"""A service in this process, with its lifespan, behind an HTTP client."""

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

    ``asgi``: what a server would call. ``client``: speaks to it without a socket. ``state``: what its layers and handlers
    find in ``request.state``.
    """

    asgi: ASGIApp
    client: httpx.AsyncClient
    state: Mapping[str, Any]


@asynccontextmanager
async def serving(settings: Settings, opened: OpenStore = open_live_store) -> AsyncGenerator[Served]:
    """The service of some settings for the length of the block.

    ``opened``: opens another store than the one that settings name (``InMemory``, ``changed``).
    """
    app = create_app(settings, opened)
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://aurum.test") as client:
            yield Served(with_state, client, state or {})
