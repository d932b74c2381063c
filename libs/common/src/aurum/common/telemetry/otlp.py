"""Export of traces and metrics to an OpenTelemetry collector, by OTLP over HTTP. Sets no global provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.telemetry.metrics import Labels, Metrics

_log = structlog.get_logger(__name__)
SEND_WITHIN_S = 5.0
"""How long one sending to the collector may take, with all its attempts."""
_SCOPE = InstrumentationScope("aurum")


def resource(settings: TelemetrySettings, service: str) -> Resource:
    """Return the OpenTelemetry resource of a service: the name under which it reports."""
    return Resource.create({"service.name": service, "service.namespace": settings.namespace})


def tracer_provider(settings: TelemetrySettings, service: str) -> TracerProvider:
    """Return a provider that sends spans in batches. Needs ``settings.endpoint``.

    It samples ``settings.sample_ratio`` of the traces that begin here, and follows the decision of the caller for others.
    """
    provider = TracerProvider(
        resource=resource(settings, service), sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio))
    )
    url = f"{settings.endpoint}/v1/traces"
    exporter = OTLPSpanExporter(endpoint=url, headers=settings.header_values(), timeout=SEND_WITHIN_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class MetricsSender:
    """A sender of all metrics of a process. Needs ``settings.endpoint``.

    ``within_s``: how long one sending may take, with all its attempts.
    """

    def __init__(self, metrics: Metrics, settings: TelemetrySettings, service: str, *, within_s: float = SEND_WITHIN_S) -> None:
        self._metrics = metrics
        self._endpoint = settings.endpoint
        url = f"{settings.endpoint}/v1/metrics"
        self._exporter = OTLPMetricExporter(endpoint=url, headers=settings.header_values(), timeout=within_s)
        self._resource, self._started = resource(settings, service), time.time_ns()

    def send(self) -> None:
        """Send all metrics now. When the collector does not answer, log a warning."""
        self.send_data(self.data())

    def data(self) -> MetricsData:
        """Return the present values, in the form in which they are sent."""
        return metrics_data(self._metrics, self._resource, self._started, time.time_ns())

    def send_data(self, data: MetricsData) -> None:
        """Send values that ``data`` has returned. Safe in any thread."""
        result = self._exporter.export(data)  # pyright: ignore[reportUnknownMemberType] - open keywords
        if result is not MetricExportResult.SUCCESS:
            _log.warning("metrics not sent", endpoint=self._endpoint)


async def send_metrics(metrics: Metrics, settings: TelemetrySettings, service: str) -> None:
    """Send all metrics every ``settings.metrics_every_s`` seconds, until cancelled."""
    sender = MetricsSender(metrics, settings, service)
    while True:
        await asyncio.sleep(settings.metrics_every_s)
        # Read in the event loop, where they are counted; only the sending, which blocks, runs in another thread.
        await asyncio.to_thread(sender.send_data, sender.data())


def metrics_data(metrics: Metrics, source: Resource, started_ns: int, now_ns: int) -> MetricsData:
    """Return the metrics for OTLP: the same numbers as in ``prometheus``, cumulative since ``started_ns``."""
    exported = [
        Metric(
            histogram.name,
            histogram.description,
            "s" if histogram.name.endswith("_seconds") else "",
            HistogramData(
                [
                    HistogramDataPoint(
                        attributes=_attributes(histogram.labels, labels),
                        start_time_unix_nano=started_ns,
                        time_unix_nano=now_ns,
                        count=sum(cell.counts),
                        sum=cell.total,
                        bucket_counts=list(cell.counts),
                        explicit_bounds=list(cell.bounds),
                        min=0.0,
                        max=0.0,
                    )
                    for labels, cell in list(histogram.cells.items())
                ],
                AggregationTemporality.CUMULATIVE,
            ),
        )
        for histogram in metrics.histograms
    ]
    for counter in metrics.counters:
        points = _points(counter.labels, list(counter.values.items()), started_ns, now_ns)
        exported.append(Metric(counter.name, counter.description, "", Sum(points, AggregationTemporality.CUMULATIVE, True)))
    for gauge in metrics.gauges:
        points = _points(gauge.labels, list(gauge.read()), started_ns, now_ns)
        data = Sum(points, AggregationTemporality.CUMULATIVE, True) if gauge.counts else Gauge(points)
        exported.append(Metric(gauge.name, gauge.description, "", data))
    return MetricsData([ResourceMetrics(source, [ScopeMetrics(_SCOPE, exported, "")], "")])


def _points(names: Labels, values: Sequence[tuple[Labels, float]], started_ns: int, now_ns: int) -> list[NumberDataPoint]:
    return [NumberDataPoint(_attributes(names, labels), started_ns, now_ns, value) for labels, value in values]


def _attributes(names: Labels, values: Labels) -> dict[str, str]:
    return dict(zip(names, values, strict=True))
