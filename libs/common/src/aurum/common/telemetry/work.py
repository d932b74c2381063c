"""What is worked on, as log lines and other processes hear of it.

Work that is handed to another process through a queue takes its trace along as W3C Trace Context
(https://www.w3.org/TR/trace-context/), and beside it what its log lines bear.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, cast

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ASKED_BY = "asked_by"
"""Under which ``carried`` puts the fields of log lines."""

_TRACE = ("traceparent", "tracestate")


class Described(Protocol):
    """Work that says whose it is."""

    def log_fields(self) -> Mapping[str, str]:
        """What each line that is logged meanwhile shall bear."""
        ...


current_work: ContextVar[Described | None] = ContextVar("current_work", default=None)
"""What this task works on; setting it costs less than binding fields that are seldom needed."""


@dataclass(frozen=True, slots=True)
class CarriedWork:
    """Work that another process asked for."""

    fields: Mapping[str, str]

    def log_fields(self) -> Mapping[str, str]:
        return self.fields


def carried() -> dict[str, object]:
    """What goes along with work that is handed on: ``traceparent`` where there is a trace, ``asked_by`` where work is known."""
    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    work = current_work.get()
    return {**found} if work is None else {**found, ASKED_BY: dict(work.log_fields())}


def carried_work(options: Mapping[str, object]) -> CarriedWork | None:
    """Whose work it is that came with what ``carried`` gave; None when that is not known."""
    fields = options.get(ASKED_BY)
    if not isinstance(fields, Mapping):
        return None
    return CarriedWork({str(name): str(value) for name, value in cast("Mapping[Any, Any]", fields).items()})


def carried_trace(options: Mapping[str, object]) -> Context:
    """The trace that came along, as a parent of new spans; one that is none is left out, as the standard asks."""
    texts = {name: value for name in _TRACE if isinstance(value := options.get(name), str)}
    return TraceContextTextMapPropagator().extract(texts, context=Context())


def add_work(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A processor of structlog: whose work it is, and in which trace."""
    work = current_work.get()
    if work is not None:
        for name, value in work.log_fields().items():
            event.setdefault(name, value)
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event.setdefault("trace_id", f"{span.trace_id:032x}")
        event.setdefault("span_id", f"{span.span_id:016x}")
    return event
