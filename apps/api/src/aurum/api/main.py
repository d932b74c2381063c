"""The application: made by ``create_app``, with nothing done at import."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.cache.warming import keep_warm
from aurum.api.contract.headers import say_headers
from aurum.api.contract.schemas import Many, SeriesObservations
from aurum.api.contract.scopes import say_who_may
from aurum.api.http.problems import PROBLEM_SCHEMA, install
from aurum.api.http.security_headers import security_headers
from aurum.api.middleware.loopback import HostNames
from aurum.api.process.background import background
from aurum.api.process.memory import keep_freed_memory, leave_the_lasting_alone
from aurum.api.process.sweeping import sweep_often
from aurum.api.registry import LAYERS, RESPONSE_CACHE, Surface, enabled_layers, surface_of
from aurum.api.serving.fast_path import FastPath
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

* **Point in time.** Every read takes `as_of`; the answer is what was known then, that instant included.
* **Time.** Spans are half-open, `[start, end)`. A day has 23, 24 or 25 hours, in, out and in aggregates.
* **Formats.** JSON, NDJSON, CSV, Arrow and Parquet, by `Accept` or `format`.
* **Errors** are [problem documents](https://www.rfc-editor.org/rfc/rfc9457); their `type` leads to a page.
"""


_STATE = ("services", "responses", "authenticator", "tallies", "metrics", "gate", "limiter", "sharing")
"""The parts of the service that layers and handlers find in ``request.state``."""


class Application(FastAPI):
    """FastAPI behind the layers of the registry, with the schemas of answers that routes write themselves.

    The layers stand around all of FastAPI, not inside of it: what they answer costs nothing of its machinery.
    """

    layers: ASGIApp | None = None
    from_cache_inwards: ASGIApp | None = None
    """The response cache and the layers below it; None where no response is cached."""
    surface: Surface
    fast_path: FastPath | None = None
    """Sends cached responses before any layer; None where every request needs the layers."""

    def surround(self, surface: Surface) -> None:
        """Put the layers of the registry around the routes, the first outermost."""
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
            _, definitions = models_json_schema(
                [(SeriesObservations, "serialization"), (Many, "serialization"), (BatchAnswer, "serialization")],
                ref_template="#/components/schemas/{model}",
            )
            components = document.setdefault("components", {}).setdefault("schemas", {})
            components |= definitions["$defs"] | {"Problem": PROBLEM_SCHEMA}
            for operation in (each for path in document["paths"].values() for each in path.values()):
                # FastAPI adds it wherever a route does not say what else a wrong parameter is; v1 does, and it is 400.
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
            components.pop("HTTPValidationError", None)
            components.pop("ValidationError", None)
            say_who_may(document, self.surface.policies.needed_by_operation())
            say_headers(document, self.surface.policies.tagged_paths())
            self.openapi_schema = document
        return self.openapi_schema


def _needs_no_layer(settings: Settings) -> bool:
    """Return whether a cached response needs no trace, no list of addresses and no headers of CORS."""
    return settings.telemetry.endpoint is None and not settings.limits.asks_addresses and not settings.api.cors_origins


def create_app(settings: Settings, opened: OpenStore = open_live_store) -> Application:
    """Make the service for some settings. ``opened``: opens another store than the one that settings name, for tests."""

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncGenerator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            parts = await stack.enter_async_context(open_service(settings, opened))
            state = _state(settings, parts)
            if settings.telemetry.endpoint is not None:
                from aurum.api.observability.tracing import tracing  # half a second to load, for those who send traces

                state["tracer"] = await stack.enter_async_context(tracing(settings.telemetry, parts.registry))
            if app.fast_path is not None:
                state["fast_path"] = app.fast_path
            services = parts.services
            tasks = [
                parts.authenticator.flush_often(),
                services.flags.keep_current(),
                services.flags.flush_often(),
                parts.freshness.keep_current(),
                sweep_often(services.store.idempotency.sweep, services.store.cache.sweep),
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
        # Side by side, not nested with include_router, whose matching costs every request 20 µs.
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
    """The service for this process's settings: for ``uvicorn --factory``. Stops the process as ``serve`` does.

    Where it will listen is uvicorn's to know: what an open service is asked elsewhere than on loopback, its layers refuse.
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
    leave_the_lasting_alone()
    return app


def openapi_document() -> dict[str, Any]:
    """The contract, the same on every machine."""
    return create_app(Settings()).openapi()
