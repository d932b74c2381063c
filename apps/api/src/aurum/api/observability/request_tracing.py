"""One span for each request, by OpenTelemetry's middleware; a layer only where traces are sent."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.request_state import RequestState


class Tracing:
    """Pure ASGI. Continues the trace of ``traceparent``; the response has ``X-Trace-Id`` and ``X-Span-Id``.

    Its provider is made with the service (``scope["state"]["tracer"]``), so the layer is complete at the first request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._traced: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._traced is None:
            provider: TracerProvider = scope["state"]["tracer"]
            self._traced = OpenTelemetryMiddleware(
                _Named(self._app),
                tracer_provider=provider,
                meter_provider=NoOpMeterProvider(),
                exclude_spans=["receive", "send"],
            )
        await self._traced(scope, receive, send)


class _Named:
    """Names the span by its route, which is known afterwards, and adds the trace id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state: RequestState = scope["aurum"]
        span = trace.get_current_span()
        context = span.get_span_context()
        if context.is_valid:
            state.trace_id = f"{context.trace_id:032x}"
            own = (b"x-trace-id", state.trace_id.encode()), (b"x-span-id", b"%016x" % context.span_id)
            state.headers = (*state.headers, *own)
        span.set_attribute("aurum.request_id", state.request_id)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = state.route or getattr(scope.get("route"), "path", "")
                span.update_name(f"{scope['method']} {route}".strip())
                span.set_attribute("http.route", route)
                span.set_attribute("aurum.tenant", state.caller.tenant)
                span.set_attribute("aurum.cache", state.cache)
            await send(message)

        await self._app(scope, receive, watched)
