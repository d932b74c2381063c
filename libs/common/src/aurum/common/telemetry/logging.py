"""structlog for this process: one line an event, as text for people or JSON for machines, on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol

import structlog
from opentelemetry import trace

from aurum.common.settings import LoggingSettings


class Described(Protocol):
    """Work that says whose it is."""

    def log_fields(self) -> Mapping[str, str]:
        """What each line that is logged meanwhile shall bear."""
        ...


current_work: ContextVar[Described | None] = ContextVar("current_work", default=None)
"""What this task works on; setting it costs less than binding fields that are seldom needed."""


def configure_logging(settings: LoggingSettings) -> None:
    """Route structlog and the standard library's loggers to one renderer. Call once, at the start of a process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_work,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level)
    for chatty in ("alembic", "httpx", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _add_work(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Whose work it is, and in which trace."""
    work = current_work.get()
    if work is not None:
        for name, value in work.log_fields().items():
            event.setdefault(name, value)
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event.setdefault("trace_id", f"{span.trace_id:032x}")
        event.setdefault("span_id", f"{span.span_id:016x}")
    return event
