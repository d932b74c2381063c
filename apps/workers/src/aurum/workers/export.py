"""The export of a worker's telemetry: a port for Prometheus, and a collector where the settings name one."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import structlog
from opentelemetry.trace import Tracer

from aurum.common.settings import Settings
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.settings.workers import WorkersSettings
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.prometheus import PrometheusView

_SERVICE = "aurum-worker"
_log = structlog.get_logger(__name__)


@contextmanager
def exported_telemetry(settings: Settings, metrics: Metrics, *, send_within_s: float | None = None) -> Generator[Tracer | None]:
    """Serve metrics, and send metrics, traces and log lines to a collector if one is set, for the length of the block.

    ``send_within_s``: how long one sending of metrics may take; that of ``MetricsSender`` by default. Yields the tracer of
    jobs; None without a collector.
    """
    with ExitStack() as stack:
        tracer: Tracer | None = None
        if settings.telemetry.endpoint is not None:
            tracer = stack.enter_context(_sent_to_collector(settings.telemetry, metrics, send_within_s))
        _serve(stack, settings.workers, metrics)
        yield tracer


def _serve(stack: ExitStack, settings: WorkersSettings, metrics: Metrics) -> None:
    """Serve metrics for Prometheus. The worker also runs without this, so a port in use is only logged."""
    if not settings.metrics_port:
        return
    address = f"{settings.metrics_host}:{settings.metrics_port}"
    try:
        stack.enter_context(PrometheusView(metrics).served(settings.metrics_host, settings.metrics_port))
    except OSError as error:
        _log.warning("metrics not served", where=address, reason=error.strerror, setting="AURUM_WORKERS__METRICS_PORT")
        return
    _log.info("metrics served", url=f"http://{address}/metrics")


@contextmanager
def _sent_to_collector(settings: TelemetrySettings, metrics: Metrics, send_within_s: float | None) -> Generator[Tracer]:
    # These imports take half a second, so only workers with a collector load them.
    from aurum.common.telemetry.instruments import instrumented
    from aurum.common.telemetry.otlp import SEND_WITHIN_S, MetricsSender, tracer_provider
    from aurum.common.telemetry.otlp_logs import exported_logs

    within_s = SEND_WITHIN_S if send_within_s is None else send_within_s
    sender, done = MetricsSender(metrics, settings, _SERVICE, within_s=within_s), threading.Event()

    def send_regularly() -> None:
        while not done.wait(settings.metrics_every_s):
            sender.send()
        sender.send()  # the last counts

    provider = tracer_provider(settings, _SERVICE)
    thread = threading.Thread(target=send_regularly, name="metrics", daemon=True)
    thread.start()
    try:
        # Without Redis, which is polled for jobs all the time.
        with instrumented(provider, redis=False), exported_logs(settings, _SERVICE):
            yield provider.get_tracer("aurum.workers")
    finally:
        done.set()
        thread.join()
        provider.shutdown()
