"""Spans of libraries that a process uses: asyncpg, httpx, redis."""

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
    """Have asyncpg, httpx and redis make spans within the block. ``redis``: False in a process that polls a queue in Redis."""
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
