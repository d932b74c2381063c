"""The work under way (a request, a job), for log lines and for processes that continue it.

Work that goes to another process through a queue carries its trace as W3C Trace Context
(https://www.w3.org/TR/trace-context/), and the fields of its log lines.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, cast

import structlog
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ASKED_BY = "asked_by"
"""Name under which ``carried`` puts the fields of log lines."""

_TRACE = ("traceparent", "tracestate")


class Work(Protocol):
    """Work with fields for its log lines, such as the id of a request and its tenant."""

    def log_fields(self) -> Mapping[str, str]:
        """Return the fields that each line logged during the work has."""
        ...


current_work: ContextVar[Work | None] = ContextVar("current_work", default=None)
"""The work of the present task. Setting it costs less than binding log fields, which are seldom needed."""


@dataclass(frozen=True, slots=True)
class CarriedWork:
    """Work that another process has requested."""

    fields: Mapping[str, str]

    def log_fields(self) -> Mapping[str, str]:
        return self.fields


def carried() -> dict[str, object]:
    """Return the members to send along with a job: ``traceparent`` within a trace, ``asked_by`` within known work."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    work = current_work.get()
    return {**headers} if work is None else {**headers, ASKED_BY: dict(work.log_fields())}


def carried_work(options: Mapping[str, object]) -> CarriedWork | None:
    """Return the work that requested a job, from the members of ``carried``; None when it is not known."""
    fields = options.get(ASKED_BY)
    if not isinstance(fields, Mapping):
        return None
    return CarriedWork({str(name): str(value) for name, value in cast("Mapping[Any, Any]", fields).items()})


def carried_trace(options: Mapping[str, object]) -> Context:
    """Return the trace that a job carries, as parent of new spans; a malformed one is ignored, as the standard demands."""
    texts = {name: value for name in _TRACE if isinstance(value := options.get(name), str)}
    return TraceContextTextMapPropagator().extract(texts, context=Context())


@contextmanager
def in_carried_work(options: Mapping[str, object]) -> Generator[None]:
    """Continue the work and the trace that a job carries, within the block."""
    work, trace_token = current_work.set(carried_work(options)), attach(carried_trace(options))
    try:
        yield
    finally:
        detach(trace_token)
        current_work.reset(work)


def add_work(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the fields of the present work and the ids of its trace to a line: a processor of structlog."""
    work = current_work.get()
    if work is not None:
        for name, value in work.log_fields().items():
            event.setdefault(name, value)
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event.setdefault("trace_id", f"{span.trace_id:032x}")
        event.setdefault("span_id", f"{span.span_id:016x}")
    return event
