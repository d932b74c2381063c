"""Export of log lines to an OpenTelemetry collector, by OTLP over HTTP, besides standard error. Sets no global provider."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from opentelemetry._logs import LoggerProvider as LoggerProviderApi
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from structlog.processors import format_exc_info

from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.telemetry.otlp import resource
from aurum.common.telemetry.work import add_work

_SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}
_EXPORTER_LOGGERS = ("opentelemetry", "urllib3", "requests", "aurum.common.telemetry")
"""Loggers of the exporter itself. Their lines are not exported, because each failed export would cause another."""
_RECORD_FIELDS = frozenset({"event", "level", "logger", "timestamp", "trace_id", "span_id"})
"""Fields of a line that are fields of an OTLP record, too, and not attributes."""


class OtlpHandler(logging.Handler):
    """A logging handler that passes each line to a provider: its event as body, its fields as attributes."""

    def __init__(self, provider: LoggerProviderApi) -> None:
        super().__init__()
        self._logger = provider.get_logger("aurum")

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_EXPORTER_LOGGERS):
            return
        fields = _fields(record)
        attributes = {name: _plain(value) for name, value in fields.items() if name not in _RECORD_FIELDS}
        self._logger.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                severity_text=record.levelname,
                severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
                body=str(fields.get("event", "")),
                attributes={**attributes, "logger.name": record.name},
            )
        )


@contextmanager
def exported_logs(settings: TelemetrySettings, service: str) -> Generator[None]:
    """Also send the lines that reach the root logger, within the block. Needs ``settings.endpoint``.

    Call it after ``configure_logging``, which replaces the handlers.
    """
    provider = LoggerProvider(resource(settings, service), shutdown_on_exit=False)
    exporter = OTLPLogExporter(endpoint=f"{settings.endpoint}/v1/logs", headers=settings.header_values(), timeout=5)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    handler = OtlpHandler(provider)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        provider.shutdown()


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    """Return the fields of a line of structlog, whose message is the dictionary of fields, or of any other logger."""
    message = cast("object", record.msg)
    if isinstance(message, dict):
        fields = dict(cast("dict[str, Any]", message))
    else:
        fields = dict(add_work(None, "", {"event": record.getMessage(), "exc_info": record.exc_info}))
    return format_exc_info(None, "", fields)


def _plain(value: object) -> str | bool | int | float:
    return value if isinstance(value, str | bool | int | float) else str(value)
