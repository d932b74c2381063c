"""The export of a worker's telemetry to a collector, where the settings name one."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry.trace import Tracer

from aurum.common.settings import Settings
from aurum.common.telemetry.metrics import Metrics

_SERVICE = "aurum-worker"
_NAME = "aurum.workers"


@contextmanager
def exported_telemetry(settings: Settings, metrics: Metrics, *, send_within_s: float | None = None) -> Generator[Tracer | None]:
    """Send metrics, traces and log lines to a collector if one is set, for the length of the block.

    ``send_within_s``: how long one sending of metrics may take; that of ``MetricsSender`` by default. Yields the tracer of
    jobs; None without a collector.
    """
    if settings.telemetry.endpoint is None:
        yield None
        return
    # These imports take half a second, so only workers with a collector load them.
    from aurum.common.telemetry.otlp import SEND_WITHIN_S, MetricsSender

    within_s = SEND_WITHIN_S if send_within_s is None else send_within_s
    sender, done = MetricsSender(metrics, settings.telemetry, _SERVICE, within_s=within_s), threading.Event()

    def send_regularly() -> None:
        while not done.wait(settings.telemetry.metrics_every_s):
            sender.send()
        sender.send()  # the last counts

    thread = threading.Thread(target=send_regularly, name="metrics", daemon=True)
    thread.start()
    try:
        with exported_traces(settings) as tracer:
            yield tracer
    finally:
        done.set()
        thread.join()


@contextmanager
def exported_traces(settings: Settings) -> Generator[Tracer | None]:
    """Send traces and log lines to a collector if one is set, for the length of the block; yield the tracer."""
    if settings.telemetry.endpoint is None:
        yield None
        return
    from aurum.common.telemetry.instruments import instrumented
    from aurum.common.telemetry.otlp import tracer_provider
    from aurum.common.telemetry.otlp_logs import exported_logs

    provider = tracer_provider(settings.telemetry, _SERVICE)
    try:
        # Without Redis, which is polled for jobs all the time.
        with instrumented(provider, redis=False), exported_logs(settings.telemetry, _SERVICE):
            yield provider.get_tracer(_NAME)
    finally:
        provider.shutdown()


def preload_exporters(settings: Settings) -> None:
    """Import what ``exported_traces`` needs, so that children of this process need not."""
    if settings.telemetry.endpoint is not None:
        from aurum.common.telemetry import instruments, otlp, otlp_logs  # noqa: F401 - loaded for the children
