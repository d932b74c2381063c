"""The features and the layers of the service, in order. A collision between them stops the start-up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp

from aurum.api.cache.layer import ResponseCache
from aurum.api.datadocs.router import router as datadocs
from aurum.api.docs import router as docs
from aurum.api.encoding.negotiate import MEDIA_TYPES
from aurum.api.health.router import router as health
from aurum.api.http.security_headers import security_headers
from aurum.api.middleware.addresses import Addresses
from aurum.api.middleware.admission import Admission
from aurum.api.middleware.authentication import Access
from aurum.api.middleware.compression import Compression
from aurum.api.middleware.context import RequestContext
from aurum.api.middleware.cors import cors
from aurum.api.middleware.direct import Direct
from aurum.api.middleware.error_pages import ErrorPages
from aurum.api.middleware.head import Head
from aurum.api.middleware.idempotency import Idempotency
from aurum.api.middleware.latest import Latest
from aurum.api.middleware.loopback import Loopback
from aurum.api.middleware.ratelimit import GlobalRateLimit, RateLimit
from aurum.api.middleware.size import Size
from aurum.api.middleware.whole_body import WholeBody
from aurum.api.observability.access_log import log_access
from aurum.api.observability.metrics_route import router as metrics
from aurum.api.routing.router import FeatureRouter, PlainRoute
from aurum.api.routing.table import PolicyTable
from aurum.api.security.failed_attempts import FailedAttempts
from aurum.api.spool.layer import SpoolLayer
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
from aurum.api.v2.admin.series.router import router as admin_series
from aurum.api.v2.admin.tenants.router import router as admin_tenants
from aurum.api.v2.admin.usage.router import router as admin_usage
from aurum.api.v2.alerts.router import router as alerts
from aurum.api.v2.blocks.router import router as blocks
from aurum.api.v2.calendars.router import router as calendars
from aurum.api.v2.catalog.lineage import router as lineage
from aurum.api.v2.catalog.router import router as catalog
from aurum.api.v2.changes.router import router as changes
from aurum.api.v2.curves.build import router as curve_builds
from aurum.api.v2.curves.continuous import router as curve_continuous
from aurum.api.v2.curves.derived import router as derived_curves
from aurum.api.v2.curves.discount import router as curve_discount
from aurum.api.v2.curves.explain import router as curve_explanations
from aurum.api.v2.curves.moves import router as curve_moves
from aurum.api.v2.curves.quotes import router as curve_queries
from aurum.api.v2.curves.router import router as curves
from aurum.api.v2.curves.sets import approval_router as curve_set_approval
from aurum.api.v2.curves.sets import comparison_router as curve_set_comparison
from aurum.api.v2.curves.sets import router as curve_sets
from aurum.api.v2.curves.shape import router as curve_shapes
from aurum.api.v2.curves.spread import router as curve_spreads
from aurum.api.v2.curves.upload import router as curve_upload
from aurum.api.v2.drought.router import router as drought
from aurum.api.v2.external.observations import router as external_observations
from aurum.api.v2.external.router import router as external
from aurum.api.v2.jobs.router import router as jobs
from aurum.api.v2.links.router import router as links
from aurum.api.v2.mappings.router import router as mappings
from aurum.api.v2.mappings.units import router as units
from aurum.api.v2.me.router import router as me
from aurum.api.v2.models.router import router as models
from aurum.api.v2.observations.router import router as observations
from aurum.api.v2.private.router import router as private
from aurum.api.v2.products.router import router as products
from aurum.api.v2.quality.router import router as quality
from aurum.api.v2.query.router import router as query
from aurum.api.v2.search.router import router as search
from aurum.api.v2.series.issues import router as issues
from aurum.api.v2.series.movers import router as movers
from aurum.api.v2.series.router import router as series
from aurum.api.v2.shapes.router import router as shapes
from aurum.api.v2.validations.router import router as validations
from aurum.api.v2.webhooks.router import router as webhooks
from aurum.common.settings import Settings


def _always(_settings: Settings) -> bool:
    return True


def _v1(settings: Settings) -> bool:
    return settings.api.enable_v1


@dataclass(frozen=True, slots=True)
class Feature:
    """Routes that belong together. Each has its policy where it is declared."""

    name: str
    router: FeatureRouter
    enabled: Callable[[Settings], bool] = _always


@dataclass(frozen=True, slots=True)
class Surface:
    """The features of a service with its settings, and the policies of their routes."""

    settings: Settings
    features: Sequence[Feature]
    policies: PolicyTable


@dataclass(frozen=True, slots=True)
class Layer:
    """Pure ASGI middleware: ``make`` puts it around the application below it."""

    name: str
    make: Callable[[ASGIApp, Surface], ASGIApp]
    enabled: Callable[[Settings], bool] = _always


FEATURES: Sequence[Feature] = (
    Feature("health", health),
    Feature("metrics", metrics),
    # Before "series": its path takes all that follows as the key, "/observations" included.
    Feature("observations", observations),
    Feature("issues", issues),
    Feature("query", query),
    # Before "series", too, whose paths take any text as a key; no key is a word without colons.
    Feature("movers", movers),
    Feature("series", series),
    Feature("search", search),
    Feature("private series", private),
    Feature("changes", changes),
    Feature("links", links),
    Feature("alerts", alerts),
    Feature("webhooks", webhooks),
    Feature("quality", quality),
    Feature("models", models),
    Feature("validations", validations),
    Feature("catalog", catalog),
    Feature("lineage", lineage),
    Feature("drought", drought),
    # Before "curves", whose paths take any text as a key; a key has colons.
    Feature("curve moves", curve_moves),
    Feature("curve explanations", curve_explanations),
    Feature("curve continuous series", curve_continuous),
    Feature("curve queries", curve_queries),
    Feature("curve upload", curve_upload),
    Feature("curve builds", curve_builds),
    Feature("curve shapes", curve_shapes),
    Feature("curve sets", curve_sets),
    Feature("curve set approval", curve_set_approval),
    Feature("curve set comparison", curve_set_comparison),
    Feature("curve spreads", curve_spreads),
    Feature("derived curves", derived_curves),
    Feature("curve discount", curve_discount),
    Feature("curves", curves),
    Feature("products", products),
    Feature("calendars", calendars),
    Feature("blocks", blocks),
    Feature("mappings", mappings),
    Feature("units", units),
    Feature("shapes", shapes),
    Feature("external", external),
    Feature("external observations", external_observations),
    Feature("me", me),
    Feature("jobs", jobs),
    Feature("admin keys", admin_keys),
    Feature("admin tenants", admin_tenants),
    Feature("admin plans", admin_plans),
    Feature("admin audit", admin_audit),
    Feature("admin flags", admin_flags),
    Feature("admin cache", admin_cache),
    Feature("admin ingest", admin_ingest),
    Feature("admin quarantine", admin_quarantine),
    Feature("admin series", admin_series),
    Feature("admin limits", admin_limits),
    Feature("admin usage", admin_usage),
    Feature("admin jobs", admin_jobs),
    Feature("docs", docs),
    Feature("data docs", datadocs),
)


def _v1_features() -> Sequence[Feature]:
    from aurum.api.v1.routers import ROUTERS  # 40 ms to load, only where v1 is on

    return [Feature(name, router) for name, router in ROUTERS.items()]


_PARAMETER_NAME = re.compile(r"\{[^:}]+")
"""The name of a path parameter, without its converter."""

RESPONSE_CACHE = "response cache"

LAYERS: Sequence[Layer] = (
    Layer(
        "context",
        lambda app, surface: RequestContext(app, headers=security_headers(surface.settings), observers=(log_access,)),
    ),
    Layer("tracing", lambda app, _: _tracing(app), enabled=lambda settings: settings.telemetry.endpoint is not None),
    Layer(
        "cors", lambda app, surface: cors(app, surface.settings.api), enabled=lambda settings: bool(settings.api.cors_origins)
    ),
    Layer("error pages", lambda app, _: ErrorPages(app)),
    Layer("v1 lifecycle", lambda app, _: Lifecycle(app), enabled=_v1),
    Layer("latest", lambda app, _: Latest(app)),
    Layer("addresses", lambda app, surface: Addresses(app, surface.settings.limits)),
    Layer(
        "loopback",
        lambda app, surface: Loopback(app, surface.settings.api),
        enabled=lambda settings: settings.access.mode == "open",
    ),
    Layer(
        "size",
        lambda app, surface: Size(app, surface.settings.limits, private_bytes=surface.settings.private.body_bytes),
    ),
    Layer(
        "global rate limit",
        lambda app, _: GlobalRateLimit(app),
        enabled=lambda settings: settings.limits.global_per_second > 0,
    ),
    Layer(
        "access",
        lambda app, surface: Access(app, surface.policies, FailedAttempts(surface.settings.limits.failures_per_minute)),
    ),
    Layer("rate limit", lambda app, _: RateLimit(app)),
    Layer(
        "whole body",
        lambda app, surface: WholeBody(app, surface.settings.limits, anonymous=surface.settings.access.mode == "open"),
    ),
    Layer("idempotency", lambda app, _: Idempotency(app)),
    Layer("spool", lambda app, surface: SpoolLayer(app, _bulk_routes(surface.features))),
    Layer("head", lambda app, _: Head(app)),
    Layer(
        RESPONSE_CACHE,
        lambda app, surface: ResponseCache(app, shared=surface.policies.shared_templates(), guarded=("/v1/", "/v2/")),
        enabled=lambda settings: settings.cache.enabled,
    ),
    Layer("admission", lambda app, _: Admission(app)),
    Layer("compression", lambda app, _: Compression(app)),
    Layer("direct", lambda app, surface: Direct(app, _plain_routes(surface.features))),
)
"""From the outside in."""


def _tracing(app: ASGIApp) -> ASGIApp:
    from aurum.api.observability.request_tracing import Tracing  # a fifth of a second to load, only when traces are sent

    return Tracing(app)


def _bulk_routes(features: Sequence[Feature]) -> list[re.Pattern[str]]:
    """Return the paths of the reads that answer with data files, as their documentation says."""
    bulk = MEDIA_TYPES["parquet"]
    return [
        route.path_regex
        for feature in features
        for route, _ in feature.router.policies
        if "GET" in (route.methods or ()) and bulk in route.responses.get(200, {}).get("content", {})
    ]


def _plain_routes(features: Sequence[Feature]) -> list[PlainRoute]:
    return [route for feature in features for route in feature.router.routes if isinstance(route, PlainRoute)]


class RouteCollision(Exception):
    """Two features or layers with the same name, or two routes with the same path and method. The text names them."""


def surface_of(settings: Settings) -> Surface:
    """Return the features and policies of a service with these settings. Raises ``RouteCollision``."""
    features = enabled_features((*FEATURES, *(_v1_features() if settings.api.enable_v1 else ())), settings)
    policies = [declared for feature in features for declared in feature.router.policies]
    return Surface(settings, features, PolicyTable(policies, public_paths=("/openapi.json",)))


def enabled_features(features: Sequence[Feature], settings: Settings) -> Sequence[Feature]:
    """Return the features that the settings enable. Raises ``RouteCollision`` when two of them collide."""
    names: set[str] = set()
    owners: dict[tuple[str, str], str] = {}
    enabled = [feature for feature in features if feature.enabled(settings)]
    for feature in enabled:
        if feature.name in names:
            raise RouteCollision(f"two features have the name {feature.name}")
        names.add(feature.name)
        for route, _ in feature.router.policies:
            for method in route.methods or ():
                # Two routes may differ in the converter of a parameter, but not in its name alone.
                operation = method, _PARAMETER_NAME.sub("{", route.path)
                if operation in owners:
                    raise RouteCollision(f"{method} {route.path} is a route of {owners[operation]} and of {feature.name}")
                owners[operation] = feature.name
    return enabled


def enabled_layers(layers: Sequence[Layer], settings: Settings) -> Sequence[Layer]:
    """Return the layers that the settings enable, from the outside in. Raises ``RouteCollision``."""
    enabled = [layer for layer in layers if layer.enabled(settings)]
    names = [layer.name for layer in enabled]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RouteCollision(f"two layers have the name {twice}")
    return enabled
