"""The slices of the service and its layers, in order. What collides stops the start-up."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.routing import Route
from starlette.types import ASGIApp

from aurum.api.cache.layer import ResponseCache
from aurum.api.datadocs.router import router as datadocs
from aurum.api.docs import router as docs
from aurum.api.health.router import router as health
from aurum.api.http.routes import PlainRoute
from aurum.api.http.security_headers import security_headers
from aurum.api.middleware.addresses import Addresses
from aurum.api.middleware.admission import Admission
from aurum.api.middleware.authentication import Access, Rule
from aurum.api.middleware.compression import Compression
from aurum.api.middleware.context import RequestContext
from aurum.api.middleware.cors import cors
from aurum.api.middleware.direct import Direct
from aurum.api.middleware.head import Head
from aurum.api.middleware.idempotency import Idempotency
from aurum.api.middleware.latest import Latest
from aurum.api.middleware.loopback import Loopback
from aurum.api.middleware.ratelimit import GlobalRateLimit, RateLimit
from aurum.api.middleware.size import Size
from aurum.api.observability.access_log import log_access
from aurum.api.observability.metrics_route import router as metrics
from aurum.api.security.failed_attempts import FailedAttempts
from aurum.api.v1.lifecycle import Lifecycle
from aurum.api.v2.admin.audit.router import router as admin_audit
from aurum.api.v2.admin.cache.router import router as admin_cache
from aurum.api.v2.admin.flags.router import router as admin_flags
from aurum.api.v2.admin.ingest.router import router as admin_ingest
from aurum.api.v2.admin.jobs.router import router as admin_jobs
from aurum.api.v2.admin.keys.router import router as admin_keys
from aurum.api.v2.admin.limits.router import router as admin_limits
from aurum.api.v2.admin.plans.router import router as admin_plans
from aurum.api.v2.admin.quarantine.router import router as admin_quarantine
from aurum.api.v2.admin.tenants.router import router as admin_tenants
from aurum.api.v2.catalog.models import router as models
from aurum.api.v2.catalog.quality import router as quality
from aurum.api.v2.catalog.router import router as catalog
from aurum.api.v2.catalog.validations import router as validations
from aurum.api.v2.observations.query import router as query
from aurum.api.v2.observations.router import router as observations
from aurum.api.v2.series.router import router as series
from aurum.common.settings import Settings
from aurum.core.access import Permission


def _always(_settings: Settings) -> bool:
    return True


def _v1(settings: Settings) -> bool:
    return settings.api.enable_v1


@dataclass(frozen=True, slots=True)
class Feature:
    """Routes that belong together. ``reads``, ``writes``: the scope that safe methods and the others need; None: nobody is
    asked who they are. ``shared``: answers every tenant alike.
    """

    name: str
    router: APIRouter
    reads: Permission | None
    writes: Permission | None = None
    shared: bool = False
    enabled: Callable[[Settings], bool] = _always


@dataclass(frozen=True, slots=True)
class Layer:
    """Pure ASGI middleware: ``make`` puts it around what is below it."""

    name: str
    make: Callable[[ASGIApp, Settings], ASGIApp]
    enabled: Callable[[Settings], bool] = _always


FEATURES: Sequence[Feature] = (
    Feature("health", health, None),
    Feature("metrics", metrics, Permission.ADMIN_READ),
    # Before "series": the path of a series would match what follows its key as part of it.
    Feature("observations", observations, Permission.SERIES_READ, Permission.SERIES_READ, shared=True),
    Feature("query", query, Permission.SERIES_READ, Permission.SERIES_READ),
    Feature("series", series, Permission.SERIES_READ, shared=True),
    Feature("quality", quality, Permission.CATALOG_READ, shared=True),
    Feature("models", models, Permission.CATALOG_READ, shared=True),
    Feature("validations", validations, Permission.CATALOG_READ, shared=True),
    Feature("catalog", catalog, Permission.CATALOG_READ, shared=True),
    Feature("admin keys", admin_keys, Permission.ADMIN_READ, Permission.ADMIN_WRITE),
    Feature("admin tenants", admin_tenants, Permission.TENANT_MANAGE, Permission.TENANT_MANAGE),
    Feature("admin plans", admin_plans, Permission.ADMIN_READ, Permission.ADMIN_LIMITS),
    Feature("admin audit", admin_audit, Permission.ADMIN_READ),
    Feature("admin flags", admin_flags, Permission.ADMIN_READ, Permission.ADMIN_FLAGS),
    Feature("admin cache", admin_cache, Permission.ADMIN_READ, Permission.ADMIN_WRITE),
    Feature("admin ingest", admin_ingest, Permission.ADMIN_READ),
    Feature("admin quarantine", admin_quarantine, Permission.ADMIN_READ, Permission.ADMIN_WRITE),
    Feature("admin limits", admin_limits, Permission.ADMIN_READ),
    Feature("admin jobs", admin_jobs, Permission.ADMIN_READ, Permission.ADMIN_WRITE),
    Feature("docs", docs, None),
    Feature("data docs", datadocs, Permission.CATALOG_READ),
)


def _v1_slices() -> Sequence[Feature]:
    from aurum.api.v1 import curves, drought, eia, external, iso_lmp, metadata  # 40 ms to load, for those who need it

    return (
        Feature("v1 curves", curves.router, Permission.SERIES_READ),
        Feature("v1 iso", iso_lmp.router, Permission.SERIES_READ),
        Feature("v1 metadata", metadata.router, Permission.CATALOG_READ),
        Feature("v1 eia", eia.router, Permission.SERIES_READ),
        Feature("v1 external", external.router, Permission.SERIES_READ),
        Feature("v1 drought", drought.router, Permission.SERIES_READ),
    )


_NAME = re.compile(r"\{[^:}]+")
"""Of a parameter in a path, up to what it takes."""

RESPONSE_CACHE = "response cache"

LAYERS: Sequence[Layer] = (
    Layer(
        "context",
        lambda app, settings: RequestContext(app, headers=security_headers(settings), observers=(log_access,)),
    ),
    Layer("tracing", lambda app, _: _tracing(app), enabled=lambda settings: settings.telemetry.endpoint is not None),
    Layer("cors", lambda app, settings: cors(app, settings.api), enabled=lambda settings: bool(settings.api.cors_origins)),
    Layer("v1 lifecycle", lambda app, _: Lifecycle(app), enabled=_v1),
    Layer("latest", lambda app, _: Latest(app)),
    Layer("addresses", lambda app, settings: Addresses(app, settings.limits)),
    Layer(
        "loopback", lambda app, settings: Loopback(app, settings.api), enabled=lambda settings: settings.access.mode == "open"
    ),
    Layer("size", lambda app, settings: Size(app, settings.limits)),
    Layer("everybody", lambda app, _: GlobalRateLimit(app), enabled=lambda settings: settings.limits.global_per_second > 0),
    Layer(
        "access",
        lambda app, settings: Access(
            app, access_rules(features_of(settings)), FailedAttempts(settings.limits.failures_per_minute)
        ),
    ),
    Layer("rate limit", lambda app, _: RateLimit(app)),
    Layer("idempotency", lambda app, _: Idempotency(app)),
    Layer("head", lambda app, _: Head(app)),
    Layer(
        RESPONSE_CACHE,
        lambda app, _: ResponseCache(app, shared=_shared_routes(), guarded=("/v1/", "/v2/")),
        enabled=lambda settings: settings.cache.enabled,
    ),
    Layer("admission", lambda app, _: Admission(app)),
    Layer("compression", lambda app, _: Compression(app)),
    Layer("direct", lambda app, settings: Direct(app, _plain_routes(settings))),
)
"""From the outside in."""


def _tracing(app: ASGIApp) -> ASGIApp:
    from aurum.api.observability.request_tracing import Tracing  # a fifth of a second to load, for those who send traces

    return Tracing(app)


def _shared_routes() -> frozenset[str]:
    return frozenset(route.path for one in FEATURES if one.shared for route in one.router.routes if isinstance(route, Route))


def _plain_routes(settings: Settings) -> list[PlainRoute]:
    slices = features_of(settings)
    return [route for one in slices for route in one.router.routes if isinstance(route, PlainRoute)]


class RouteCollision(Exception):
    """Two slices or layers of one name, or two routes on one path and method. The text names them."""


def features_of(settings: Settings) -> Sequence[Feature]:
    """The slices of a service with these settings. Raises ``RouteCollision``."""
    return enabled_features((*FEATURES, *(_v1_slices() if settings.api.enable_v1 else ())), settings)


def enabled_features(slices: Sequence[Feature], settings: Settings) -> Sequence[Feature]:
    """The slices that settings leave on, when no two collide. Raises ``RouteCollision``."""
    names: set[str] = set()
    routes: dict[tuple[str, str], str] = {}
    found = [one for one in slices if one.enabled(settings)]
    for one in found:
        if one.name in names:
            raise RouteCollision(f"two slices are called {one.name}")
        names.add(one.name)
        for route in one.router.routes:
            if not isinstance(route, Route):
                continue
            for method in route.methods or ():
                # What a parameter is called does not tell two routes apart; what it takes does.
                same = method, _NAME.sub("{", route.path)
                if same in routes:
                    raise RouteCollision(f"{method} {route.path} is in {routes[same]} and in {one.name}")
                routes[same] = one.name
    return found


def access_rules(slices: Sequence[Feature]) -> dict[tuple[str, ...], Rule]:
    """What each part of the tree of paths needs, by its first segments. Raises ``RouteCollision`` when two slices disagree."""
    rules: dict[tuple[str, ...], Rule] = {("openapi.json",): (None, None)}
    for one in slices:
        rule = (one.reads, one.writes if one.writes is not None else one.reads)
        for route in one.router.routes:
            if isinstance(route, Route):
                prefix = _fixed_part(route.path)
                if rules.setdefault(prefix, rule) != rule:
                    raise RouteCollision(f"two slices ask for different scopes on /{'/'.join(prefix)}; one is {one.name}")
    return rules


def read_scopes(settings: Settings) -> dict[str, Permission]:
    """The scope that reading each route needs, by its template."""
    return {
        route.path: one.reads
        for one in features_of(settings)
        if one.reads is not None
        for route in one.router.routes
        if isinstance(route, Route)
    }


def tagged_paths() -> frozenset[str]:
    """Paths, as OpenAPI writes them, whose answers may be kept and so have an entity tag."""
    return frozenset(
        route.path_format for one in FEATURES if one.shared for route in one.router.routes if isinstance(route, Route)
    )


def needed_scopes(settings: Settings) -> dict[tuple[str, str], Permission]:
    """The scope that each operation needs, by its path as OpenAPI writes it and its method."""
    found: dict[tuple[str, str], Permission] = {}
    for one in features_of(settings):
        for route in one.router.routes:
            if not isinstance(route, Route):
                continue
            for method in route.methods or ():
                scope = one.reads if method == "GET" or one.writes is None else one.writes
                if scope is not None:
                    found[route.path_format, method] = scope
    return found


def _fixed_part(path: str) -> tuple[str, ...]:
    """Up to three segments of a path, as far as they are the same for every request."""
    return tuple(itertools.takewhile(lambda part: "{" not in part, path.split("/")[1:4]))


def enabled_layers(layers: Sequence[Layer], settings: Settings) -> Sequence[Layer]:
    """The layers that settings leave on, from the outside in. Raises ``RouteCollision``."""
    found = [one for one in layers if one.enabled(settings)]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RouteCollision(f"two layers are called {twice}")
    return found
