"""Work without traces: background work that repeats all the time, whose traces would outnumber those of requests."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

_NOT_SAMPLED = NonRecordingSpan(SpanContext(trace_id=1, span_id=1, is_remote=False, trace_flags=TraceFlags(0)))


@contextmanager
def untraced() -> Generator[None]:
    """Put all work begun in the block, tasks included, into a trace that is not sampled."""
    token = context.attach(trace.set_span_in_context(_NOT_SAMPLED))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def without_http_spans() -> Generator[None]:
    """Make no span of the HTTP requests in the block: their addresses hold secrets."""
    with suppress_http_instrumentation():
        yield
