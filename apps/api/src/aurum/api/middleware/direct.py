"""Routes reached without FastAPI's resolution of parameters; see ``routing.router.PlainRoute``."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import problem_of, refusal_of
from aurum.api.routing.router import PlainRoute
from aurum.common.resilience.errors import Refused
from aurum.core.errors import AurumError


class Direct:
    """Pure ASGI. ``routes``: in the order in which they are tried; other paths go on to FastAPI."""

    def __init__(self, app: ASGIApp, routes: Sequence[PlainRoute]) -> None:
        self._app = app
        self._routes = [(route.path_regex, route) for route in routes if route.methods == {"GET"}]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            path = scope["path"]
            for pattern, route in self._routes:
                match = pattern.fullmatch(path)
                if match is not None:
                    scope["route"] = route
                    scope["aurum"].route = route.path
                    scope["path_params"] = match.groupdict()
                    await _answer(route, scope, receive, send)
                    return
        await self._app(scope, receive, send)


async def _answer(route: PlainRoute, scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    try:
        response = await route.endpoint(request)
    except AurumError as error:
        response = problem_of(request, error)
    except Refused as error:
        response = refusal_of(request, error)
    await response(scope, receive, send)
