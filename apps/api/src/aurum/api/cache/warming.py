"""Golden queries: executed when the service starts, and again before they are stale, so that no client waits for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import structlog
from starlette.types import ASGIApp, Message, Scope

from aurum.api.http.no_client import no_client
from aurum.api.http.request_state import RequestState
from aurum.common.settings import CacheSettings

_ENCODINGS = (b"identity", b"gzip", b"br", b"zstd")
"""Responses are cached in the coding in which they are sent, so each coding is warmed."""

_AGAIN_S = 10.0
"""Seconds until the next round after a query failed."""

_log = structlog.get_logger(__name__)


async def keep_warm(app: ASGIApp, state: Mapping[str, Any], settings: CacheSettings, *, again_s: float = _AGAIN_S) -> None:
    """Execute the golden queries regularly, until cancelled.

    ``app``: the response cache and the layers below it; the layers above need a caller. ``state``: of the lifespan, for
    requests. ``again_s``: seconds until the next round when a query failed.
    """
    while True:
        warmed = await warm(app, state, settings.golden)
        # A store that did not answer when the service started soon will.
        pause_s = settings.warm_every_s if warmed == len(settings.golden) else min(again_s, settings.warm_every_s)
        await asyncio.sleep(pause_s)


async def warm(app: ASGIApp, state: Mapping[str, Any], urls: tuple[str, ...]) -> int:
    """Execute each query once without using its cached response. Returns the number of queries with status 200."""
    warmed = 0
    for url in urls:
        statuses = [await _status_of(app, state, url, encoding) for encoding in _ENCODINGS]
        warmed += statuses == [200] * len(_ENCODINGS)
        if set(statuses) != {200}:
            _log.warning("golden query failed", url=url, statuses=statuses)
    return warmed


async def _status_of(app: ASGIApp, state: Mapping[str, Any], url: str, encoding: bytes) -> int:
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

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(scope, no_client(), send)
    return status
