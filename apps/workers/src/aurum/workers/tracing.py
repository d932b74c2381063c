"""The context of a job: its log lines and its trace continue those of the request that queued it."""

from __future__ import annotations

from contextvars import Token
from dataclasses import dataclass
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware, Retry
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer

from aurum.common.telemetry.work import Work, carried_trace, carried_work, current_work


@dataclass(frozen=True, slots=True)
class _Try:
    span: Span
    trace_token: Token[Context]
    work_token: Token[Work | None]


class JobContext(Middleware):
    """Middleware that restores the context carried by a message while its job runs. It is first, so it encloses the others.

    ``tracer``: makes one span for each try, a child of the request's span; None where no traces are sent.
    """

    def __init__(self, tracer: Tracer | None) -> None:
        # NoOpTracer passes on the span of the request, so log lines contain its trace id in any case.
        self._tracer = tracer or NoOpTracer()
        self._tries: dict[str, _Try] = {}

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        del broker  # Dramatiq passes it by name
        parent = carried_trace(message.options)
        span = self._tracer.start_span(
            message.actor_name,
            context=parent,
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "dramatiq",
                "messaging.operation.type": "process",
                "messaging.destination.name": message.queue_name,
                "messaging.message.id": message.message_id,
                "aurum.tries": int(message.options.get("retries", 0)),
            },
        )
        self._tries[message.message_id] = _Try(
            span, context.attach(trace.set_span_in_context(span, parent)), current_work.set(carried_work(message.options))
        )

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        del broker, result
        this_try = self._tries.pop(message.message_id)
        if exception is not None:
            cause = exception.__cause__ if isinstance(exception, Retry) and exception.__cause__ is not None else exception
            this_try.span.record_exception(cause)
            this_try.span.set_status(Status(StatusCode.ERROR, type(cause).__name__))
        this_try.span.end()
        current_work.reset(this_try.work_token)
        context.detach(this_try.trace_token)
