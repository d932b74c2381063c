"""Where a worker tells of itself: a port for Prometheus, and a collector where settings name one."""

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
def telling(settings: Settings, metrics: Metrics) -> Generator[Tracer | None]:
    """Metrics, and traces and log lines if there is a collector, for the length of the block. Gives what makes spans."""
    with ExitStack() as stack:
        tracer: Tracer | None = None
        if settings.telemetry.endpoint is not None:
            tracer = stack.enter_context(_sent(settings.telemetry, metrics))
        _serve(stack, settings.workers, metrics)
        yield tracer


def _serve(stack: ExitStack, settings: WorkersSettings, metrics: Metrics) -> None:
    """Let Prometheus ask. A port that cannot be had is no reason not to work."""
    if not settings.metrics_port:
        return
    where = f"{settings.metrics_host}:{settings.metrics_port}"
    try:
        stack.enter_context(PrometheusView(metrics).served(settings.metrics_host, settings.metrics_port))
    except OSError as error:
        _log.warning("metrics not served", where=where, reason=error.strerror, setting="AURUM_WORKERS__METRICS_PORT")
        return
    _log.info("metrics served", url=f"http://{where}/metrics")


@contextmanager
def _sent(settings: TelemetrySettings, metrics: Metrics) -> Generator[Tracer]:
    # Half a second to load, for those who send.
    from aurum.common.telemetry.instruments import instrumented
    from aurum.common.telemetry.otlp import MetricsSender, tracer_provider
    from aurum.common.telemetry.otlp_logs import exported_logs

    sender, done = MetricsSender(metrics, settings, _SERVICE), threading.Event()

    def send_often() -> None:
        while not done.wait(settings.metrics_every_s):
            sender.send()
        sender.send()  # what was counted last

    provider = tracer_provider(settings, _SERVICE)
    thread = threading.Thread(target=send_often, name="metrics", daemon=True)
    thread.start()
    try:
        # Without Redis, which is asked for jobs all the time.
        with instrumented(provider, redis=False), exported_logs(settings, _SERVICE):
            yield provider.get_tracer("aurum.workers")
    finally:
        done.set()
        thread.join()
        provider.shutdown()
