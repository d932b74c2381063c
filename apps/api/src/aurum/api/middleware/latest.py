"""``/latest``: another name of the newest version of the API."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_ALIAS, _VERSION = "/latest/", "/v2/"


class Latest:
    """Pure ASGI. Layers below see the version, so both names share routes, tags and cached responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_ALIAS):
            scope["path"] = _VERSION + scope["path"].removeprefix(_ALIAS)
            scope["raw_path"] = _VERSION.encode() + scope["raw_path"].removeprefix(_ALIAS.encode())
        await self._app(scope, receive, send)
