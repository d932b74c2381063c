"""Spans of jobs, which continue the trace of the request that submitted them."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aurum.common.telemetry.work import carried_trace
from aurum.storage.ports.jobs import Claim

_PROPAGATOR = TraceContextTextMapPropagator()


class JobSpans:
    """Makes one span for each attempt, a child of the request's span. ``tracer``: None where no traces are sent."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer

    def start(self, claim: Claim) -> Span | None:
        """Start the span of an attempt; None where no traces are sent."""
        if self._tracer is None:
            return None
        return self._tracer.start_span(
            claim.name,
            context=carried_trace(claim.carried),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "aurum",
                "messaging.operation.type": "process",
                "messaging.destination.name": claim.queue,
                "messaging.message.id": claim.job_id,
                "aurum.attempts": claim.attempts,
            },
        )

    @staticmethod
    def carried(claim: Claim, span: Span | None) -> Mapping[str, object]:
        """Return what the attempt carries on: the fields of the request, and the span as parent of those within it."""
        if span is None:
            return claim.carried
        headers: dict[str, str] = {}
        _PROPAGATOR.inject(headers, trace.set_span_in_context(span, carried_trace(claim.carried)))
        return {**claim.carried, **headers}

    @staticmethod
    def end(span: Span | None, error: str | None) -> None:
        """End a span. ``error``: kind of the failure; None without one."""
        if span is None:
            return
        if error is not None:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end()
