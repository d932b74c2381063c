"""Whose work a job is: the request that asked for it goes on in the worker, in its log lines and in its trace."""

from __future__ import annotations

from contextvars import Token
from dataclasses import dataclass
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware, Retry
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer

from aurum.common.telemetry.work import Described, carried_trace, carried_work, current_work


@dataclass(frozen=True, slots=True)
class _Begun:
    span: Span
    traced: Token[Context]
    worked: Token[Described | None]


class JobContext(Middleware):
    """Takes up what came along with a message, for as long as its job runs. Stands first, so that all others are within.

    ``tracer``: makes a span a try, a child of the span that asked; None where no traces are sent.
    """

    def __init__(self, tracer: Tracer | None) -> None:
        # The tracer that does nothing hands on the span that asked, so lines bear its trace anyway.
        self._tracer = tracer or NoOpTracer()
        self._begun: dict[str, _Begun] = {}

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        del broker  # Dramatiq gives it by name
        asked = carried_trace(message.options)
        span = self._tracer.start_span(
            message.actor_name,
            context=asked,
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "dramatiq",
                "messaging.operation.type": "process",
                "messaging.destination.name": message.queue_name,
                "messaging.message.id": message.message_id,
                "aurum.tries": int(message.options.get("retries", 0)),
            },
        )
        self._begun[message.message_id] = _Begun(
            span, context.attach(trace.set_span_in_context(span, asked)), current_work.set(carried_work(message.options))
        )

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        del broker, result
        begun = self._begun.pop(message.message_id)
        if exception is not None:
            cause = exception.__cause__ if isinstance(exception, Retry) and exception.__cause__ is not None else exception
            begun.span.record_exception(cause)
            begun.span.set_status(Status(StatusCode.ERROR, type(cause).__name__))
        begun.span.end()
        current_work.reset(begun.worked)
        context.detach(begun.traced)
