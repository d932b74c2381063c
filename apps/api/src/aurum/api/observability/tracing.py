"""Export of traces, metrics and log lines, of the service and of the libraries that it uses, to a collector."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from opentelemetry.sdk.trace import TracerProvider

from aurum.api.process.background import background
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.telemetry.instruments import instrumented
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.otlp import send_metrics, tracer_provider
from aurum.common.telemetry.otlp_logs import exported_logs

_SERVICE = "aurum-api"


@asynccontextmanager
async def tracing(settings: TelemetrySettings, metrics: Metrics) -> AsyncGenerator[TracerProvider]:
    """Send traces, metrics and log lines to a collector while the block runs. Needs ``settings.endpoint``."""
    provider = tracer_provider(settings, _SERVICE)
    try:
        with instrumented(provider), exported_logs(settings, _SERVICE):
            async with background(send_metrics(metrics, settings, _SERVICE)):
                yield provider
    finally:
        provider.shutdown()
