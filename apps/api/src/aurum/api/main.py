"""The ASGI application, made by ``create_app``; importing this module does no work."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.cache.warming import keep_warm
from aurum.api.contract.headers import document_headers
from aurum.api.contract.schemas import ManySeriesObservations, SeriesObservations, Vintages
from aurum.api.contract.scopes import document_permissions
from aurum.api.http.problems import PROBLEM_SCHEMA, install
from aurum.api.http.security_headers import security_headers
from aurum.api.middleware.loopback import HostNames
from aurum.api.process.background import background
from aurum.api.process.memory import freeze_startup_objects, keep_freed_memory
from aurum.api.process.sweeping import sweep_often
from aurum.api.registry import LAYERS, RESPONSE_CACHE, Surface, enabled_layers, surface_of
from aurum.api.serving.fast_path import FastPath
from aurum.api.v2.curves.continuous_schemas import ContinuousDocument
from aurum.api.v2.curves.discount import DiscountDocument
from aurum.api.v2.curves.explain_schemas import WRITTEN as EXPLAIN_DOCUMENTS
from aurum.api.v2.curves.schemas import WRITTEN as CURVE_DOCUMENTS
from aurum.api.v2.curves.schemas import QuoteRows
from aurum.api.v2.curves.set_schemas import WRITTEN as CURVE_SET_DOCUMENTS
from aurum.api.v2.private.schemas import PrivatePoints
from aurum.api.v2.query.router import BatchAnswer
from aurum.api.wiring import OpenStore, ServiceParts, open_service
from aurum.assembly.postgres import open_live_store
from aurum.common.contracts import contracts_directory
from aurum.common.errors import InvalidSetting
from aurum.common.guides import guides_directory
from aurum.common.settings import Settings, load_settings
from aurum.common.settings.production import refusals_to_start
from aurum.common.telemetry.logging import configure_logging

_DESCRIPTION = """\
Every version of every number that grid operators, agencies and brokers publish, with the time it became known.

* **Point in time.** With `as_of`, a request for observations returns the values that were known at that instant, the instant
  included.
* **Time.** Spans are half-open, `[start, end)`. A local day has 23, 24 or 25 hours, in requests, responses and aggregates.
* **Formats.** JSON, NDJSON, CSV, Arrow and Parquet, by the `Accept` header or the parameter `format`. Curves and series are
  also drawn, as SVG and PNG.
* **Errors** are [problem documents](https://www.rfc-editor.org/rfc/rfc9457); their `type` is the address of an explanation.
"""


_STATE = (
    "services",
    "responses",
    "authenticator",
    "tallies",
    "metrics",
    "gate",
    "limiter",
    "usage",
    "sharing",
    "spooler",
    "links",
)
"""Names of the parts of the service that layers and handlers read from ``request.state``."""


class Application(FastAPI):
    """FastAPI behind the layers of the registry, with the schemas of bodies that routes read and write themselves.

    The layers surround all of FastAPI: a request that a layer answers costs nothing of FastAPI's machinery.
    """

    layers: ASGIApp | None = None
    from_cache_inwards: ASGIApp | None = None
    """The response cache and the layers below it; None when the cache is off."""
    surface: Surface
    fast_path: FastPath | None = None
    """Sends cached responses before any layer; None when every request needs the layers."""

    def surround(self, surface: Surface) -> None:
        """Put the layers of the registry around the routes, the first of them outermost."""
        self.surface = surface
        settings = surface.settings
        app: ASGIApp = super().__call__
        for layer in reversed(enabled_layers(LAYERS, settings)):
            app = layer.make(app, surface)
            if layer.name == RESPONSE_CACHE:
                self.from_cache_inwards = app
        if settings.cache.enabled and _needs_no_layer(settings):
            names = HostNames(settings.api.names)
            needs = surface.policies.needed_by_template()
            self.fast_path = FastPath(needs=needs, common=security_headers(settings), names=names)
        self.layers = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.layers or super().__call__)(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            written = (
                SeriesObservations,
                ManySeriesObservations,
                Vintages,
                BatchAnswer,
                *CURVE_DOCUMENTS,
                *CURVE_SET_DOCUMENTS,
                ContinuousDocument,
                *EXPLAIN_DOCUMENTS,
                DiscountDocument,
            )
            _, definitions = models_json_schema(
                [*((model, "serialization") for model in written), (PrivatePoints, "validation"), (QuoteRows, "validation")],
                ref_template="#/components/schemas/{model}",
            )
            components = document.setdefault("components", {}).setdefault("schemas", {})
            components |= definitions["$defs"] | {"Problem": PROBLEM_SCHEMA}
            for operation in (each for path in document["paths"].values() for each in path.values()):
                # FastAPI documents its own 422 for routes that declare none: those of v1, whose status is 400.
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
            components.pop("HTTPValidationError", None)
            components.pop("ValidationError", None)
            document_permissions(document, self.surface.policies.needed_by_operation())
            document_headers(document, self.surface.policies.tagged_paths())
            self.openapi_schema = document
        return self.openapi_schema


def _needs_no_layer(settings: Settings) -> bool:
    """Return whether cached responses need no trace, no check of addresses and no CORS headers."""
    return settings.telemetry.endpoint is None and not settings.limits.has_address_lists and not settings.api.cors_origins


def create_app(settings: Settings, opened: OpenStore = open_live_store) -> Application:
    """Return the application for these settings. ``opened``: opens the store; tests pass another one."""

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncGenerator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            parts = await stack.enter_async_context(open_service(settings, opened))
            state = _state(settings, parts)
            state["common_headers"] = security_headers(settings)
            if settings.telemetry.endpoint is not None:
                from aurum.api.observability.tracing import tracing  # half a second to load, only when traces are sent

                state["tracer"] = await stack.enter_async_context(tracing(settings.telemetry, parts.registry))
            if app.fast_path is not None:
                state["fast_path"] = app.fast_path
            services = parts.services
            tasks = [
                parts.authenticator.flush_often(),
                parts.usage.write_often(settings.api.usage_every_s),
                services.flags.keep_current(),
                services.flags.flush_often(),
                parts.freshness.keep_current(),
                services.hub.run(),
                services.job_hub.run(),
                sweep_often(services.store.idempotency.sweep, services.store.cache.sweep, services.store.access.links.sweep),
                sweep_often(parts.spooler.sweep, every_s=settings.spool.keep_s),
            ]
            tasks += [keep_warm(app.from_cache_inwards, state, settings.cache)] if app.from_cache_inwards else []
            await stack.enter_async_context(background(*tasks))
            yield state

    app = Application(
        title="Aurum",
        version="2.0",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    install(app)
    surface = surface_of(settings)
    for feature in surface.features:
        # Side by side: routers nested with include_router cost every request 20 µs.
        app.router.routes.extend(feature.router.routes)
    app.surround(surface)
    return app


def _state(settings: Settings, parts: ServiceParts) -> dict[str, Any]:
    documents = {
        "contracts": contracts_directory(settings.contracts_dir),
        "guides": guides_directory(settings.guides_dir),
    }
    return documents | {name: getattr(parts, name) for name in _STATE}


def create_app_from_environment() -> FastAPI:
    """Return the application for the settings of this process, for ``uvicorn --factory``.

    Raises ``SystemExit`` when the settings are invalid or the service must not start with them. Only uvicorn knows the address
    that it listens on; the layers of an open service refuse requests that do not come through loopback.
    """
    try:
        settings = load_settings()
    except InvalidSetting as error:
        sys.stderr.write(f"aurum.api: {error}\n")
        raise SystemExit(2) from error
    refusals = refusals_to_start(settings, settings.api.host)
    if refusals:
        raise SystemExit("\n".join(f"aurum.api: {line}" for line in refusals))
    configure_logging(settings.logging)
    keep_freed_memory()
    app = create_app(settings)
    freeze_startup_objects()
    return app


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document with default settings, so that it is the same on every machine."""
    return create_app(Settings()).openapi()
