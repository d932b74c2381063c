"""Metrics in the Prometheus text format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from aurum.common.telemetry.metrics import Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class PrometheusView:
    """The metrics of a service, and those of its process, in the Prometheus text format."""

    def __init__(self, metrics: Metrics) -> None:
        # A registry of its own: the global one also holds metrics that libraries register.
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(_MetricsCollector(metrics))

    def text(self) -> bytes:
        """Return the present values."""
        return generate_latest(self._registry)


class _MetricsCollector(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        for histogram in self._metrics.histograms:
            family = HistogramMetricFamily(histogram.name, histogram.description, labels=histogram.labels)
            bounds = [*map(str, histogram.bounds), "+Inf"]
            for labels, cell in list(histogram.cells.items()):
                buckets = list(zip(bounds, accumulate(cell.counts), strict=True))
                family.add_metric(labels, buckets, cell.total)  # pyright: ignore[reportArgumentType] - counts may be whole
            yield family
        for counter in self._metrics.counters:
            family = CounterMetricFamily(counter.name, counter.description, labels=counter.labels)
            for labels, value in list(counter.values.items()):
                family.add_metric(labels, value)
            yield family
        for gauge in self._metrics.gauges:
            kind = CounterMetricFamily if gauge.counts else GaugeMetricFamily
            family = kind(gauge.name, gauge.description, labels=gauge.labels)
            for labels, value in gauge.read():
                family.add_metric(labels, value)
            yield family
