"""A service in this process, with its lifespan, behind an HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from dishka import Provider
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.main import create_app
from aurum.common.settings import Settings


@dataclass
class Served:
    """A running application; ``asgi`` is what a server would call."""

    asgi: ASGIApp
    client: httpx.AsyncClient


@asynccontextmanager
async def serving(settings: Settings, *providers: Provider) -> AsyncIterator[Served]:
    app = create_app(settings, *providers)
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://aurum.test") as client:
            yield Served(with_state, client)
