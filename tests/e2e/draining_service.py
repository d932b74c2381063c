"""A small service on the product's server. Arguments: port, workers, seconds to drain, of quiet, and for a next request."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from aurum.api.process.drain import is_draining
from aurum.api.serving import protocol
from aurum.api.serving.server import serve
from aurum.common.settings.limits import LimitsSettings


async def ready(request: Request) -> Response:
    return PlainTextResponse("ready", 503 if is_draining(request.scope) else 200)


async def worker(request: Request) -> Response:
    return PlainTextResponse(f"{os.getpid()} {request.app.state.begun}")


async def work(request: Request) -> Response:
    request.app.state.begun += 1
    await asyncio.sleep(float(request.query_params.get("s", "0.005")))
    return PlainTextResponse("done" * 500)


async def stream(_request: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        for number in range(20):
            await asyncio.sleep(0.05)
            yield b"line %d\n" % number

    return StreamingResponse(lines())


def make_app() -> Starlette:
    paths = {"/ready": ready, "/worker": worker, "/work": work, "/stream": stream}
    app = Starlette(routes=[Route(path, endpoint) for path, endpoint in paths.items()])
    app.state.begun = 0
    return app


if __name__ == "__main__":
    port, workers = int(sys.argv[1]), int(sys.argv[2])
    drain_s, quiet_s, protocol._NEXT_REQUEST_S = map(float, sys.argv[3:])
    serve(
        "draining_service:make_app",
        LimitsSettings(drain_s=drain_s, drain_quiet_s=quiet_s),
        host="127.0.0.1",
        port=port,
        workers=workers,
        access_log=False,
        log_config=None,
    )
