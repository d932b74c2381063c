"""Log lines to an OpenTelemetry collector, by OTLP over HTTP, beside those on standard error. Nothing of it is global."""

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
# What the exporter says of a collector that is away must not be sent to it: it would never end.
_OF_THE_EXPORTER = ("opentelemetry", "urllib3", "requests", "aurum.common.telemetry")
_SAID_OTHERWISE = frozenset({"event", "level", "logger", "timestamp", "trace_id", "span_id"})
"""Fields of a line that have a place of their own in a record."""


class OtlpHandler(logging.Handler):
    """Hands each line to a provider: its event as body, its fields as attributes."""

    def __init__(self, provider: LoggerProviderApi) -> None:
        super().__init__()
        self._logger = provider.get_logger("aurum")

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_OF_THE_EXPORTER):
            return
        fields = _fields(record)
        attributes = {name: _plain(value) for name, value in fields.items() if name not in _SAID_OTHERWISE}
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
    """Lines that reach the root logger are sent as well, for the length of the block. Needs ``settings.endpoint``.

    Comes after ``configure_logging``, which sets the handlers anew.
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
    """Of a line of structlog (its message is the dictionary), or of one from anybody else."""
    said = cast("object", record.msg)
    if isinstance(said, dict):
        fields = dict(cast("dict[str, Any]", said))
    else:
        fields = dict(add_work(None, "", {"event": record.getMessage(), "exc_info": record.exc_info}))
    return format_exc_info(None, "", fields)


def _plain(value: object) -> str | bool | int | float:
    return value if isinstance(value, str | bool | int | float) else str(value)
