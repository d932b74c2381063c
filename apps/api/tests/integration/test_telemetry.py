"""Telemetry of the service: metrics in two formats with equal numbers, traces, log lines with the ids of their request."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from api_market import NYC
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from aurum.api.testing import serving
from aurum.common.settings import LoggingSettings, Settings
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.telemetry.logging import configure_logging
from aurum.storage.testing.http_server import running_server
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

PATH = f"/v2/series/{NYC}/observations?start=2025-11-01&end=2025-11-02"
ROUTE = "/v2/series/{key:path}/observations"


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The Prometheus text, by name and labels."""
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r"([a-z_:A-Z0-9]+)(?:\{(.*)\})? (\S+)", line).groups()  # type: ignore[union-attr]
        pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")
        values[name, frozenset(pairs)] = float(value)
    return values


async def scraped(client: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return samples(response.text)


def total(values: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (other, pairs), value in values.items() if other == name and wanted <= pairs)


async def test_a_head_is_counted_under_its_route(settings: Settings) -> None:
    async with serving(settings) as served:
        await served.client.head("/v2/catalog/sources")
        await served.client.head(PATH)
        values = await scraped(served.client)
    for route in ("/v2/catalog/sources", ROUTE):
        labels = {"http_route": route, "http_request_method": "HEAD"}
        assert total(values, "http_server_request_duration_seconds_count", **labels) == 1


async def test_refusals_and_probes_do_not_count_as_answers_that_were_soon_enough(settings: Settings) -> None:
    async with serving(settings) as served:
        for path in ("/live", "/ready", "/v2/series/a:b:c:d", "/v2/series?limit=0"):
            await served.client.get(path)
        values = await scraped(served.client)
    assert total(values, "aurum_slo_requests_total", objective="history") == 0
    assert total(values, "aurum_slo_requests_total", objective="availability") == 2


async def test_requests_are_counted_by_route_status_and_cache(settings: Settings) -> None:
    async with serving(settings) as served:
        for _ in range(3):
            await served.client.get(PATH)
        await served.client.get("/v2/series/a:b:c:d")
        values = await scraped(served.client)
    count = "http_server_request_duration_seconds_count"
    assert total(values, count, http_route=ROUTE, cache="miss", http_response_status_code="200") == 1
    assert total(values, count, http_route=ROUTE, cache="hit") == 2
    assert total(values, count, http_route="/v2/series/{key:path}", http_response_status_code="404") == 1
    assert total(values, "http_server_request_duration_seconds_bucket", http_route=ROUTE, cache="hit", le="+Inf") == 2
    assert total(values, "aurum_cache_lookups_total", keyspace=ROUTE, result="hit") == 2
    assert total(values, "aurum_slo_requests_total", objective="availability", met="true") >= 4
    assert total(values, "aurum_slo_requests_total", objective="cached") == 2
    assert total(values, "aurum_change_feed_behind_seconds") < 3_600
    assert total(values, "process_resident_memory_bytes") > 1e6


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let traces take longer to arrive: what is not sent in time is lost."""
    monkeypatch.setattr("aurum.common.telemetry.otlp.SEND_WITHIN_S", 120.0)


@dataclass
class Collector:
    """An OpenTelemetry collector that keeps what it gets."""

    url: str = ""
    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    logs: list[ExportLogsServiceRequest] = field(default_factory=list)
    headers: list[str | None] = field(default_factory=list)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            collector.headers.append(self.headers.get("x-team"))
            if self.path == "/v1/traces":
                collector.traces.append(ExportTraceServiceRequest.FromString(content))
            elif self.path == "/v1/logs":
                collector.logs.append(ExportLogsServiceRequest.FromString(content))
            else:
                collector.metrics.append(ExportMetricsServiceRequest.FromString(content))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    with running_server(server):
        yield collector


async def test_traces_and_metrics_reach_a_collector_with_the_same_numbers(settings: Settings) -> None:
    with collecting() as collector:
        telemetry = TelemetrySettings.model_validate(
            {"endpoint": collector.url, "sample_ratio": 1.0, "metrics_every_s": 0.3, "headers": "x-team=markets"}
        )
        async with serving(settings.model_copy(update={"telemetry": telemetry})) as served:
            parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            answer = await served.client.get(PATH, headers={"traceparent": parent})
            assert answer.headers["x-trace-id"] == "0af7651916cd43dd8448eb211c80319c"
            assert re.fullmatch("(?!b7ad6b7169203331)[0-9a-f]{16}", answer.headers["x-span-id"])
            await served.client.get(PATH)
            await wait_until(lambda: any(sent_count(one) == 2 for one in collector.metrics))
            values = await scraped(served.client)
    assert total(values, "http_server_request_duration_seconds_count", http_route=ROUTE) == 2
    spans = [
        span for one in collector.traces for each in one.resource_spans for scope in each.scope_spans for span in scope.spans
    ]
    mine = [span for span in spans if span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"]
    (server,) = [span for span in mine if span.parent_span_id.hex() == "b7ad6b7169203331"]
    assert server.name == f"GET {ROUTE}"
    assert any(span.parent_span_id == server.span_id for span in mine), "the query is part of the trace"
    assert set(collector.headers) == {"markets"}


async def test_no_trace_and_no_log_line_holds_the_signature_of_a_link(settings: Settings) -> None:
    with collecting() as collector:
        telemetry = TelemetrySettings.model_validate({"endpoint": collector.url, "sample_ratio": 1.0, "metrics_every_s": 0.3})
        async with serving(settings.model_copy(update={"telemetry": telemetry})) as served:
            made = await served.client.post("/v2/links", json={"query": f"{PATH}&format=csv"})
            path = made.json()["data"]["path"]
            parent = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-01"
            for address in (path, f"{path}x", f"{path}&tz=UTC"):
                await served.client.get(address, headers={"traceparent": parent, "range": "bytes=0-9"})
    traces = b"".join(one.SerializeToString() for one in collector.traces)
    assert bytes.fromhex("0af7651916cd43dd8448eb211c80319d") in traces
    assert b"format=csv" in traces, "addresses are traced"
    signature = path.rpartition("=")[2].encode()
    assert signature[1:-1] not in traces
    assert signature[1:-1] not in b"".join(one.SerializeToString() for one in collector.logs)


def sent_count(request: ExportMetricsServiceRequest) -> int:
    """Return the number of requests for observations in one batch of metrics."""
    return sum(
        point.count
        for each in request.resource_metrics
        for scope in each.scope_metrics
        for metric in scope.metrics
        if metric.name == "http_server_request_duration_seconds"
        for point in metric.histogram.data_points
        if any(pair.key == "http_route" and pair.value.string_value == ROUTE for pair in point.attributes)
    )


async def test_lines_that_are_logged_for_a_request_say_whose_they_are(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(LoggingSettings(level="DEBUG", format="json"))
        async with serving(settings) as served:
            await served.client.get(PATH, headers={"x-request-id": "mine-1"})
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    (line,) = [one for one in lines if one.get("request_id") == "mine-1" and one["event"] == "request"]
    assert (line["tenant"], line["status"], line["path"]) == ("local", 200, PATH.partition("?")[0])
