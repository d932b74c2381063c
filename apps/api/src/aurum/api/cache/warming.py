"""Golden queries: worked out when the service starts, and again before they are too old, so that nobody waits for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import structlog
from starlette.types import ASGIApp, Message, Scope

from aurum.api.http.request_state import RequestState
from aurum.common.settings import CacheSettings

_ENCODINGS = (b"identity", b"gzip", b"br", b"zstd")
"""Answers are kept as they go out, so for each of these by itself."""

_AGAIN_S = 10.0
"""After a query failed."""

_log = structlog.get_logger(__name__)


async def keep_warm(app: ASGIApp, state: Mapping[str, Any], settings: CacheSettings, *, again_s: float = _AGAIN_S) -> None:
    """Ask for the golden queries for ever; cancel it to end it.

    ``app``: the layer of kept answers and what is below it: those above ask who is there. ``state``: what the lifespan gives
    to requests. ``again_s``: when one failed, all are asked for again after so long.
    """
    while True:
        answered = await warm(app, state, settings.golden)
        # A store that was away when the service started is soon there.
        pause_s = settings.warm_every_s if answered == len(settings.golden) else min(again_s, settings.warm_every_s)
        await asyncio.sleep(pause_s)


async def warm(app: ASGIApp, state: Mapping[str, Any], urls: tuple[str, ...]) -> int:
    """Ask for each once, past what is kept; how many answered with 200."""
    answered = 0
    for url in urls:
        statuses = [await _ask(app, state, url, encoding) for encoding in _ENCODINGS]
        answered += statuses == [200] * len(_ENCODINGS)
        if set(statuses) != {200}:
            _log.warning("golden query failed", url=url, statuses=statuses)
    return answered


async def _ask(app: ASGIApp, state: Mapping[str, Any], url: str, encoding: bytes) -> int:
    headers = [(b"accept", b"*/*"), (b"accept-encoding", encoding), (b"cache-control", b"no-cache")]
    path, _, query = url.partition("?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": quote(path, safe="/:%").encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "aurum": RequestState("warming", time.perf_counter(), dict(headers)),
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
        "state": dict(state),
    }
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(scope, receive, send)
    return status
