"""Traces and metrics to an OpenTelemetry collector, by OTLP over HTTP. Nothing of it is global."""

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
_SCOPE = InstrumentationScope("aurum")


def resource(settings: TelemetrySettings, service: str) -> Resource:
    """Who reports."""
    return Resource.create({"service.name": service, "service.namespace": settings.namespace})


def tracer_provider(settings: TelemetrySettings, service: str) -> TracerProvider:
    """Sends spans in batches, of the share of traces that settings say, or as the caller decided. Needs an endpoint."""
    provider = TracerProvider(
        resource=resource(settings, service), sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio))
    )
    exporter = OTLPSpanExporter(endpoint=f"{settings.endpoint}/v1/traces", headers=settings.header_values(), timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class MetricsSender:
    """Sends all metrics of a process. Needs an endpoint."""

    def __init__(self, metrics: Metrics, settings: TelemetrySettings, service: str) -> None:
        self._metrics = metrics
        self._endpoint = settings.endpoint
        url = f"{settings.endpoint}/v1/metrics"
        self._exporter = OTLPMetricExporter(endpoint=url, headers=settings.header_values(), timeout=5)
        self._who, self._started = resource(settings, service), time.time_ns()

    def send(self) -> None:
        """Send them, now. A collector that is away costs a line in the log."""
        self.send_data(self.data())

    def data(self) -> MetricsData:
        """What would be sent now."""
        return metrics_data(self._metrics, self._who, self._started, time.time_ns())

    def send_data(self, data: MetricsData) -> None:
        """Send what was read before, from any thread."""
        result = self._exporter.export(data)  # pyright: ignore[reportUnknownMemberType] - open keywords
        if result is not MetricExportResult.SUCCESS:
            _log.warning("metrics not sent", endpoint=self._endpoint)


async def send_metrics(metrics: Metrics, settings: TelemetrySettings, service: str) -> None:
    """Send all metrics at an interval, for ever; cancel it to end it."""
    sender = MetricsSender(metrics, settings, service)
    while True:
        await asyncio.sleep(settings.metrics_every_s)
        # Read here, where they are counted; only the sending is for another thread.
        await asyncio.to_thread(sender.send_data, sender.data())


def metrics_data(metrics: Metrics, who: Resource, started_ns: int, now_ns: int) -> MetricsData:
    """The same numbers as ``prometheus`` shows, cumulative since ``started_ns``."""
    found = [
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
        found.append(Metric(counter.name, counter.description, "", Sum(points, AggregationTemporality.CUMULATIVE, True)))
    for gauge in metrics.gauges:
        points = _points(gauge.labels, list(gauge.read()), started_ns, now_ns)
        data = Sum(points, AggregationTemporality.CUMULATIVE, True) if gauge.counts else Gauge(points)
        found.append(Metric(gauge.name, gauge.description, "", data))
    return MetricsData([ResourceMetrics(who, [ScopeMetrics(_SCOPE, found, "")], "")])


def _points(names: Labels, values: Sequence[tuple[Labels, float]], started_ns: int, now_ns: int) -> list[NumberDataPoint]:
    return [NumberDataPoint(_attributes(names, labels), started_ns, now_ns, value) for labels, value in values]


def _attributes(names: Labels, values: Labels) -> dict[str, str]:
    return dict(zip(names, values, strict=True))
