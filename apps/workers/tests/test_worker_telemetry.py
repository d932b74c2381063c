"""The telemetry of a worker: traces and log lines of requests go on in their jobs; metrics are read by Prometheus."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from trial_log import LIGHT, Log, Serve

from aurum.common.settings import LoggingSettings, Settings, WorkersSettings
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.telemetry.logging import configure_logging
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.otlp import tracer_provider
from aurum.common.telemetry.prometheus import PrometheusView
from aurum.common.telemetry.work import CarriedWork, current_work
from aurum.core.jobs.states import JobState
from aurum.storage.testing.http_server import running_server
from aurum.workers.export import exported_telemetry

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def logged() -> Iterator[Any]:
    """A function that returns the logged lines, as JSON; the loggers are restored afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with redirect_stderr(StringIO()) as stream:
        configure_logging(LoggingSettings(format="json"))
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines() if line.startswith("{")]
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let traces take longer to arrive: what is not sent in time is lost."""
    monkeypatch.setattr("aurum.common.telemetry.otlp.SEND_WITHIN_S", 120.0)


@dataclass
class Collector:
    """An OpenTelemetry collector that stores the requests it receives."""

    url: str = ""
    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    logs: list[ExportLogsServiceRequest] = field(default_factory=list)

    def spans(self) -> list[tuple[str, Any]]:
        """Return the service and the span of every span that was sent."""
        return [
            (service, span)
            for request in self.traces
            for resource in request.resource_spans
            for service in [pair.value.string_value for pair in resource.resource.attributes if pair.key == "service.name"]
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def lines(self) -> list[Any]:
        return [
            line
            for request in self.logs
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for line in scope.log_records
        ]

    def metric_names(self) -> set[str]:
        return {
            metric.name
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    kinds: Mapping[str, tuple[Any, list[Any]]] = {
        "/v1/traces": (ExportTraceServiceRequest, collector.traces),
        "/v1/metrics": (ExportMetricsServiceRequest, collector.metrics),
        "/v1/logs": (ExportLogsServiceRequest, collector.logs),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kind, received = kinds[self.path]
            received.append(kind.FromString(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    with running_server(server):
        yield collector


def samples(metrics: Metrics) -> dict[str, float]:
    """Return the values of the Prometheus text, by name and labels as they are written."""
    lines = [line for line in PrometheusView(metrics).text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@contextmanager
def request_context(fields: Mapping[str, str]) -> Iterator[None]:
    """Run the block in the context of a traced request, as the layers of the API set it."""
    parent = trace.NonRecordingSpan(
        trace.SpanContext(
            int(TRACE, 16), int(SPAN, 16), is_remote=False, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED)
        )
    )
    token = current_work.set(CarriedWork(fields))
    try:
        with trace.use_span(parent):
            yield
    finally:
        current_work.reset(token)


@pytest.mark.parametrize("name", ["trial.light", "trial.process"])
async def test_the_lines_of_a_job_bear_the_request_and_the_trace_that_asked_for_it(
    log: Log, serve: Serve, settings: Settings, logged: Any, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    with request_context({"request_id": "r-1", "tenant": "acme"}):
        asked_for = await log.submit(name, key="a", says="working")
    alone = await log.submit(name, key="b", says="working")
    in_json = settings.model_copy(update={"logging": LoggingSettings(format="json")})
    async with serve(settings=in_json):
        for job_id in (asked_for, alone):
            await log.until(job_id)
    of_processes = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    lines = [line for line in [*logged(), *of_processes] if line["event"] in ("working", "job done")]
    by_job = {job_id: [line for line in lines if line["id"] == job_id] for job_id in (asked_for, alone)}
    assert all({line["event"] for line in own} == {"working", "job done"} for own in by_job.values())
    for line in by_job[asked_for]:
        assert (line["request_id"], line["tenant"], line["trace_id"]) == ("r-1", "acme", TRACE)
    for line in by_job[alone]:
        assert not {"request_id", "tenant", "trace_id"} & set(line), "a job forgets the request of another one"


async def test_a_job_that_is_put_back_stays_in_the_trace_that_asked_for_it(log: Log, serve: Serve, logged: Any) -> None:
    with request_context({"request_id": "r-2"}):
        job_id = await log.submit("trial.refused", key="a")
    async with serve():
        await log.until(job_id)
        await log.retry(job_id)
        await log.until(job_id)
    parked = [line for line in logged() if line["event"] == "job parked"]
    assert [(line["request_id"], line["trace_id"]) for line in parked] == [("r-2", TRACE)] * 2


async def test_an_invalid_trace_stops_no_job(log: Log, serve: Serve, logged: Any) -> None:
    nonsense = {"traceparent": "00-nonsense", "tracestate": 7, "asked_by": "somebody"}
    job_id = await log.submit("trial.light", carried=nonsense, key="a")
    async with serve(workers=LIGHT):
        await log.until(job_id)
    (line,) = [line for line in logged() if line["event"] == "job done"]
    assert "trace_id" not in line


async def test_request_and_job_are_one_trace_at_the_collector(log: Log, serve: Serve, settings: Settings, logged: Any) -> None:
    metrics = Metrics()
    with collecting() as collector:
        telemetry = TelemetrySettings.model_validate({"endpoint": collector.url, "sample_ratio": 1.0, "metrics_every_s": 60.0})
        with_collector = settings.model_copy(update={"telemetry": telemetry})
        api: TracerProvider = tracer_provider(telemetry, "aurum-api")
        with api.get_tracer("test").start_as_current_span("POST /v2/jobs") as request:
            ids = [
                await log.submit("trial.light", key="a"),
                await log.submit("trial.process", key="b", says="working"),
                await log.submit("trial.refused", key="c"),
            ]
        api.shutdown()
        with exported_telemetry(with_collector, metrics, send_within_s=120.0) as tracer:
            async with serve(settings=with_collector, metrics=metrics, tracer=tracer):
                for job_id in ids:
                    await log.until(job_id)
    trace_id = f"{request.get_span_context().trace_id:032x}"
    assert {(service, span.trace_id.hex()) for service, span in collector.spans() if span.parent_span_id} == {
        ("aurum-worker", trace_id)
    }
    worked = [span for service, span in collector.spans() if service == "aurum-worker"]
    parent = f"{request.get_span_context().span_id:016x}"
    jobs_done = {span.name: span for span in worked if span.parent_span_id.hex() == parent}
    assert set(jobs_done) == {"trial.light", "trial.process", "trial.refused"}
    for name in ("trial.light", "trial.process"):
        queries = [span for span in worked if span.parent_span_id == jobs_done[name].span_id]
        assert queries, f"the queries of {name} are within its span"
    assert [jobs_done[name].status.message for name in sorted(jobs_done)] == ["", "", "Invalid"]
    for event, level in (("job parked", "ERROR"), ("working", "INFO")):
        (line,) = [line for line in collector.lines() if line.body.string_value == event]
        assert (line.trace_id.hex(), line.severity_text) == (trace_id, level)
    assert {"aurum_jobs_total", "aurum_job_duration_seconds"} <= collector.metric_names()


@pytest.mark.usefixtures("patient_counts")
async def test_attempts_and_what_jobs_count_are_counted(log: Log, serve: Serve) -> None:
    metrics = Metrics()
    async with serve(metrics=metrics):
        for name in ("trial.light", "trial.process"):
            await log.until(await log.submit(name, key="a", failures=1))
        await log.until(await log.submit("trial.refused", key="b"))
        values = await asyncio.to_thread(samples, metrics)
    for name, queue in (("trial.light", "interactive"), ("trial.process", "bulk")):
        assert values[f'aurum_jobs_total{{name="{name}",outcome="done",queue="{queue}"}}'] == 1
        assert values[f'aurum_jobs_total{{name="{name}",outcome="retried",queue="{queue}"}}'] == 1
        assert values[f'aurum_job_duration_seconds_count{{name="{name}"}}'] == 2
        assert values[f'aurum_job_wait_seconds_count{{queue="{queue}"}}'] == 1
    assert values['aurum_jobs_total{name="trial.refused",outcome="parked",queue="maintenance"}'] == 1
    assert values['aurum_ingested_files_total{outcome="applied"}'] == 1
    assert values['aurum_jobs_parked{queue="maintenance"}'] == 1
    assert values['aurum_jobs_waiting{queue="bulk"}'] == 0
    assert values['aurum_jobs_oldest_seconds{queue="bulk"}'] == 0
    assert (values["aurum_queue_up"], values["aurum_jobs_log_up"]) == (1, 1)


@pytest.mark.usefixtures("patient_counts")
async def test_a_redis_that_is_away_shows_as_down_and_hides_no_other_metric(log: Log, serve: Serve) -> None:
    metrics = Metrics()
    async with serve(workers=LIGHT, metrics=metrics, redis="redis://127.0.0.1:1/0"):
        await log.until(await log.submit("trial.light", key="a"))
        values = await asyncio.to_thread(samples, metrics)
    assert (values["aurum_queue_up"], values["aurum_jobs_log_up"]) == (0, 1)
    assert values['aurum_jobs_waiting{queue="bulk"}'] == 0


@pytest.mark.usefixtures("patient_counts")
async def test_a_worker_answers_prometheus_until_it_ends(log: Log, serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with serve(workers=LIGHT.model_copy(update={"metrics_port": port})):
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read())
        assert re.search(rb"^aurum_queue_up 1\.0$", text, re.MULTILINE)
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port), timeout=60):
        pass


def test_a_collector_that_is_away_keeps_no_worker_from_ending(logged: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    telemetry = TelemetrySettings(endpoint=f"http://127.0.0.1:{port}")
    alone = Settings(telemetry=telemetry, workers=WorkersSettings(metrics_port=0))
    # Shorter than the first wait between two attempts, so there is one attempt.
    with exported_telemetry(alone, Metrics(), send_within_s=0.2):
        pass
    assert [line for line in logged() if line["event"] == "metrics not sent"]


async def test_a_job_without_a_request_carries_no_context(log: Log) -> None:
    job = await log.store.jobs.job(await log.submit("trial.light", key="a"))
    assert (job.state, job.carried) == (JobState.QUEUED, {})
