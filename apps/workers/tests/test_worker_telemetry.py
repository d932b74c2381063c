"""The telemetry of a worker, through a real queue, sent to a collector and read by Prometheus."""

from __future__ import annotations

import json
import logging
import re
import socket
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import dramatiq
import pytest
import pytest_asyncio
from opentelemetry import trace
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from aurum.common.clock import SystemClock
from aurum.common.resilience.breaker import Breaker
from aurum.common.settings import DatabaseSettings, LoggingSettings, RedisSettings, Settings, WorkersSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.telemetry.logging import configure_logging
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.otlp import tracer_provider
from aurum.common.telemetry.prometheus import PrometheusView
from aurum.common.telemetry.work import CarriedWork, carried, current_work
from aurum.pipelines.jobs import INGEST_QUEUE, IngestFile, JobQueue
from aurum.pipelines.loading.sample import sample_files
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.ports.jobs import QueueUnavailable
from aurum.storage.redis.job_queue import RedisJobQueue
from aurum.storage.testing.http_server import running_server
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until_blocking
from aurum.workers.broker import make_broker
from aurum.workers.export import exported_telemetry
from aurum.workers.telemetry import queue_depths
from aurum.workers.wiring import WorkerContext, worker_context

SAMPLE = next(path for path in sample_files() if path.name == "20251102damlbmp_zone.csv")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest_asyncio.fixture(loop_scope="session")
async def queue(queue_url: str) -> AsyncIterator[RedisJobQueue]:
    """The queue as the API uses it."""
    client = Redis.from_url(queue_url)
    await client.flushdb()
    yield RedisJobQueue(client, SystemClock(), Breaker("job queue", ResilienceSettings(), counts=(QueueUnavailable,)))
    await client.aclose()


@pytest.fixture
def settings(postgres_store: PostgresStore, queue_url: str, tmp_path: Path) -> Settings:
    database: DatabaseSettings = postgres_store.pool.settings
    return Settings(data_dir=tmp_path, database=database, redis=RedisSettings(url=queue_url))


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


def work(settings: Settings, metrics: Metrics) -> None:
    """Run a worker until the queue is empty."""
    with worker_context(settings) as context:
        work_in(context, metrics)


def work_in(context: WorkerContext, metrics: Metrics, tracer: trace.Tracer | None = None) -> None:
    broker = make_broker(context, metrics=metrics, tracer=tracer)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    wait_until_blocking(lambda: not broker.client.llen("dramatiq:ingest") and not broker.client.keys("dramatiq:__acks__.*"))
    worker.stop()
    broker.close()


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


async def test_the_lines_of_a_job_bear_the_request_and_the_trace_that_asked_for_it(
    settings: Settings, queue: RedisJobQueue, logged: Any
) -> None:
    with request_context({"request_id": "r-1", "tenant": "acme"}):
        await queue.put("ingest.file", {"path": str(SAMPLE)}, queue=INGEST_QUEUE)
    await queue.put("ingest.file", {"path": str(SAMPLE)}, queue=INGEST_QUEUE)
    work(settings, Metrics())
    lines = [line for line in logged() if line["event"] in ("file processed", "job done")]
    assert [line["event"] for line in lines] == ["file processed", "job done"] * 2
    for line in lines[:2]:
        assert (line["request_id"], line["tenant"], line["trace_id"]) == ("r-1", "acme", TRACE)
    for line in lines[2:]:
        assert not {"request_id", "tenant", "trace_id"} & set(line), "a thread forgets the request of its earlier job"


async def test_a_job_that_is_put_back_stays_in_the_trace_that_asked_for_it(
    settings: Settings, queue: RedisJobQueue, logged: Any, tmp_path: Path
) -> None:
    with request_context({"request_id": "r-2"}):
        job_id = await queue.put("ingest.file", {"path": str(tmp_path / "gone.csv")}, queue=INGEST_QUEUE)
    work(settings, Metrics())
    await queue.retry(job_id)
    work(settings, Metrics())
    parked = [line for line in logged() if line["event"] == "job parked"]
    assert [(line["request_id"], line["trace_id"]) for line in parked] == [("r-2", TRACE)] * 2


async def test_an_invalid_trace_stops_no_job(settings: Settings, queue_url: str, queue: RedisJobQueue, logged: Any) -> None:
    def nonsense() -> Mapping[str, object]:
        return {"traceparent": "00-nonsense", "tracestate": 7, "asked_by": "somebody"}

    with JobQueue(queue_url, options=nonsense) as jobs:
        jobs.put(IngestFile(path=SAMPLE))
    work(settings, Metrics())
    (line,) = [line for line in logged() if line["event"] == "job done"]
    assert "trace_id" not in line


async def test_request_and_job_are_one_trace_at_the_collector(
    settings: Settings, queue_url: str, queue: RedisJobQueue, logged: Any, tmp_path: Path
) -> None:
    metrics = Metrics()
    with collecting() as collector:
        telemetry = TelemetrySettings.model_validate({"endpoint": collector.url, "sample_ratio": 1.0, "metrics_every_s": 60.0})
        with_collector = settings.model_copy(update={"telemetry": telemetry, "workers": WorkersSettings(metrics_port=0)})
        api: TracerProvider = tracer_provider(telemetry, "aurum-api")
        with api.get_tracer("test").start_as_current_span("POST /v2/admin/jobs") as request:
            with JobQueue(queue_url, options=carried) as jobs:
                jobs.put(IngestFile(path=SAMPLE))
            await queue.put("ingest.file", {"path": str(tmp_path / "gone.csv")}, queue=INGEST_QUEUE)
        api.shutdown()
        with worker_context(with_collector) as context, exported_telemetry(with_collector, metrics) as tracer:
            work_in(context, metrics, tracer)
    trace_id = f"{request.get_span_context().trace_id:032x}"
    assert {(service, span.trace_id.hex()) for service, span in collector.spans()} == {
        ("aurum-api", trace_id),
        ("aurum-worker", trace_id),
    }
    worked = [span for service, span in collector.spans() if service == "aurum-worker"]
    parent = f"{request.get_span_context().span_id:016x}"
    jobs_done = [span for span in worked if span.parent_span_id.hex() == parent]
    assert {span.name for span in jobs_done} == {"ingest.file"}
    loaded = next(span.span_id for span in jobs_done if not span.status.message)
    assert any(span.parent_span_id == loaded for span in worked), "the queries of a job are within its span"
    assert sorted(span.status.message for span in jobs_done) == ["", "NoSuchFile"]
    (line,) = [line for line in collector.lines() if line.body.string_value == "job parked"]
    assert line.trace_id.hex() == trace_id
    assert line.severity_text == "ERROR"
    assert {pair.key: pair.value.string_value for pair in line.attributes}["job"] == "ingest.file"
    assert {"aurum_jobs_total", "aurum_job_duration_seconds"} <= collector.metric_names()


async def test_jobs_files_and_rows_are_counted(
    settings: Settings, queue: RedisJobQueue, queue_url: str, tmp_path: Path
) -> None:
    for path in (SAMPLE, SAMPLE, tmp_path / "gone.csv"):
        await queue.put("ingest.file", {"path": str(path)}, queue=INGEST_QUEUE)
    await queue.put("nobody's.job", {}, queue=INGEST_QUEUE)
    metrics = Metrics()
    with queue_depths(queue_url, metrics):
        assert samples(metrics)['aurum_jobs_waiting{queue="ingest"}'] == 4
        work(settings, metrics)
        values = samples(metrics)
    assert values['aurum_jobs_waiting{queue="ingest"}'] == 0
    assert values['aurum_jobs_parked{queue="ingest"}'] == 2
    assert values["aurum_queue_up"] == 1
    assert values['aurum_jobs_total{name="ingest.file",outcome="done"}'] == 2
    assert values['aurum_jobs_total{name="ingest.file",outcome="parked"}'] == 1
    assert values['aurum_jobs_total{name="unknown",outcome="parked"}'] == 1
    assert values['aurum_job_duration_seconds_count{name="ingest.file"}'] == 3
    assert values['aurum_ingested_files_total{outcome="applied"}'] == 1
    assert values['aurum_ingested_files_total{outcome="already loaded"}'] == 1
    assert values['aurum_ingested_rows_total{change="new"}'] == 300


async def test_a_job_whose_database_is_away_counts_as_retried(
    settings: Settings, queue: RedisJobQueue, postgres_server: EmbeddedPostgres
) -> None:
    metrics = Metrics()
    name = urlsplit(settings.database.url or "").path.removeprefix("/")
    with worker_context(settings) as context:
        server = await asyncpg.connect(postgres_server.url_of("postgres"))
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await queue.put("ingest.file", {"path": str(SAMPLE)}, queue=INGEST_QUEUE)
        broker = make_broker(context, metrics=metrics)
        worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)
        worker.start()
        retried = 'aurum_jobs_total{name="ingest.file",outcome="retried"}'
        wait_until_blocking(lambda: bool(samples(metrics).get(retried)))  # the worker runs in threads of its own
        count = samples(metrics)[retried]
        worker.stop()
        broker.close()
        await server.execute(f"CREATE DATABASE {name}")
        await server.close()
    assert count >= 1


def test_a_queue_that_is_away_shows_as_down_and_hides_no_other_metric() -> None:
    metrics = Metrics()
    metrics.counter("aurum_other_total", "Something else.").add()
    with queue_depths("redis://127.0.0.1:1/0", metrics):
        values = samples(metrics)
    assert (values["aurum_queue_up"], values["aurum_other_total"]) == (0, 1)
    assert not [name for name in values if name.startswith("aurum_jobs_waiting")]


def test_a_worker_answers_prometheus_until_it_ends(logged: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    metrics = Metrics()
    metrics.counter("aurum_other_total", "Something else.").add()
    with exported_telemetry(Settings(workers=WorkersSettings(metrics_port=port)), metrics) as tracer:
        assert tracer is None
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert re.search(rb"^aurum_other_total 1\.0$", answer.read(), re.MULTILINE)
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_a_port_that_is_taken_is_one_line_and_the_worker_works(logged: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with exported_telemetry(Settings(workers=WorkersSettings(metrics_port=port)), Metrics()):
            pass
    (line,) = [entry for entry in logged() if entry["level"] == "warning"]
    assert (line["event"], line["where"]) == ("metrics not served", f"127.0.0.1:{port}")
    assert line["reason"] == "Address already in use"


def test_a_collector_that_is_away_keeps_no_worker_from_ending(logged: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    telemetry = TelemetrySettings(endpoint=f"http://127.0.0.1:{port}")
    alone = Settings(telemetry=telemetry, workers=WorkersSettings(metrics_port=0))
    # Shorter than the first wait between two attempts, so there is one attempt.
    with exported_telemetry(alone, Metrics(), send_within_s=0.2):
        pass
    assert [line for line in logged() if line["event"] == "metrics not sent"]


def test_a_message_without_a_request_carries_no_context(queue_url: str, queue: RedisJobQueue) -> None:
    with JobQueue(queue_url) as jobs:
        jobs.put(IngestFile(path=SAMPLE))
    with SyncRedis.from_url(queue_url) as client:
        (message,) = client.hgetall("dramatiq:ingest.msgs").values()
    assert set(json.loads(message)["options"]) == {"redis_message_id"}
