"""One line a request: method, path, status, milliseconds. At DEBUG for what went well, so that it costs nothing by default."""

from __future__ import annotations

import logging
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger(__name__)
_level = logging.getLogger(__name__)


class AccessLog:
    """Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _level.isEnabledFor(logging.DEBUG):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            took = (time.perf_counter() - started) * 1000
            _log.debug("request", method=scope["method"], path=scope["path"], status=status, milliseconds=round(took, 3))
