"""The slices of the service and its middleware, in order. What collides stops the start-up."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.routing import Route

from aurum.api.docs import router as docs
from aurum.api.health.router import router as health
from aurum.api.middleware.access_log import AccessLog
from aurum.api.middleware.head import Head
from aurum.api.middleware.headers import SecurityHeaders
from aurum.api.middleware.request_id import RequestId
from aurum.api.v2.catalog.quality import router as quality
from aurum.api.v2.catalog.router import router as catalog
from aurum.api.v2.observations.router import router as observations
from aurum.api.v2.series.router import router as series

SLICES: Sequence[tuple[str, APIRouter]] = (
    ("health", health),
    # Before "series": the path of a series would match what follows its key as part of it.
    ("observations", observations),
    ("series", series),
    ("catalog", catalog),
    ("quality", quality),
    ("docs", docs),
)

MIDDLEWARE: Sequence[type] = (RequestId, AccessLog, SecurityHeaders, Head)
"""From the outside in."""


class RouteCollision(Exception):
    """Two slices of one name, or two routes on one path and method. The text names them."""


def checked(slices: Sequence[tuple[str, APIRouter]]) -> Sequence[tuple[str, APIRouter]]:
    """The slices, when no two collide. Raises ``RouteCollision``."""
    names: set[str] = set()
    routes: dict[tuple[str, str], str] = {}
    for name, router in slices:
        if name in names:
            raise RouteCollision(f"two slices are called {name}")
        names.add(name)
        for route in router.routes:
            if not isinstance(route, Route):
                continue
            for method in route.methods or ():
                if (method, route.path) in routes:
                    raise RouteCollision(f"{method} {route.path} is in {routes[method, route.path]} and in {name}")
                routes[method, route.path] = name
    return slices
