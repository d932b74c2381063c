"""Spans of the libraries a process works with: queries, calls of other services."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor  # pyright: ignore[reportMissingTypeStubs] - has none
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.trace import TracerProvider


@contextmanager
def instrumented(provider: TracerProvider, *, redis: bool = True) -> Generator[None]:
    """Those libraries make spans for the length of the block. ``redis``: False where a queue is polled all the time."""
    instrumentors: list[BaseInstrumentor] = [AsyncPGInstrumentor(), HTTPXClientInstrumentor()]
    if redis:
        instrumentors.append(RedisInstrumentor())
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        for instrumentor in instrumentors:
            instrumentor.uninstrument()
