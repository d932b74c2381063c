"""Log lines as a collector receives them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from aurum.common.settings import LoggingSettings
from aurum.common.telemetry.logging import configure_logging
from aurum.common.telemetry.otlp_logs import OtlpHandler
from aurum.common.telemetry.work import CarriedWork, current_work


@pytest.fixture
def sent() -> Iterator[InMemoryLogRecordExporter]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(LoggingSettings())
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    root.addHandler(OtlpHandler(provider))
    yield exporter
    root.handlers[:] = handlers
    root.setLevel(level)
    provider.shutdown()


def test_a_line_has_its_event_as_body_and_its_fields_as_attributes(sent: InMemoryLogRecordExporter) -> None:
    structlog.get_logger("aurum.some").warning("slow query", seconds=1.5, plan=["Seq Scan"])
    (line,) = sent.get_finished_logs()
    assert (line.log_record.body, line.log_record.severity_text) == ("slow query", "WARNING")
    assert dict(line.log_record.attributes or {}) == {
        "seconds": 1.5,
        "plan": "['Seq Scan']",
        "logger.name": "aurum.some",
    }


def test_a_line_of_a_library_has_the_fields_of_the_work_and_its_trace(sent: InMemoryLogRecordExporter) -> None:
    span = trace.NonRecordingSpan(trace.SpanContext(7, 9, is_remote=False))
    token = current_work.set(CarriedWork({"request_id": "r-1"}))
    with trace.use_span(span):
        logging.getLogger("some.library").error("broken %s", "pipe")
    current_work.reset(token)
    (line,) = sent.get_finished_logs()
    assert (line.log_record.body, line.log_record.trace_id, line.log_record.span_id) == ("broken pipe", 7, 9)
    assert (line.log_record.attributes or {})["request_id"] == "r-1"


def test_a_failure_has_its_stack(sent: InMemoryLogRecordExporter) -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError:
        structlog.get_logger("aurum.some").exception("job failed")
    (line,) = sent.get_finished_logs()
    assert "ZeroDivisionError: by zero" in str((line.log_record.attributes or {})["exception"])


def test_lines_of_the_exporter_are_not_sent(sent: InMemoryLogRecordExporter) -> None:
    logging.getLogger("opentelemetry.exporter").error("collector away")
    logging.getLogger("urllib3.connectionpool").warning("retrying")
    assert sent.get_finished_logs() == ()
